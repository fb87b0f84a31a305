/** The few words of SDP (RFC 8866) that a client reads or changes. */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/**
 * Takes Opus' discontinuous transmission out (RFC 7587 `usedtx`): with it a quiet room sends no packets, and a
 * stream that sends no packets looks lost.
 */
export function withoutDtx(sdp: string): string {
  return sdp
    .split('\r\n')
    .map((line) => {
      const fmtp = /^(a=fmtp:\d+) (.*)$/.exec(line);
      if (fmtp?.[1] === undefined || fmtp[2] === undefined) return line;
      const kept = fmtp[2].split(';').filter((parameter) => !/^\s*usedtx\s*=/i.test(parameter));
      return kept.length === 0 ? null : `${fmtp[1]} ${kept.join(';').trim()}`;
    })
    .filter((line) => line !== null)
    .join('\r\n');
}

/** The direction of the first audio section; `sendrecv` where none is named (RFC 8866 §6.7). */
export function audioDirection(sdp: string): Direction {
  const [session = '', ...media] = sdp.split(/\r?\n(?=m=)/);
  const audio = media.find((section) => section.startsWith('m=audio')) ?? '';
  const named = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m;
  return ((named.exec(audio) ?? named.exec(session))?.[1] ?? 'sendrecv') as Direction;
}
