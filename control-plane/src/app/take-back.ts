/** Another process commands the engine in our name: one of the two must stop, and the lease says which. */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseCheck } from '../ports/lease.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { PbxDriver } from '../ports/pbx-driver.ts';

/** Two that both believe to be right (they have two databases) must not wear the engine out. */
const WAIT_MS = 500;

interface TakeBackPorts {
  readonly pbx: PbxDriver;
  readonly lease: LeaseCheck;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Nothing is commanded meanwhile. Who still holds the lease takes the engine back; who does not is fenced, and ends.
 * While nobody can be asked, the other is believed: it may well be the one that can.
 */
export async function takeBack(
  { pbx, lease, clock, log, metrics }: TakeBackPorts,
  deadlineMs: number,
): Promise<void> {
  metrics.count('hamrahi_core_engine_replaced_total');
  log.error('Another process commands the engine in our name.', { code: 'ERR_PBX_REPLACED' });
  for (;;) {
    await new Promise<void>((resolve) => {
      clock.at((clock.now() + WAIT_MS) as Instant, resolve);
    });
    const verdict = await lease.verify();
    if (verdict === 'fenced') return;
    if (verdict === 'held') break;
  }
  log.error('This node holds the lease: it takes the engine back from whoever has it.', {
    code: 'ERR_PBX_REPLACED',
  });
  await pbx.start(deadlineMs);
}
