/**
 * A microphone made of a tone: one second is encoded to Opus once and looped, so that sending costs nothing.
 * One timer serves every track of the process.
 */
import { Application, createEncoder } from 'libopus-wasm';
import { MediaStreamTrack, RtpHeader, RtpPacket } from 'werift';

export const SAMPLE_RATE_HZ = 48_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (SAMPLE_RATE_HZ * FRAME_MS) / 1000;
const FRAMES_PER_LOOP = 50;
/** −12 dBFS: loud, and far from clipping. */
const AMPLITUDE = 8_192;
/** A stalled process catches up with at most this many packets. */
const MAX_BURST = 10;

const loops = new Map<number, Promise<readonly Uint8Array[]>>();

/** One second of Opus packets (20 ms, mono) of this tone; 0 Hz is digital silence. A whole number of hertz loops smoothly. */
export function opusLoop(hz: number): Promise<readonly Uint8Array[]> {
  const known = loops.get(hz) ?? encodeLoop(hz);
  loops.set(hz, known);
  return known;
}

async function encodeLoop(hz: number): Promise<readonly Uint8Array[]> {
  const encoder = await createEncoder({
    channels: 1,
    sampleRate: SAMPLE_RATE_HZ,
    application: Application.Voip,
    frameSize: FRAME_SAMPLES,
  });
  const encodeFrame = (frame: number): Uint8Array => {
    const pcm = Int16Array.from({ length: FRAME_SAMPLES }, (_, index) => {
      const sample = frame * FRAME_SAMPLES + index;
      return Math.round(AMPLITUDE * Math.sin((2 * Math.PI * hz * sample) / SAMPLE_RATE_HZ));
    });
    return encoder.encode(pcm).slice();
  };
  // The first second only brings the encoder into its steady state.
  for (let frame = 0; frame < FRAMES_PER_LOOP; frame += 1) encodeFrame(frame);
  const packets = Array.from({ length: FRAMES_PER_LOOP }, (_, frame) => encodeFrame(frame));
  encoder.free();
  return packets;
}

interface Sender {
  readonly track: MediaStreamTrack;
  readonly packets: readonly Uint8Array[];
  sequence: number;
}

const senders = new Set<Sender>();
let timer: NodeJS.Timeout | undefined;
let dueAt = 0;

/** A track that sends from now on until it is stopped. */
export function createToneTrack(packets: readonly Uint8Array[]): MediaStreamTrack {
  const track = new MediaStreamTrack({ kind: 'audio' });
  const sender: Sender = { track, packets, sequence: 0 };
  senders.add(sender);
  if (timer === undefined) {
    dueAt = performance.now();
    timer = setInterval(tick, FRAME_MS);
  }
  const stop = track.stop;
  track.stop = () => {
    senders.delete(sender);
    if (senders.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    stop();
  };
  return track;
}

function tick(): void {
  const now = performance.now();
  if (now - dueAt > MAX_BURST * FRAME_MS) dueAt = now;
  for (; dueAt <= now; dueAt += FRAME_MS) for (const sender of senders) sendNext(sender);
}

function sendNext(sender: Sender): void {
  const payload = sender.packets[sender.sequence % sender.packets.length];
  if (payload === undefined) return;
  const header = new RtpHeader({
    payloadType: 96,
    sequenceNumber: sender.sequence & 0xffff,
    timestamp: (sender.sequence * FRAME_SAMPLES) >>> 0,
    marker: sender.sequence === 0,
  });
  sender.sequence += 1;
  sender.track.writeRtp(new RtpPacket(header, Buffer.from(payload)));
}
