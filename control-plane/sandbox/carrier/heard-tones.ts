import { createToneDetector } from '../../client/headless/tone-detector.ts';
import { LISTEN_TONES_HZ } from '../audio/tones.ts';
import type { CallReport, HeardTone } from './report-schema.ts';

/** What one phone heard: its audio as it arrived, told as a list of tones with their times. */
export interface HeardTones {
  /** Samples at 8 kHz whose last one arrived at `arrivedAtMs` (epoch). */
  push(samples: Int16Array, arrivedAtMs: number): void;
  /** Oldest first, at most MAX_TONES of the latest. */
  tones(): HeardTone[];
  audio(): NonNullable<CallReport['audio']>;
}

const SAMPLES_PER_MS = 8;
/** No packet for so long: what was heard has ended. */
const GAP_MS = 100;
/** A tone that comes back within this time never went (a lost packet, a jump of its phase). */
const MERGE_MS = 100;
const MAX_TONES = 64;

/** `onChange` is called when a tone begins or ends. */
export function createHeardTones(onChange: () => void): HeardTones {
  const detector = createToneDetector({ sampleRateHz: 8_000, candidatesHz: LISTEN_TONES_HZ });
  const tones: HeardTone[] = [];
  let open: HeardTone | undefined;
  let frames = 0;
  let firstAt: number | null = null;
  let lastAt: number | null = null;

  const end = (atMs: number): void => {
    if (open === undefined) return;
    open.toMs = atMs;
    open = undefined;
    onChange();
  };
  const begin = (hz: number, atMs: number, levelDbfs: number): void => {
    const last = tones.at(-1);
    if (last?.hz === hz && last.toMs !== null && atMs - last.toMs < MERGE_MS) {
      last.toMs = null;
      open = last;
    } else {
      open = { hz, fromMs: atMs, toMs: null, levelDbfs };
      tones.push(open);
      if (tones.length > MAX_TONES) tones.shift();
    }
    onChange();
  };

  return {
    push(samples, arrivedAtMs) {
      if (lastAt !== null && arrivedAtMs - lastAt > GAP_MS) {
        end(lastAt);
        detector.reset();
      }
      frames += 1;
      firstAt ??= arrivedAtMs;
      lastAt = arrivedAtMs;
      for (const change of detector.push(samples)) {
        const atMs = arrivedAtMs - (detector.samples() - change.sinceSample) / SAMPLES_PER_MS;
        end(atMs);
        if (change.kind === 'tone') begin(change.hz, atMs, change.levelDbfs);
      }
      if (open !== undefined) open.levelDbfs = Math.max(open.levelDbfs, detector.current().levelDbfs);
    },
    tones() {
      const silentSinceMs = lastAt !== null && nowMs() - lastAt > GAP_MS ? lastAt : null;
      return tones.map((tone) => ({ ...tone, toMs: tone.toMs ?? silentSinceMs }));
    },
    audio() {
      const { levelDbfs } = detector.current();
      return { frames, firstAt, lastAt, levelDbfs: Number.isFinite(levelDbfs) ? levelDbfs : null };
    },
  };
}

/** The wall clock with a fraction: what all times of the carrier's report are read from. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
