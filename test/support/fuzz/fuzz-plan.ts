/**
 * How long and from which seed a fuzz test runs. In the suites: little, and the same every time. `make fuzz` sets
 * FUZZ_FACTOR, and a seed of its own unless FUZZ_SEED repeats one.
 */
const FACTOR = Number(process.env['FUZZ_FACTOR'] ?? 1);

export const FUZZ_SEED = Number(process.env['FUZZ_SEED'] ?? 4475);

/** For mocha's timeout: a longer run may take longer. */
export function fuzzTimeoutMs(baseMs: number): number {
  return baseMs * Math.max(1, FACTOR);
}

export function fuzzRuns(base: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Math.ceil(base * FACTOR), seed: FUZZ_SEED };
}
