/** Frames of a WebSocket as the byte strings that `domain/sip` reads, and back. */
import { isUtf8 } from 'node:buffer';
import type { RawData, WebSocket } from 'ws';

/** RFC 5626 §4.4.1: a client's keep-alive, and the answer to it. */
export const KEEP_ALIVE_PING = '\r\n\r\n';
export const KEEP_ALIVE_PONG = '\r\n';

/** The frame's bytes, or `null` for a binary one that could not travel on as text. */
export function frameBytes(data: RawData, isBinary: boolean): string | null {
  // `nodebuffer`, the default binary type, makes every message one Buffer.
  const buffer = data as Buffer;
  return isBinary && !isUtf8(buffer) ? null : buffer.toString('latin1');
}

/** Writes one text frame; `written` is called once the system has taken it. */
export function writeFrame(socket: WebSocket, bytes: string, written?: () => void): void {
  socket.send(Buffer.from(bytes, 'latin1'), { binary: false }, (error) => {
    if (!error) written?.();
  });
}
