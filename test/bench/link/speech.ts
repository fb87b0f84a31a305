/**
 * Thirty seconds that behave like speech, and what is left of them at the other end. The signal has a voice's pitch,
 * formants that move, hisses between, and four syllables a second: what intelligibility is measured on.
 */
import { Application, createDecoder, createEncoder } from 'libopus-wasm';

const ENCODER_HZ = 48_000;
export const HEARD_HZ = 16_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (ENCODER_HZ * FRAME_MS) / 1000;
const FRAMES_PER_S = 1000 / FRAME_MS;
const SYLLABLES_PER_S = 4;

/** A small generator (mulberry32): both ends make the same signal. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Syllable {
  readonly pitchHz: number;
  readonly formantsHz: readonly number[];
  readonly hiss: number;
}

/** The whole signal as Opus packets of 20 ms, one frame each. The same for the same length, in every process. */
export async function spokenPackets(seconds: number): Promise<readonly Uint8Array[]> {
  const encoder = await createEncoder({
    channels: 1,
    sampleRate: ENCODER_HZ,
    application: Application.Voip,
    frameSize: FRAME_SAMPLES,
  });
  const random = randomFrom(7);
  const syllables = Array.from({ length: seconds * SYLLABLES_PER_S + 1 }, (): Syllable => ({
    pitchHz: 160 + 80 * random(),
    formantsHz: [300 + 500 * random(), 900 + 1400 * random(), 2400 + 900 * random()],
    hiss: random() < 0.35 ? 0.5 : 0.03,
  }));
  const packets: Uint8Array[] = [];
  for (let frame = 0; frame < seconds * FRAMES_PER_S; frame += 1) {
    const pcm = Int16Array.from({ length: FRAME_SAMPLES }, (_, index) =>
      sampleAt((frame * FRAME_SAMPLES + index) / ENCODER_HZ, syllables, random),
    );
    packets.push(encoder.encode(pcm).slice());
  }
  encoder.free();
  return packets;
}

function sampleAt(seconds: number, syllables: readonly Syllable[], random: () => number): number {
  const place = seconds * SYLLABLES_PER_S;
  const syllable = syllables[Math.floor(place)];
  if (syllable === undefined) return 0;
  const loudness = Math.sin(Math.PI * (place % 1)) ** 2;
  let voice = 0;
  for (let harmonic = 1; harmonic * syllable.pitchHz < 4_000; harmonic += 1) {
    const hz = harmonic * syllable.pitchHz;
    const gain = syllable.formantsHz.reduce(
      (sum, formant) => sum + 1 / (1 + ((hz - formant) / 120) ** 2),
      0.02,
    );
    voice += gain * Math.sin(2 * Math.PI * hz * seconds);
  }
  return Math.round(3_000 * loudness * (voice + syllable.hiss * (2 * random() - 1)));
}

/** As a listener's decoder makes it; `null` frames did not come in time and are concealed. */
export async function decoded(packets: readonly (Uint8Array | null)[]): Promise<Float64Array> {
  const decoder = await createDecoder({ channels: 1, sampleRate: HEARD_HZ });
  const frameSamples = (HEARD_HZ * FRAME_MS) / 1000;
  const sound = new Float64Array(packets.length * frameSamples);
  for (const [index, packet] of packets.entries()) {
    const pcm = packet === null ? decoder.decodePacketLoss(frameSamples) : decoder.decode(packet);
    sound.set(Float64Array.from(pcm).subarray(0, frameSamples), index * frameSamples);
  }
  decoder.free();
  return sound;
}
