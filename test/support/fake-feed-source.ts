/** A feed's source in memory: rows are committed by `commit`, and can be held back to play every race. */
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type {
  AddressOfRecord,
  CitizenId,
  DeviceId,
  Instant,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../control-plane/src/domain/ids.ts';
import { isOfZones } from '../../control-plane/src/domain/rights/session-rights.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import type { Session } from '../../control-plane/src/domain/session/session.ts';
import type { FeedSource } from '../../control-plane/src/ports/gateway.ts';
import type { FeedRow } from '../../control-plane/src/ports/session-store.ts';
import { SAMPLE_VIEW } from './fake-gateway.ts';

/** A session id out of a small number. */
export function sessionNumber(n: number): SessionId {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as SessionId;
}

/** A session of this zone; `resolved` and assigned to this operator, where one is named. */
export function sessionIn(zone: string | null, session: number, resolvedBy?: string): Session {
  return {
    id: sessionNumber(session),
    citizenId: 'priya' as CitizenId,
    deviceId: 'phone1' as DeviceId,
    aor: 'citizen-priya-phone1' as AddressOfRecord,
    zoneId: zone as ZoneId | null,
    profile: { phone: 'verified', silent: false },
    flags: [],
    policy: DEFAULT_POLICY,
    createdAt: 1_000 as Instant,
    ...(resolvedBy === undefined
      ? { phase: 'arming' as const }
      : {
          phase: 'resolved' as const,
          aors: [],
          activatedAt: 1_000 as Instant,
          endedAt: 2_000 as Instant,
          endedBy: resolvedBy,
          operatorId: resolvedBy as OperatorId,
          webrtcSessionId: null,
          fallback: null,
          degradedReason: null,
          alerts: [],
          legs: [],
        }),
  };
}

export class FakeFeedSource implements FeedSource {
  readonly rows: FeedRow[] = [];
  /** Rows below this seq are no longer kept. */
  floor = 0;
  zones: readonly string[] = ['north'];
  /** Awaited inside `snapshot` and `after`, behind the read itself: what is committed meanwhile is a race. */
  afterRead: () => Promise<void> = () => Promise.resolve();
  readonly #listeners = new Set<(row: FeedRow) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  /** A change is committed and told. */
  commit(zone: string | null, session = 1, change: Partial<FeedRow> = {}): FeedRow {
    const seq = this.rows.length + 1;
    const row: FeedRow = {
      seq,
      sessionId: sessionNumber(session),
      sessionSeq: seq,
      type: 'sos.streaming',
      at: Date.now() as Instant,
      zoneId: zone as ZoneId | null,
      detail: {},
      session: sessionIn(zone, session),
      location: null,
      ...change,
    };
    this.rows.push(row);
    for (const listener of this.#listeners) listener(row);
    return row;
  }

  subscribe(listener: (row: FeedRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async snapshot(zones: readonly ZoneId[] | null): ReturnType<FeedSource['snapshot']> {
    const seq = this.rows.length;
    const seen = new Map<string, SessionView>();
    for (const row of this.rows)
      if (zones === null || isOfZones(row.zoneId, zones))
        seen.set(row.sessionId, this.viewOf(row.session, row.sessionSeq));
    await this.afterRead();
    return { seq, sessions: [...seen.values()] };
  }

  async after(seq: number, limit: number): ReturnType<FeedSource['after']> {
    const head = this.rows.length;
    const rows = this.rows.slice(seq, seq + limit);
    await this.afterRead();
    if (seq < this.floor || seq > head || head - seq > limit) return { rows: [], tooOld: true };
    return { rows, tooOld: false };
  }

  viewOf(session: Session, sessionSeq: number): SessionView {
    return { ...SAMPLE_VIEW, id: session.id, sessionSeq, zoneId: session.zoneId };
  }

  zonesOf(): Promise<readonly ZoneId[]> {
    return Promise.resolve(this.zones as readonly ZoneId[]);
  }
}
