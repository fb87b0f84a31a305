/** What an IPv4 packet carries, so that one of them can be lost on purpose: DTLS by its messages, STUN, TCP. */

const UDP = 17;
const TCP = 6;
/** STUN's magic cookie (RFC 8489 §5). */
const STUN_COOKIE = 0x21_12_a4_42;
/** Content types of DTLS (RFC 6347 §4.1). */
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const RECORD_HEAD_BYTES = 13;
const MESSAGE_HEAD_BYTES = 12;

/** Handshake types (RFC 5246 §7.4, RFC 6347 §4.3.2). */
const MESSAGES: Readonly<Record<number, string>> = {
  1: 'client-hello',
  2: 'server-hello',
  3: 'hello-verify-request',
  4: 'new-session-ticket',
  11: 'certificate',
  12: 'server-key-exchange',
  13: 'certificate-request',
  14: 'server-hello-done',
  15: 'certificate-verify',
  16: 'client-key-exchange',
};

/** All names of one packet: a datagram may carry a whole flight. Empty: voice, or nothing that is known here. */
export function packetNames(packet: Buffer): readonly string[] {
  if (packet.length < 20 || (packet[0] ?? 0) >> 4 !== 4) return [];
  const body = packet.subarray(((packet[0] ?? 0) & 15) * 4);
  if (packet[9] === TCP) return tcpNames(body, packet.readUInt16BE(2) - (packet.length - body.length));
  return packet[9] === UDP ? datagramNames(body.subarray(8)) : [];
}

function tcpNames(segment: Buffer, bytes: number): readonly string[] {
  if (segment.length < 20) return [];
  if (((segment[13] ?? 0) & 2) !== 0) return ['tcp-syn'];
  return bytes > (segment.readUInt8(12) >> 4) * 4 ? ['tcp-data'] : ['tcp-ack'];
}

function datagramNames(data: Buffer): readonly string[] {
  if (data.length >= 20 && data.readUInt32BE(4) === STUN_COOKIE)
    return [(data.readUInt16BE(0) & 0x01_10) === 0 ? 'stun-request' : 'stun-answer'];
  const names: string[] = [];
  const [type = 0] = data;
  if (type < CHANGE_CIPHER_SPEC || type > 63) return names;
  for (let at = 0; at + RECORD_HEAD_BYTES <= data.length;) {
    const bytes = data.readUInt16BE(at + 11);
    const record = data.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + bytes);
    if (data[at] === CHANGE_CIPHER_SPEC) names.push('change-cipher-spec');
    if (data[at] === HANDSHAKE)
      names.push(...(data.readUInt16BE(at + 3) > 0 ? ['finished'] : messageNames(record)));
    at += RECORD_HEAD_BYTES + bytes;
  }
  return ['dtls', ...names];
}

function messageNames(record: Buffer): readonly string[] {
  const names: string[] = [];
  for (
    let at = 0;
    at + MESSAGE_HEAD_BYTES <= record.length;
    at += MESSAGE_HEAD_BYTES + record.readUIntBE(at + 9, 3)
  )
    names.push(MESSAGES[record[at] ?? 0] ?? 'unknown');
  return names;
}
