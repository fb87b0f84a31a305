/**
 * Brings the store back: asks for it again and again, writes the journal into it while decisions go on from memory,
 * holds everybody for a moment for the last few entries, and hands over.
 */
import type { Instant, SessionId } from '../../domain/ids.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { SessionStore } from '../../ports/session-store.ts';
import type { EndurancePorts } from './endurance-ports.ts';
import type { JournalDesk } from './journal-desk.ts';
import type { JournalReplay } from './journal-replay.ts';
import { unavailable } from './store-watch.ts';
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
const HELD_MS = 1000;
/** A store that nobody used for so long is asked whether it is there. */
const QUIET_MS = 1000;
const PING_MS = 500;
const NOBODY = '00000000-0000-0000-0000-000000000000' as SessionId;
const LATE = Symbol('late');

export interface ReturnPorts extends EndurancePorts {
  readonly state: StoreState;
  readonly desk: JournalDesk;
  readonly replay: JournalReplay;
  readonly memoryIsIdle: () => boolean;
  readonly memoryIdle: () => Promise<void>;
  readonly forgetClaims: () => void;
}

export class StoreReturn {
  readonly #ports: ReturnPorts;
  readonly #store: SessionStore;
  /** Set while everybody waits for the last entries. */
  gate: Promise<void> | null = null;
  #fenced: StoreError | null = null;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #isAsking = false;
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

  /** The store is there: what is held back is asked for. */
  begun(): void {
    this.keepWatch();
    this.#askForHeld();
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
    const { replay } = this.#ports;
    const slowestMs = Math.max(probedMs, await replay.run(GATE_ENTRIES));
    this.#fenced = null;
    if (slowestMs > FAST_ENOUGH_MS) {
      // It serves nobody yet, but what it has need not be journaled any more: else the file would fill up to its bound.
      await replay.run();
      if (desk.size === 0) await desk.clear();
      return false;
    }
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
      await replay.run();
      await this.#ports.makeUp();
      // Nothing was decided meanwhile, unless the gate had to open too early.
      if (isGateOpen(isOpen) || replay.waiting > 0) return false;
      this.#handOver(state);
      return true;
    } finally {
      late();
      open();
    }
  }

  #handOver(state: StoreState): void {
    const { clock, desk, replay, forgetClaims, onBack } = this.#ports;
    this.#backAt = clock.now();
    replay.over();
    forgetClaims();
    state.comeBack();
    onBack();
    this.heard();
    this.keepWatch();
    // Nobody waits for the disk: what is journaled from now on is written behind the clearing.
    if (desk.size === 0) void desk.clear();
    this.#askForHeld();
  }

  /** Sessions that were held back are asked for each second: not in the way of anybody else. */
  #askForHeld(): void {
    const { replay, clock, log } = this.#ports;
    if (this.#stopped || replay.held.size === 0 || this.#isAsking) return;
    this.#isAsking = true;
    clock.at((clock.now() + HELD_MS) as Instant, () => {
      this.#letGo()
        .catch((error: unknown) => log.debug('The database is away again.', { error: String(error) }))
        .finally(() => {
          this.#isAsking = false;
          this.#askForHeld();
        });
    });
  }

  async #letGo(): Promise<void> {
    const { state, replay, desk, memoryIsIdle } = this.#ports;
    for (const sessionId of replay.held) {
      if (state.isAway || this.#stopped) return;
      await replay.again(sessionId);
      // Asked in one turn: nothing of it is on the desk, and nothing is being decided that could come to lie there.
      if (replay.hasAllOf(sessionId) && memoryIsIdle()) replay.held.delete(sessionId);
    }
    if (desk.size === 0) await desk.clear();
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
    if (error instanceof StoreError && error.code === 'ERR_STORE_FENCED') {
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
