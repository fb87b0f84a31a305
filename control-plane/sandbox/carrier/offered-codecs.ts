/** One audio format of an SDP offer, in the offer's order of preference. */
export interface OfferedCodec {
  readonly payloadType: number;
  /** As in rtpmap, upper case: "PCMA", "TELEPHONE-EVENT". */
  readonly name: string;
  readonly clockRateHz: number;
}

/** Payload types that need no rtpmap line (RFC 3551 §6), as far as telephones use them. */
const STATIC_TYPES: Readonly<Record<number, { name: string; clockRateHz: number }>> = {
  0: { name: 'PCMU', clockRateHz: 8_000 },
  3: { name: 'GSM', clockRateHz: 8_000 },
  8: { name: 'PCMA', clockRateHz: 8_000 },
  9: { name: 'G722', clockRateHz: 8_000 },
  13: { name: 'CN', clockRateHz: 8_000 },
  18: { name: 'G729', clockRateHz: 8_000 },
};

/** The formats of the first audio line, in order; empty without one. */
export function offeredCodecs(sdp: string): OfferedCodec[] {
  const lines = sdp.split(/\r?\n/);
  const types = /^m=audio \d+ \S+ ([\d ]+)$/.exec(
    lines.find((line) => line.startsWith('m=audio ')) ?? '',
  )?.[1];
  if (types === undefined) return [];
  const mapped = new Map<number, { name: string; clockRateHz: number }>();
  for (const line of lines) {
    const map = /^a=rtpmap:(\d+) ([^/]+)\/(\d+)/.exec(line);
    if (map !== null)
      mapped.set(Number(map[1]), { name: (map[2] ?? '').toUpperCase(), clockRateHz: Number(map[3]) });
  }
  return types
    .trim()
    .split(/ +/)
    .map(Number)
    .map((payloadType) => ({
      payloadType,
      ...(mapped.get(payloadType) ?? STATIC_TYPES[payloadType] ?? { name: 'UNKNOWN', clockRateHz: 0 }),
    }));
}

/** `sendrecv` unless the SDP says otherwise (RFC 3264 §5.1). */
export function offeredDirection(sdp: string): 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' {
  const found = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(sdp)?.[1];
  return (found as 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' | undefined) ?? 'sendrecv';
}
