/** Calls in memory, with what PostgreSQL promises: rows locked to the end of the transaction, nothing left after a throw. */
import { isLiveCall } from '../../control-plane/src/domain/call/call.ts';
import type { CallTimer } from '../../control-plane/src/domain/call/event.ts';
import type { CallId, Instant, LegId } from '../../control-plane/src/domain/ids.ts';
import { parseCallLegId } from '../../control-plane/src/domain/ids.ts';
import { legRecords } from '../../control-plane/src/adapters/postgres/leg-record.ts';
import type {
  CallPersonal,
  CallRecord,
  CallStore,
  CallTx,
  CallWrite,
  ClaimedCallKey,
  DueCallTimer,
  KnownCall,
  StoredCall,
} from '../../control-plane/src/ports/call-store.ts';
import type { OutboxRow } from '../../control-plane/src/ports/outbox.ts';
import { KeyedLocks } from './memory/keyed-locks.ts';

const LOCK_DEADLINE_MS = 2000;
const KEY_LIFE_MS = 24 * 3_600_000;

interface Key {
  readonly bodyHash: string;
  readonly callId: CallId;
  readonly claimedAt: number;
}

export class MemoryCallStore implements CallStore {
  readonly #now: () => number;
  readonly #locks = new KeyedLocks(LOCK_DEADLINE_MS);
  readonly #calls = new Map<CallId, StoredCall>();
  readonly #personal = new Map<CallId, CallPersonal>();
  readonly #timers = new Map<CallId, Map<CallTimer, Instant>>();
  readonly #keys = new Map<string, Key>();
  readonly #legs = new Map<LegId, CallWrite['legs'][number][]>();
  /** Rows for webhooks, in the order of their commits. */
  readonly outbox: OutboxRow[] = [];
  /** Awaited before each commit; may throw. */
  beforeCommit: () => Promise<void> = () => Promise.resolve();
  /** Awaited before each reading. */
  beforeRead: () => Promise<void> = () => Promise.resolve();

  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
  }

  async transact<T>(work: (tx: CallTx) => Promise<T>): Promise<T> {
    const owner = {};
    const writes: (() => void)[] = [];
    const seen = new Map<CallId, StoredCall>();
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = <R>(step: () => Promise<R> | R): Promise<R> => {
      const result = last.then(step);
      last = result;
      result.catch(() => undefined);
      return result;
    };
    const tx: CallTx = {
      load: (callId) =>
        inTurn(async () => {
          await this.#locks.acquire(callId, owner);
          return structuredClone(seen.get(callId) ?? this.#calls.get(callId) ?? null);
        }),
      numbers: (callId) => inTurn(() => this.#personal.get(callId)?.numbers ?? []),
      claimKey: (...claim) => inTurn(() => this.#claim(owner, writes, ...claim)),
      apply: (write) =>
        inTurn(async () => {
          await this.#locks.acquire(write.after.id, owner);
          const before = seen.get(write.after.id) ?? this.#calls.get(write.after.id);
          if ((before?.seq ?? 0) !== (write.before?.seq ?? 0)) throw new Error('not the stored state');
          const seq = (write.before?.seq ?? 0) + 1;
          seen.set(write.after.id, { call: write.after, seq });
          writes.push(() => this.#write(write, seq));
          return seq;
        }),
    };
    try {
      const result = await work(tx);
      await last;
      await this.beforeCommit();
      for (const write of writes) write();
      return result;
    } finally {
      this.#locks.releaseAll(owner);
    }
  }

  async find(callId: CallId): Promise<KnownCall | null> {
    await this.beforeRead();
    const stored = this.#calls.get(callId);
    return stored ? this.#known(stored) : null;
  }

  async list({ createdBy, states, since, until, metadata, before, limit }: Parameters<CallStore['list']>[0]) {
    await this.beforeRead();
    const after = before === null ? null : this.#calls.get(before);
    return [...this.#calls.values()]
      .filter(({ call }) => createdBy === null || call.createdBy === createdBy)
      .filter(({ call }) => states.length === 0 || states.includes(call.state))
      .filter(({ call }) => since === null || call.createdAt >= since)
      .filter(({ call }) => until === null || call.createdAt < until)
      .filter(
        ({ call }) =>
          metadata === null ||
          (call.createdBy === metadata.createdBy &&
            this.#personal.get(call.id)?.metadata[metadata.key] === metadata.value),
      )
      .filter((one) => !after || (one !== after && newest(after, one) < 0))
      .toSorted(newest)
      .slice(0, limit)
      .map((stored) => this.#known(stored));
  }

  async listUnfinished(limit: number): Promise<readonly StoredCall[]> {
    await this.beforeRead();
    return [...this.#calls.values()]
      .filter(({ call }) => isLiveCall(call) || call.legs.length > 0)
      .toSorted((a, b) => newest(b, a))
      .slice(0, limit);
  }

  async timers(limit: number): Promise<readonly DueCallTimer[]> {
    await this.beforeRead();
    return [...this.#timers]
      .flatMap(([callId, timers]) => [...timers].map(([timer, dueAt]) => ({ callId, timer, dueAt })))
      .toSorted((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit);
  }

  async records({ since, until, trunk, outcome, owner, before, limit }: Parameters<CallStore['records']>[0]) {
    await this.beforeRead();
    const all = [...this.#legs.values()].map(recordOf).toSorted(newestRecord);
    const from = before === null ? 0 : all.findIndex(({ legId }) => legId === before) + 1;
    return all
      .slice(from)
      .filter(({ dialledAt }) => since === null || dialledAt >= since)
      .filter(({ dialledAt }) => until === null || dialledAt < until)
      .filter((one) => trunk === null || one.trunk === trunk || one.tries.some((t) => t.trunk === trunk))
      .filter((one) => outcome === null || one.outcome === outcome)
      .filter((one) => owner === null || one.owner.id === owner)
      .slice(0, limit);
  }

  dropPersonalBefore(at: Instant): Promise<number> {
    const gone = [...this.#calls.values()].filter(
      ({ call }) => !isLiveCall(call) && call.endedAt < at && this.#personal.has(call.id),
    );
    for (const { call } of gone) this.#personal.delete(call.id);
    return Promise.resolve(gone.length);
  }

  dropExpiredKeys(now: Instant): Promise<number> {
    const gone = [...this.#keys].filter(([, { claimedAt }]) => claimedAt <= now - KEY_LIFE_MS);
    for (const [key] of gone) this.#keys.delete(key);
    return Promise.resolve(gone.length);
  }

  async #claim(
    owner: object,
    writes: (() => void)[],
    caller: string,
    key: string,
    bodyHash: string,
    callId: CallId,
  ): Promise<ClaimedCallKey> {
    const name = `${caller} ${key}`;
    await this.#locks.acquire(name, owner);
    const known = this.#keys.get(name);
    if (known && known.claimedAt > this.#now() - KEY_LIFE_MS)
      return { seen: known.bodyHash === bodyHash ? 'same' : 'other-body', callId: known.callId };
    writes.push(() => this.#keys.set(name, { bodyHash, callId, claimedAt: this.#now() }));
    return { seen: 'fresh' };
  }

  #write({ after, timersSet, timersCleared, legs, outbox, personal, added }: CallWrite, seq: number): void {
    const { id } = after;
    this.#calls.set(id, structuredClone({ call: after, seq }));
    if (personal) this.#personal.set(id, personal);
    const known = this.#personal.get(id);
    if (added && known) this.#personal.set(id, { ...known, numbers: [...known.numbers, added] });
    const timers = this.#timers.get(id) ?? new Map<CallTimer, Instant>();
    for (const timer of timersCleared) timers.delete(timer);
    if (!isLiveCall(after) && after.legs.length === 0) timers.clear();
    for (const { timer, dueAt } of timersSet) timers.set(timer, dueAt);
    this.#timers.set(id, timers);
    for (const leg of legs) this.#legs.set(leg.legId, [...(this.#legs.get(leg.legId) ?? []), leg]);
    for (const draft of outbox)
      this.outbox.push({ ...draft, id: String(this.outbox.length + 1), subject: id, subjectSeq: seq });
  }

  #known(stored: StoredCall): KnownCall {
    return { ...structuredClone(stored), personal: this.#personal.get(stored.call.id) ?? null };
  }
}

function newest({ call: a }: StoredCall, { call: b }: StoredCall): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}

function newestRecord(a: CallRecord, b: CallRecord): number {
  return b.dialledAt - a.dialledAt || (a.legId < b.legId ? 1 : -1);
}

function recordOf(changes: readonly CallWrite['legs'][number][]): CallRecord {
  const [record] = legRecords(changes);
  const leg = record && parseCallLegId(record.id);
  if (!record || !leg) throw new Error('no leg of a call');
  return {
    legId: record.id,
    owner: { kind: 'call', id: leg.callId },
    kind: record.kind,
    attempt: record.attempt,
    trunk: record.trunk,
    dialledAt: record.dialledAt ?? (0 as Instant),
    progressAt: record.progressAt,
    ringingAt: record.ringingAt,
    answeredAt: record.answeredAt,
    endedAt: record.end?.at ?? null,
    outcome: record.end?.outcome ?? null,
    sipStatus: record.end?.sipStatus ?? null,
    q850: record.end?.q850 ?? null,
    carrierCallId: record.carrierCallId,
    tries: [...record.tries].map(([number, one]) => ({
      try: number,
      trunk: one.trunk ?? '',
      dialledAt: one.dialledAt,
      endedAt: one.end?.at ?? null,
      outcome: one.end?.outcome ?? null,
      sipStatus: one.end?.sipStatus ?? null,
      q850: one.end?.q850 ?? null,
      carrierCallId: one.carrierCallId,
    })),
  };
}
