/** Master data with deadlines: a directory that hangs holds nobody up, and what is known of the roster serves meanwhile. */
import type { Directory } from '../../ports/directory.ts';
import type { DutyBook } from './duty-book.ts';
import { meansAway } from './store-watch.ts';
import type { StoreWatch } from './store-watch.ts';

/** On the way from SOS to sound, or to a call. */
const ONE_MS = 200;
const MANY_MS = 3000;

/** Changes need the store; what they change of the roster is known here before they are answered. */
export function enduringDirectory(directory: Directory, duty: DutyBook, watch: StoreWatch): Directory {
  const orKnown = async <T>(
    read: () => Promise<T>,
    known: () => T | null,
    deadlineMs: number,
  ): Promise<T> => {
    try {
      return await watch.attempt(read, deadlineMs);
    } catch (error) {
      const value = known();
      if (!meansAway(error) || value === null) throw error;
      return value;
    }
  };
  const noting = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    // The change stands all the same; the next reading brings it.
    await watch.attempt(() => duty.read(), MANY_MS).catch(() => undefined);
    return result;
  };
  return {
    ...directory,
    putOperator: (operator) => noting(directory.putOperator(operator)),
    deleteOperator: (id) => noting(directory.deleteOperator(id)),
    putRoster: (...roster) => noting(directory.putRoster(...roster)),
    citizen: (id) => watch.attempt(() => directory.citizen(id), ONE_MS),
    zones: () => watch.attempt(() => directory.zones(), MANY_MS),
    operator: (id) =>
      orKnown(
        () => directory.operator(id),
        () => duty.operator(id),
        ONE_MS,
      ),
    operators: (after, limit) => watch.attempt(() => directory.operators(after, limit), MANY_MS),
    roster: (zoneId) =>
      orKnown(
        () => directory.roster(zoneId),
        () => duty.roster().filter((entry) => zoneId === null || entry.zoneId === zoneId),
        MANY_MS,
      ),
  };
}
