/** What is cleared away of calls from time to time: numbers and metadata past their time, old keys. */
import type { Instant } from '../../domain/ids.ts';
import type { CallStore } from '../../ports/call-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

const EVERY_MS = 600_000;

/** Now and every ten minutes; a failure is logged and tried again next time. Returns how to stop it. */
export function keepCallHouse(
  store: Pick<CallStore, 'dropPersonalBefore' | 'dropExpiredKeys'>,
  clock: Clock,
  log: Log,
  personalKeptMs: number | null,
): () => void {
  let cancel: () => void = () => undefined;
  const round = async (): Promise<void> => {
    const now = clock.now();
    try {
      const keys = await store.dropExpiredKeys(now);
      const personal =
        personalKeptMs === null ? 0 : await store.dropPersonalBefore((now - personalKeptMs) as Instant);
      if (keys + personal > 0) log.info('cleared away of calls', { keys, personal });
    } catch (error) {
      log.warn('clearing away of calls failed; it is tried again', { error: String(error) });
    }
  };
  const next = (): void => {
    void round();
    cancel = clock.at((clock.now() + EVERY_MS) as Instant, next);
  };
  next();
  return () => {
    cancel();
  };
}
