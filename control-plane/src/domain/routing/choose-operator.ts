/** Who takes a session: free, present, least loaded, then longest idle. */
import type { AddressOfRecord, Instant, OperatorId } from '../ids.ts';

export interface FreeOperator {
  readonly operatorId: OperatorId;
  /** The client on shift whose SIP contact is registered; `null` when absent. */
  readonly aor: AddressOfRecord | null;
  readonly capacity: number;
  /** Open sessions assigned now, and those that are being handed over to him. */
  readonly load: number;
  readonly idleSince: Instant;
  /** Roster order inside the zone, lowest first. */
  readonly priority: number;
}

function byChoice(a: FreeOperator, b: FreeOperator): number {
  return (
    a.priority - b.priority ||
    a.load - b.load ||
    a.idleSince - b.idleSince ||
    (a.operatorId < b.operatorId ? -1 : 1)
  );
}

/**
 * The operator and client to assign, or `null` when nobody present has room. `exclude`: tried in this round. `waiting`: so
 * many waited before; who comes last takes nobody's place, and is given one only where room is left for all of them.
 */
export function chooseOperator(
  candidates: readonly FreeOperator[],
  exclude: readonly OperatorId[],
  waiting = 0,
): { readonly operatorId: OperatorId; readonly aor: AddressOfRecord } | null {
  const free = candidates.filter(
    (one) => one.aor !== null && one.load < one.capacity && !exclude.includes(one.operatorId),
  );
  const room = free.reduce((sum, { capacity, load }) => sum + capacity - load, 0);
  if (room <= waiting) return null;
  const best = free.toSorted(byChoice)[0];
  return best?.aor ? { operatorId: best.operatorId, aor: best.aor } : null;
}

/**
 * Who takes her over from another operator: with room, not among `exclude`, and `to` if one is named. By `panel` one
 * that is there; by `phone` one of `phones` (operators who have a duty phone), there or not.
 */
export function chooseSuccessor(
  candidates: readonly FreeOperator[],
  wish: {
    readonly to: OperatorId | null;
    readonly by: 'panel' | 'phone';
    readonly exclude: readonly OperatorId[];
    readonly phones: readonly OperatorId[];
  },
): { readonly operatorId: OperatorId; readonly aor: AddressOfRecord | null } | null {
  const { to, by, exclude, phones } = wish;
  const best = candidates
    .filter((one) => (to === null || one.operatorId === to) && !exclude.includes(one.operatorId))
    .filter((one) => one.load < one.capacity)
    .filter((one) => (by === 'panel' ? one.aor !== null : phones.includes(one.operatorId)))
    .toSorted(byChoice)[0];
  return best ? { operatorId: best.operatorId, aor: by === 'panel' ? best.aor : null } : null;
}
