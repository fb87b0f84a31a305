/** Who takes a session: free, present, least loaded, then longest idle. */
import type { AddressOfRecord, Instant, OperatorId } from '../ids.ts';

export interface FreeOperator {
  readonly operatorId: OperatorId;
  /** The client on shift whose SIP contact is registered; `null` when absent. */
  readonly aor: AddressOfRecord | null;
  readonly capacity: number;
  /** Open sessions assigned now. */
  readonly load: number;
  readonly idleSince: Instant;
  /** Roster order inside the zone, lowest first. */
  readonly priority: number;
}

/** The operator and client to assign, or `null` when nobody present has room. `exclude`: tried in this round. */
export function chooseOperator(
  candidates: readonly FreeOperator[],
  exclude: readonly OperatorId[],
): { readonly operatorId: OperatorId; readonly aor: AddressOfRecord } | null {
  const best = candidates
    .filter((one) => one.aor !== null && one.load < one.capacity && !exclude.includes(one.operatorId))
    .toSorted(
      (a, b) =>
        a.priority - b.priority ||
        a.load - b.load ||
        a.idleSince - b.idleSince ||
        (a.operatorId < b.operatorId ? -1 : 1),
    )[0];
  return best?.aor ? { operatorId: best.operatorId, aor: best.aor } : null;
}
