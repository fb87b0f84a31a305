/** Walks random sequences until one breaks a promise. */
import fc from 'fast-check';
import { BrokenPromise } from './promises.ts';
import { beginWorld } from './session-world.ts';
import type { SessionWorld } from './session-world.ts';
import { bringTogether, hasVoice, takeStep } from './steps.ts';

const MAX_STEPS = 60;
const MIN_STEPS = 6;

export interface ModelRun {
  /** Sequences that were walked, the broken one included. */
  readonly sequences: number;
  readonly broken: { readonly rule: string; readonly message: string; readonly seed: number } | null;
}

/** The first number of a sequence says how it begins and how it ends. */
export function walk(steps: readonly number[]): void {
  const [first = 0, ...rest] = steps;
  const world = beginWorld(first);
  try {
    for (const step of rest) takeStep(world, step);
    finish(world, first);
  } catch (error) {
    if (error instanceof Error) error.message += `\nafter: ${world.trace.join(' | ')}`;
    throw error;
  }
}

function finish(world: SessionWorld, first: number): void {
  if ((first >> 8) % 3 === 0 && world.phase !== 'arming' && world.phase !== 'released') {
    bringTogether(world);
    if (!hasVoice(world))
      throw new BrokenPromise(
        'recovery',
        `everybody is willing, and after two minutes it is ${world.phase}: ${JSON.stringify([...world.channels.values()])}; ${JSON.stringify(world.session && 'legs' in world.session && world.session.legs.map((leg) => [leg.id.slice(37), leg.state, leg.ending]))}`,
      );
  }
  world.send({ type: 'api.resolved', by: 'operator:akram' });
  world.settle().reattach().settle();
  const { session, channels, timers } = world;
  const left = session && 'legs' in session ? session.legs : [];
  const isOver = world.phase === 'resolved' || world.phase === 'released';
  if (!isOver) throw new BrokenPromise('end', `resolved, and it is ${world.phase}`);
  if (timers.size > 0) throw new BrokenPromise('end', `a timer outlives it: ${[...timers.keys()].join()}`);
  if (left.length > 0 || channels.size > 0)
    throw new BrokenPromise('end', `legs outlive it: ${[...channels.keys()].join()}`);
  if (!world.orders.some((order) => order.type === 'pbx.remove-endpoint'))
    throw new BrokenPromise('end', 'the endpoint of her device stays');
}

export interface ModelOptions {
  /** The same seed walks the same sequences. */
  readonly seed?: number;
  /** A broken sequence is told as it is, not in its shortest form. */
  readonly asFound?: boolean;
}

export function runModel(sequences: number, { seed, asFound = false }: ModelOptions = {}): ModelRun {
  const result = fc.check(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 0x7fff_ffff }), {
        minLength: MIN_STEPS,
        maxLength: MAX_STEPS,
        size: 'max',
      }),
      walk,
    ),
    { numRuns: sequences, endOnFailure: asFound, ...(seed === undefined ? {} : { seed }) },
  );
  if (!result.failed) return { sequences: result.numRuns, broken: null };
  const error = result.errorInstance;
  return {
    sequences: result.numRuns,
    broken: {
      rule: error instanceof BrokenPromise ? error.rule : 'threw',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      seed: result.seed,
    },
  };
}
