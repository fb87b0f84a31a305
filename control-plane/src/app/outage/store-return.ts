/**
 * Brings the store back: asks for it again and again, writes the journal into it while decisions go on from memory,
 * holds everybody for a moment for the last few entries, and hands over.
 */
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { JournalEntry } from '../../ports/journal.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { SessionStore } from '../../ports/session-store.ts';
import type { Diverged, EndurancePorts } from './endurance-ports.ts';
import type { JournalDesk } from './journal-desk.ts';
import { replaySession, Unreplayable } from './replay.ts';
import type { Replayed } from './replay.ts';
import type { SessionBook } from './session-book.ts';
import { meansAway, unavailable } from './store-watch.ts';
import type { StoreState } from './store-watch.ts';
import { within } from './within.ts';

const FIRST_PROBE_MS = 50;
const LONGEST_PROBE_MS = 1000;
/** A store that is away again so soon after its return is asked less often. */
const RELAPSE_MS = 10_000;
const LONGEST_RELAPSE_MS = 10_000;
const PROBE_ANSWER_MS = 1000;
/** A store slower than this is not asked to serve an SOS: it gets the journal's entries, and that is all. */
const FAST_ENOUGH_MS = 200;
/** For the last few entries everybody waits, and not for long. */
const GATE_ENTRIES = 20;
const GATE_MS = 250;
const SIDE_BY_SIDE = 4;
/** One transaction takes so many entries of a session. */
const BATCH = 50;
/** A store that nobody used for so long is asked whether it is there. */
const QUIET_MS = 1000;
const PING_MS = 500;
const MAX_TIMERS = 100_000;
const NOBODY = '00000000-0000-0000-0000-000000000000' as SessionId;
const LATE = Symbol('late');

export interface ReturnPorts extends EndurancePorts {
  readonly state: StoreState;
  readonly desk: JournalDesk;
  readonly book: SessionBook;
  readonly memoryIdle: () => Promise<void>;
  readonly forgetClaims: () => void;
}

export class StoreReturn {
  readonly #ports: ReturnPorts;
  readonly #store: SessionStore;
  /** Set while everybody waits for the last entries. */
  gate: Promise<void> | null = null;
  /** Sessions whose journal was decided anew; what follows of it is too. */
  readonly #diverged = new Set<SessionId>();
  /** What follows from that for timers and engine, and has not been seen to yet. */
  readonly #unsettled = new Map<SessionId, Diverged>();
  #fenced: StoreError | null = null;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #backAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  #firstProbeMs = FIRST_PROBE_MS;

  constructor(ports: ReturnPorts) {
    this.#ports = ports;
    this.#store = ports.store;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** The store has answered somebody. */
  heard(): void {
    this.#heardAt = this.#ports.clock.now();
  }

  /** Another node has taken over: this one must not act on what it remembers. */
  refuseIfFenced(): void {
    if (this.#fenced) throw this.#fenced;
  }

  /** Finds out that the store is away before an SOS does. */
  keepWatch(): void {
    this.#later(QUIET_MS, async () => {
      const { state, clock } = this.#ports;
      const isThere = clock.now() - this.#heardAt < QUIET_MS || (await this.#store.ping(PING_MS));
      if (isThere) state.heard();
      // Somebody else may have found out meanwhile, and it is being brought back.
      if (state.isAway) return;
      if (isThere) this.keepWatch();
      else state.leave('no answer to a ping');
    });
  }

  /** The store has just gone. */
  begin(): void {
    const hasRelapsed = this.#ports.clock.now() - this.#backAt < RELAPSE_MS;
    this.#firstProbeMs = hasRelapsed ? Math.min(2 * this.#firstProbeMs, LONGEST_RELAPSE_MS) : FIRST_PROBE_MS;
    // What is open to it may be dead without saying so.
    this.#store.renew();
    this.#tryAgain(this.#firstProbeMs);
  }

