/** A TCP connection that says what a test wants, at the pace that it wants. */
import { connect } from 'node:net';

export interface RawEnd {
  /** Everything that came back. */
  readonly text: string;
  readonly afterMs: number;
}

/** Says `beginning`, then one more byte every `paceMs`; resolves when the other side ends it, rejects after `deadlineMs`. */
export function dripInto(
  url: string,
  beginning: string,
  paceMs: number,
  deadlineMs: number,
): Promise<RawEnd> {
  const { hostname, port } = new URL(url);
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(beginning));
    const drip = setInterval(() => socket.write('x'), paceMs);
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`still open after ${deadlineMs} ms`));
    }, deadlineMs);
    socket.on('data', (chunk) => (text += chunk.toString('utf8')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(drip);
      clearTimeout(deadline);
      resolve({ text, afterMs: performance.now() - startedAt });
    });
  });
}
