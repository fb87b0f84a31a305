/** Random sequences of everything that may happen to one call (test/model/call-world.ts). */
import { expect } from 'chai';
import fc from 'fast-check';
import { CallWorld, finishCall, takeCallStep } from '../../../model/call-world.ts';

const SEQUENCES = 10_000;

function walk([first = 0, ...steps]: readonly number[]): void {
  const world = new CallWorld(first);
  try {
    for (const step of steps) takeCallStep(world, step);
    finishCall(world);
  } catch (error) {
    if (error instanceof Error) error.message += `\nafter: ${world.trace.join(' | ')}`;
    throw error;
  }
}

describe('domain/call/reduce-call (model)', () => {
  it('TEL-10 always ends, never calls one party twice at once, never joins a dead leg, tells of its end once', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 0x7fff_ffff }), {
      minLength: 3,
      maxLength: 50,
      size: 'max',
    });
    const result = fc.check(fc.property(steps, walk), { numRuns: SEQUENCES });
    const why = result.failed ? (result.errorInstance as Error).message : null;
    expect(why, `seed ${String(result.seed)}`).to.equal(null);
    expect(result.numRuns).to.equal(SEQUENCES);
  }).timeout(60_000);
});
