/**
 * Short-time objective intelligibility (Taal, Hendriks, Heusdens, Jensen: IEEE TASLP 19(7), 2011): how well the
 * loudness of fifteen bands of speech, over 384 ms at a time, follows that of the undamaged speech. 1: perfectly. Above
 * 0.9 listeners understand practically every word.
 */
import { HEARD_HZ } from './speech.ts';

const WINDOW = 410;
const HOP = WINDOW / 2;
const FFT = 512;
const BANDS = 15;
const LOWEST_HZ = 150;
const SEGMENT_FRAMES = 30;
/** Frames this far below the loudest are silence and say nothing. */
const SILENCE_DB = 40;
/** A band may be at most so much louder than it ought to: β = −15 dB. */
const CLIP = 1 + 10 ** (15 / 20);

export function intelligibility(clean: Float64Array, heard: Float64Array): number {
  const frames = loudFrames(clean);
  const [x, y] = [bandsOf(clean, frames), bandsOf(heard, frames)];
  let sum = 0;
  let count = 0;
  for (let end = SEGMENT_FRAMES; end <= frames.length; end += 1)
    for (let band = 0; band < BANDS; band += 1) {
      const cut = (bands: readonly Float64Array[]): number[] =>
        bands.slice(end - SEGMENT_FRAMES, end).map((frame) => frame[band] ?? 0);
      sum += likeness(cut(x), cut(y));
      count += 1;
    }
  if (count === 0) throw new Error('too short to judge');
  return sum / count;
}

/** Where the frames begin in which somebody speaks. */
function loudFrames(clean: Float64Array): readonly number[] {
  const starts = Array.from({ length: Math.floor((clean.length - WINDOW) / HOP) }, (_, index) => index * HOP);
  const levels = starts.map((start) => 10 * Math.log10(energy(clean.subarray(start, start + WINDOW)) + 1e-9));
  const loudest = Math.max(...levels);
  return starts.filter((_, index) => (levels[index] ?? 0) > loudest - SILENCE_DB);
}

function likeness(x: readonly number[], y: readonly number[]): number {
  const scale = Math.sqrt(energy(x) / (energy(y) + 1e-12));
  const clipped = y.map((value, index) => Math.min(scale * value, CLIP * (x[index] ?? 0)));
  return correlation(x, clipped);
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [mean(x), mean(y)];
  const [dx, dy] = [x.map((value) => value - meanX), y.map((value) => value - meanY)];
  const product = dx.reduce((sum, value, index) => sum + value * (dy[index] ?? 0), 0);
  return product / (Math.sqrt(energy(dx) * energy(dy)) + 1e-12);
}

function bandsOf(sound: Float64Array, starts: readonly number[]): readonly Float64Array[] {
  return starts.map((start) => {
    const power = spectrum(sound.subarray(start, start + WINDOW));
    return Float64Array.from({ length: BANDS }, (_, band) => {
      const centreHz = LOWEST_HZ * 2 ** (band / 3);
      const from = Math.round((centreHz * 2 ** (-1 / 6) * FFT) / HEARD_HZ);
      const to = Math.round((centreHz * 2 ** (1 / 6) * FFT) / HEARD_HZ);
      return Math.sqrt(power.subarray(from, Math.max(to, from + 1)).reduce((sum, value) => sum + value, 0));
    });
  });
}

/** Power of the lower half of the spectrum: Hann window, then a Fourier transform by halves. */
function spectrum(frame: Float64Array): Float64Array {
  const re = new Float64Array(FFT);
  const im = new Float64Array(FFT);
  for (let index = 0; index < frame.length; index += 1)
    re[index] = (frame[index] ?? 0) * 0.5 * (1 - Math.cos((2 * Math.PI * (index + 1)) / (WINDOW + 1)));
  transform(re, im);
  return Float64Array.from({ length: FFT / 2 }, (_, bin) => (re[bin] ?? 0) ** 2 + (im[bin] ?? 0) ** 2);
}

function transform(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  if (size === 1) return;
  const pick = (from: Float64Array, odd: number): Float64Array =>
    Float64Array.from({ length: size / 2 }, (_, index) => from[2 * index + odd] ?? 0);
  const [evenRe, evenIm, oddRe, oddIm] = [pick(re, 0), pick(im, 0), pick(re, 1), pick(im, 1)];
  transform(evenRe, evenIm);
  transform(oddRe, oddIm);
  for (let bin = 0; bin < size / 2; bin += 1) {
    const angle = (-2 * Math.PI * bin) / size;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const turnedRe = cos * (oddRe[bin] ?? 0) - sin * (oddIm[bin] ?? 0);
    const turnedIm = cos * (oddIm[bin] ?? 0) + sin * (oddRe[bin] ?? 0);
    re[bin] = (evenRe[bin] ?? 0) + turnedRe;
    im[bin] = (evenIm[bin] ?? 0) + turnedIm;
    re[bin + size / 2] = (evenRe[bin] ?? 0) - turnedRe;
    im[bin + size / 2] = (evenIm[bin] ?? 0) - turnedIm;
  }
}

function energy(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += (values[index] ?? 0) ** 2;
  return sum;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
