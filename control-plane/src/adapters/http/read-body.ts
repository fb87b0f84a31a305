/** A request's body in memory, up to a limit and a deadline. */
import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly kind: 'complete'; readonly bytes: Buffer }
  /** Longer than the limit; what came is thrown away. */
  | { readonly kind: 'too-large' }
  /** Not complete within the deadline. */
  | { readonly kind: 'late' }
  /** The client went before it was complete. */
  | { readonly kind: 'aborted' };

export const NO_BODY: ReadBody = { kind: 'complete', bytes: Buffer.alloc(0) };

/** What is still drained of a refused body, so that its sender gets to read the answer. */
const DRAIN_BYTES = 1_048_576;

export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  deadlineMs: number,
): Promise<ReadBody> {
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  if (declared === 0 || (Number.isNaN(declared) && request.headers['transfer-encoding'] === undefined))
    return Promise.resolve(NO_BODY);
  if (declared > limitBytes) {
    drain(request);
    return Promise.resolve({ kind: 'too-large' });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (result: ReadBody) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      if (result.kind !== 'complete') drain(request);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) finish({ kind: 'too-large' });
      else chunks.push(chunk);
    };
    const onEnd = () => finish({ kind: 'complete', bytes: Buffer.concat(chunks, length) });
    const onClose = () => finish({ kind: 'aborted' });
    const timer = setTimeout(() => finish({ kind: 'late' }), deadlineMs);
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function drain(request: IncomingMessage): void {
  let drained = 0;
  request.on('error', () => undefined);
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > DRAIN_BYTES) request.destroy();
  });
}

export type Json = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

/** The bytes as JSON in UTF-8 (RFC 8259 §8.1), a byte order mark ignored. */
export function parseJson(bytes: Buffer): Json {
  try {
    return {
      ok: true,
      value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown,
    };
  } catch {
    return { ok: false };
  }
}
