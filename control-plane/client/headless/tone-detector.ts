/**
 * Tells which of some known tones, if any, a stream of PCM samples carries now.
 *
 * The last `windowMs` of sound are judged four times per window. Goertzel's recurrence gives each candidate's
 * share of the window's whole energy; the strongest one is *the tone* when it holds at least `minimumShare`
 * of it. So speech and noise are `sound` and no tone, however loud, and a tone is found however soft, down to
 * `silenceDbfs`. The onset is known to about half a window.
 *
 * Pure: no clock. Time is counted in samples since the start (or the last reset).
 */
export interface ToneDetectorOptions {
  readonly sampleRateHz: number;
  readonly candidatesHz: readonly number[];
  /** Default 40. Candidates must lie at least half of 1000 / windowMs Hz apart. */
  readonly windowMs?: number;
  /** Below this level nothing is looked for. Default −50. */
  readonly silenceDbfs?: number;
  /** Default 0.6. */
  readonly minimumShare?: number;
}

/** Levels are dBFS where a full-scale sine is 0; digital silence is −Infinity. */
export type HeardSound =
  | { readonly kind: 'silence'; readonly levelDbfs: number; readonly sinceSample: number }
  | { readonly kind: 'sound'; readonly levelDbfs: number; readonly sinceSample: number }
  | {
      readonly kind: 'tone';
      readonly hz: number;
      /** The tone's part of the energy, 0 to 1. */
      readonly share: number;
      readonly levelDbfs: number;
      readonly sinceSample: number;
    };

export interface ToneDetector {
  /** Takes any number of samples; returns what changed while they passed, oldest first. */
  push(samples: Int16Array): readonly HeardSound[];
  /** What is heard now; silence until the first window is full. */
  current(): HeardSound;
  /** Samples pushed since the start. */
  samples(): number;
  /** Forgets the window (after a gap in the stream), and goes back to silence. The sample count runs on. */
  reset(): void;
}

const FULL_SCALE_SINE_POWER = 32_768 ** 2 / 2;
const HOPS_PER_WINDOW = 4;

export function createToneDetector(options: ToneDetectorOptions): ToneDetector {
  const { sampleRateHz, candidatesHz, windowMs = 40, silenceDbfs = -50, minimumShare = 0.6 } = options;
  const hop = Math.round((sampleRateHz * windowMs) / 1000 / HOPS_PER_WINDOW);
  if (hop < 1) throw new RangeError('the window is shorter than four samples');
  const size = hop * HOPS_PER_WINDOW;
  const coefficients = candidatesHz.map((hz) => {
    if (hz <= 0 || hz >= sampleRateHz / 2) throw new RangeError(`no tone of ${hz} Hz at ${sampleRateHz} Hz`);
    return { hz, factor: 2 * Math.cos((2 * Math.PI * hz) / sampleRateHz) };
  });
  const window = new Float64Array(size);
  let filled = 0;
  let total = 0;
  let heard: HeardSound = { kind: 'silence', levelDbfs: -Infinity, sinceSample: 0 };

  /** Judges the full window, which ends at sample `total`. */
  const judge = (): HeardSound => {
    const power = meanSquare(window);
    const levelDbfs = 10 * Math.log10(power / FULL_SCALE_SINE_POWER);
    if (levelDbfs < silenceDbfs) return { kind: 'silence', levelDbfs, sinceSample: total };
    let hz = 0;
    let share = 0;
    for (const candidate of coefficients) {
      const itsShare = goertzelPower(window, candidate.factor) / power;
      if (itsShare > share) ({ hz, share } = { hz: candidate.hz, share: itsShare });
    }
    if (share < minimumShare) return { kind: 'sound', levelDbfs, sinceSample: total };
    return { kind: 'tone', hz, share: Math.min(share, 1), levelDbfs, sinceSample: total - size + hop };
  };

  return {
    push(samples) {
      const changes: HeardSound[] = [];
      let taken = 0;
      while (taken < samples.length) {
        const part = samples.subarray(taken, taken + size - filled);
        window.set(part, filled);
        filled += part.length;
        taken += part.length;
        total += part.length;
        if (filled < size) break;
        const now = judge();
        const same = isSame(heard, now);
        heard = same ? { ...now, sinceSample: heard.sinceSample } : now;
        if (!same) changes.push(heard);
        window.copyWithin(0, hop);
        filled = size - hop;
      }
      return changes;
    },
    current: () => heard,
    samples: () => total,
    reset() {
      filled = 0;
      heard = { kind: 'silence', levelDbfs: -Infinity, sinceSample: total };
    },
  };
}

function isSame(one: HeardSound, other: HeardSound): boolean {
  if (one.kind === 'tone' && other.kind === 'tone') return one.hz === other.hz;
  return one.kind === other.kind;
}

function meanSquare(window: Float64Array): number {
  let sum = 0;
  for (const sample of window) sum += sample * sample;
  return sum / window.length;
}

/** The mean square of the sine of this frequency in the window; `factor` is 2·cos(2π·hz/rate). */
function goertzelPower(window: Float64Array, factor: number): number {
  let previous = 0;
  let beforePrevious = 0;
  for (const sample of window) {
    const now = sample + factor * previous - beforePrevious;
    beforePrevious = previous;
    previous = now;
  }
  const magnitude = previous ** 2 + beforePrevious ** 2 - factor * previous * beforePrevious;
  return (2 * magnitude) / window.length ** 2;
}
