/**
 * werift's DTLS client taught to survive the loss of any packet, as a browser's does. Left to itself it
 *
 * - waits for half a second, and repeats its flights under their old record numbers: OpenSSL takes them for replays;
 * - repeats its Finished as it was encrypted, so that a server whose own Finished got lost, and which sends that again only
 *   when it is asked (RFC 6347 §4.2.4), never hears of it: the call has no media for good;
 * - takes messages as they come: with a CertificateRequest lost out of a repeated flight it answers without a certificate.
 */
import type { RTCDtlsTransport, RTCPeerConnection } from 'werift';

/** As libwebrtc does it over a round trip of 100 ms: after two of them, then after twice as long each time. */
const REPEAT_AFTER_MS = [200, 600, 1400, 3000];

/** Content types of DTLS (RFC 6347 §4.1): change of cipher, alert, handshake. */
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const RECORD_HEAD_BYTES = 13;

type Dtls = NonNullable<RTCDtlsTransport['dtls']>;

export function surviveLoss(connection: RTCPeerConnection): void {
  const watched = new WeakSet<RTCDtlsTransport>();
  connection.signalingStateChange.subscribe(() => {
    for (const transport of connection.dtlsTransports) {
      if (watched.has(transport)) continue;
      watched.add(transport);
      repeatFlights(transport);
    }
  });
}

function repeatFlights(transport: RTCDtlsTransport): void {
  const ice = transport.iceTransport.connection;
  const send = ice.send.bind(ice);
  let renew: ((data: Buffer) => Buffer) | null = null;
  ice.send = async (data) => {
    const type = data[0] ?? 0;
    const { dtls } = transport;
    if (type < CHANGE_CIPHER_SPEC || type > HANDSHAKE || dtls === undefined) return send(data);
    if (renew === null) {
      renew = freshRecords(dtls);
      takeInOrder(dtls);
    }
    const renewed = renew;
    await send(renewed(data));
    const { flight } = dtls.dtls;
    for (const afterMs of REPEAT_AFTER_MS)
      setTimeout(() => {
        if (transport.state === 'connecting' && dtls.dtls.flight === flight)
          void send(renewed(data)).catch(() => undefined);
      }, afterMs).unref();
  };
}

/** Gives each record a number that was never sent before (RFC 6347 §4.1.2.6), what is encrypted as well. */
function freshRecords(dtls: Dtls): (data: Buffer) => Buffer {
  let plain = 0;
  let encrypted = 0;
  const { cipher } = dtls;
  const encrypt = cipher.encryptPacket.bind(cipher);
  /** The Finished, the only message of a handshake that is encrypted. */
  let finished: Parameters<typeof encrypt>[0] | null = null;
  cipher.encryptPacket = (packet) => {
    const { recordLayerHeader, fragment } = packet;
    if (recordLayerHeader.contentType === HANDSHAKE)
      finished = Object.assign(Object.create(Object.getPrototypeOf(packet) as object) as typeof packet, {
        recordLayerHeader: { ...recordLayerHeader },
        fragment,
      });
    return encrypt(packet);
  };
  const encryptedAnew = (data: Buffer): Buffer => {
    if (finished === null) return data;
    // encrypting puts the result in the place of what was encrypted
    const { recordLayerHeader, fragment } = finished;
    const number = { sequenceNumber: encrypted++, contentLen: fragment.length };
    const again = Object.assign(Object.create(Object.getPrototypeOf(finished) as object) as typeof finished, {
      recordLayerHeader: { ...recordLayerHeader, ...number },
      fragment,
    });
    return encrypt(again).serialize();
  };
  return (data) => {
    if (data.readUInt16BE(3) > 0) return encryptedAnew(data);
    const fresh = Buffer.from(data);
    for (let at = 0; at + RECORD_HEAD_BYTES <= fresh.length;) {
      fresh.writeUIntBE(plain++, at + 5, 6);
      at += RECORD_HEAD_BYTES + fresh.readUInt16BE(at + 11);
    }
    return fresh;
  };
}

/** Messages in the order of their numbers, each once (RFC 6347 §4.2.2). */
function takeInOrder(dtls: Dtls): void {
  const take = dtls.onHandleHandshakes;
  const early = new Map<number, Parameters<typeof take>[0][number]>();
  let next = 0;
  dtls.onHandleHandshakes = async (messages) => {
    for (const message of messages) if (message.message_seq >= next) early.set(message.message_seq, message);
    const ready: typeof messages = [];
    for (let message = early.get(next); message !== undefined; message = early.get(next)) {
      early.delete(next);
      next += 1;
      ready.push(message);
    }
    if (ready.length > 0) await take(ready);
  };
}
