/** Waiting for a state of the world that no event announces. */
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_AGAIN_MS = 20;

/** The first value that is not `null`; throws with `what` after `deadlineMs`. */
export async function eventually<Value>(
  what: string,
  look: () => Value | null | Promise<Value | null>,
  deadlineMs = 10_000,
): Promise<Value> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(LOOK_AGAIN_MS);
  }
}
