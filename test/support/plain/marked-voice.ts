/**
 * A voice whose every packet says whose it is: Opus with a mark in the padding that decoders skip (RFC 6716 §3.2.5).
 * Asterisk hands Opus on between two Opus legs as it came, so the mark that was sent is the mark that arrives, and a
 * packet that has crossed into another session is seen as such, one by one.
 */
import { opusLoop } from '../../../control-plane/client/headless/tone-track.ts';

/** What one packet says of itself. */
export interface Mark {
  /** The speaker's number, from 0. */
  readonly speaker: number;
  /** The packet's number in her stream, from 0. */
  readonly number: number;
  /** When it was sent, wall-clock milliseconds, to a hundredth. */
  readonly sentAt: number;
}

const MAGIC = 0x48_52_4d_4b;
const MARK_BYTES = 18;
/** TOC, frame count, padding length; the frame follows, then the padding. */
const HEAD_BYTES = 3;
const FRAMES_IN_PACKET = 0x03;
/** Constant bit rate, padding follows, one frame. */
const ONE_PADDED_FRAME = 0x41;

/** One second of a tone (50 packets of 20 ms), each with room for a mark. */
export async function markableLoop(toneHz: number): Promise<readonly Buffer[]> {
  return (await opusLoop(toneHz)).map(withRoom);
}

/** A packet of one frame (code 0) as one of code 3 with padding. */
export function withRoom(packet: Uint8Array): Buffer {
  const toc = packet[0] ?? 0;
  if ((toc & FRAMES_IN_PACKET) !== 0) throw new Error('the encoder was to put one frame into a packet');
  const frame = packet.subarray(1);
  const roomy = Buffer.alloc(HEAD_BYTES + frame.length + MARK_BYTES);
  roomy.set([toc | FRAMES_IN_PACKET, ONE_PADDED_FRAME, MARK_BYTES]);
  roomy.set(frame, HEAD_BYTES);
  return roomy;
}

/** Writes a mark over the one that the packet has. */
export function writeMark(packet: Buffer, { speaker, number, sentAt }: Mark): void {
  const at = packet.length - MARK_BYTES;
  packet.writeUInt32BE(MAGIC, at);
  packet.writeUInt16BE(speaker, at + 4);
  packet.writeUInt32BE(number >>> 0, at + 6);
  packet.writeDoubleBE(sentAt, at + 10);
}

/** `null`: a packet without a mark, of somebody else or made anew on the way. */
export function readMark(payload: Buffer): Mark | null {
  const at = payload.length - MARK_BYTES;
  if (at < HEAD_BYTES || payload.readUInt32BE(at) !== MAGIC) return null;
  return {
    speaker: payload.readUInt16BE(at + 4),
    number: payload.readUInt32BE(at + 6),
    sentAt: payload.readDoubleBE(at + 10),
  };
}