  #tryAgain(waitMs: number): void {
    this.#later(waitMs, async () => {
      try {
        if (await this.#bringBack()) return;
      } catch (error) {
        this.#failed(error);
      }
      if (!this.#stopped)
        this.#tryAgain(Math.max(this.#firstProbeMs, Math.min(2 * waitMs, LONGEST_PROBE_MS)));
    });
  }

  async #bringBack(): Promise<boolean> {
    const { state, clock, desk } = this.#ports;
    const probedMs = await this.#probe();
    const slowestMs = Math.max(probedMs, await this.replayAll(GATE_ENTRIES));
    this.#fenced = null;
    if (slowestMs > FAST_ENOUGH_MS) return false;
    const opened = Promise.withResolvers<undefined>();
    this.gate = opened.promise.then(() => undefined);
    let isOpen = false;
    const open = (): void => {
      if (isOpen) return;
      isOpen = true;
      this.gate = null;
      opened.resolve(undefined);
    };
    const late = clock.at((clock.now() + GATE_MS) as Instant, open);
    try {
      await this.#ports.memoryIdle();
      await this.replayAll();
      await this.#ports.makeUp();
      // Nothing was decided meanwhile, unless the gate had to open too early.
      if (isGateOpen(isOpen) || desk.size > 0) return false;
      await this.#handOver(state);
      return true;
    } finally {
      late();
      open();
    }
  }

  async #handOver(state: StoreState): Promise<void> {
    const { clock, desk, forgetClaims, onBack } = this.#ports;
    this.#backAt = clock.now();
    this.#diverged.clear();
    forgetClaims();
    state.comeBack();
    onBack();
    this.heard();
    this.keepWatch();
    await desk.clear();
  }

  /** Writes down to `left` entries, all that there are at least once; the longest time that a session's took. */
  async replayAll(left = 0): Promise<number> {
    const { desk } = this.#ports;
    let slowestMs = 0;
    for (let round = 0; desk.size > (round === 0 ? 0 : left); round += 1) {
      const bySession = new Map<SessionId, JournalEntry[]>();
      for (const entry of desk.entries()) {
        const { id } = entry.write.after;
        const own = bySession.get(id) ?? [];
        bySession.set(id, own);
        if (own.length < BATCH) own.push(entry);
      }
      const waiting = [...bySession];
      const workers = Array.from({ length: SIDE_BY_SIDE }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift())
          slowestMs = Math.max(slowestMs, await this.#replayOne(...next));
      });
      await settled(workers);
    }
    await this.#settle();
    return slowestMs;
  }

  /** The store's timers of what was decided anew, and then the engine: what this node dialled for it may be a stray now. */
  async #settle(): Promise<void> {
    const { book, desk, surprises } = this.#ports;
    // What was decided meanwhile on what it was thought to be comes to it first: its legs are no strays.
    const pending = new Set(desk.entries().map(({ write }) => write.after.id));
    const settling = [...this.#unsettled].filter(([id]) => !pending.has(id));
    if (settling.length === 0) return;
    book.timers.replace(
      settling.map(([id]) => id),
      await this.#store.timers(null, MAX_TIMERS),
    );
    for (const [id, diverged] of settling) {
      this.#unsettled.delete(id);
      surprises.diverged(diverged);
    }
  }

  async #replayOne(sessionId: SessionId, entries: readonly JournalEntry[]): Promise<number> {
    const { clock, desk, log, metrics } = this.#ports;
    const begunAt = clock.now();
    try {
      const replayed = await replaySession(this.#store, sessionId, entries, this.#diverged.has(sessionId));
      this.#took(sessionId, replayed);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      // A write that the store will never take must not hold back all the others.
      metrics.count('hamrahi_journal_set_aside_total');
      log.error('A part of the journal cannot be told to the database; it is set aside.', {
        code: 'ERR_JOURNAL_CONFLICT',
        sessionId,
        entries: entries.length,
        reason: error instanceof Unreplayable ? error.message : String(error),
      });
      await desk.setAside(entries);
      const { book, surprises } = this.#ports;
      const known = book.get(sessionId);
      book.forget(sessionId);
      if (known) surprises.forgotten(known.session);
    }
    desk.done(new Set(entries));
    return clock.now() - begunAt;
  }

  #took(sessionId: SessionId, { stored, feed, written, known, anew, orders }: Replayed): void {
    const { book, metrics, log, onReplayed } = this.#ports;
    onReplayed(feed);
    for (const [result, count] of Object.entries({ written, known, anew }))
      for (let n = 0; n < count; n += 1) metrics.count('hamrahi_journal_replayed_total', { result });
    if (anew === 0) return;
    this.#diverged.add(sessionId);
    log.error('A session went on elsewhere while the database was away; it was decided anew.', {
      code: 'ERR_JOURNAL_DIVERGED',
      sessionId,
      entries: anew,
    });
    const unsettled = this.#unsettled.get(sessionId);
    const before = unsettled?.before ?? book.get(sessionId)?.session ?? null;
    book.replace(stored);
    this.#unsettled.set(sessionId, {
      before,
      after: stored.session,
      seq: stored.seq,
      orders: [...(unsettled?.orders ?? []), ...orders],
    });
  }

  /** Throws unless the store answers; returns how long it took. */
  async #probe(): Promise<number> {
    const { clock } = this.#ports;
    const begunAt = clock.now();
    const answer = await within<unknown, typeof LATE>(
      clock,
      PROBE_ANSWER_MS,
      this.#store.transact((tx) => tx.load(NOBODY)),
      LATE,
    );
    if (answer === LATE) throw unavailable('the database gave no answer to a probe');
    return clock.now() - begunAt;
  }

  #failed(error: unknown): void {
    const { log } = this.#ports;
    const isLater = meansAway(error) || (error instanceof StoreError && error.code === 'ERR_STORE_CONFLICT');
    if (error instanceof StoreError && !isLater) {
      const { code } = error;
      this.#fenced = error;
      log.error('The database refuses this node: nothing more is decided from memory.', { code });
      return;
    }
    if (error instanceof StoreError) log.debug('The database is still away.', { code: error.code });
    else log.error('The database cannot be brought back.', { error: String(error) });
    this.#store.renew();
  }

  #later(waitMs: number, work: () => Promise<void>): void {
    if (this.#stopped) return;
    const { clock, log } = this.#ports;
    this.#cancel();
    this.#cancel = clock.at((clock.now() + waitMs) as Instant, () => {
      work().catch((error: unknown) => {
        log.error('The watch over the database failed.', { error: String(error) });
      });
    });
  }
}

function isGateOpen(isOpen: boolean): boolean {
  return isOpen;
}

/** Waits for all of them, then throws the first failure. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
