/** How much waits, as numbers for monitoring; and deliveries that have been kept for long enough. */
import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { DeliveryQueue } from '../../ports/webhook-store.ts';

const COUNT_EVERY_MS = 10_000;
const DROP_EVERY_MS = 600_000;

export interface UpkeepPorts {
  readonly queue: Pick<DeliveryQueue, 'backlog' | 'drop'>;
  /** How long the log of deliveries goes back. */
  readonly kept: { readonly deliveredMs: number; readonly failedMs: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Begins now; a failure is logged and tried again next time. Returns how to stop it. */
export function keepWebhooks({ queue, kept, clock, log, metrics }: UpkeepPorts): () => void {
  const cancels: Record<'count' | 'drop', () => void> = { count: () => undefined, drop: () => undefined };
  let isStopped = false;
  const repeat = async (name: 'count' | 'drop', everyMs: number, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      log.debug('the upkeep of webhooks failed; it is tried again', { name, error: String(error) });
    }
    if (!isStopped)
      cancels[name] = clock.at((clock.now() + everyMs) as Instant, () => void repeat(name, everyMs, work));
  };
  void repeat('count', COUNT_EVERY_MS, async () => {
    const { outbox, untried, retrying, oldestUntriedAt } = await queue.backlog();
    metrics.gauge('hamrahi_webhook_backlog', outbox, { of: 'outbox' });
    metrics.gauge('hamrahi_webhook_backlog', untried, { of: 'untried' });
    metrics.gauge('hamrahi_webhook_backlog', retrying, { of: 'retrying' });
    const ageMs = oldestUntriedAt === null ? 0 : Math.max(0, clock.now() - oldestUntriedAt);
    metrics.gauge('hamrahi_webhook_oldest_untried_ms', ageMs);
  });
  void repeat('drop', DROP_EVERY_MS, async () => {
    const now = clock.now();
    const dropped = await queue.drop((now - kept.deliveredMs) as Instant, (now - kept.failedMs) as Instant);
    if (dropped > 0) log.info('cleared away', { deliveries: dropped });
  });
  return () => {
    isStopped = true;
    for (const cancel of Object.values(cancels)) cancel();
  };
}
