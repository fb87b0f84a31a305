/** The lines that live: performs what domain/line decides, keeps its deadlines, and tells legs by what tries do. */
import { tryIdOf } from '../../domain/ids.ts';
import type { Instant, LegId } from '../../domain/ids.ts';
import { adoptedLine, advance, isDone, newLine } from '../../domain/line/line.ts';
import type { Line, LineAction, LineEvent, LineTry } from '../../domain/line/line.ts';
import { isTrunkFailure, mayTryOtherTrunk } from '../../domain/trunk/failover.ts';
import type { TryEnd } from '../../domain/trunk/failover.ts';
import { hedgeAfterMs } from '../../domain/trunk/failover-times.ts';
import type { Route } from '../../domain/trunk/routes.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { HangupReason, PbxErrorCode, PbxEvent, PbxResult } from '../../ports/pbx-driver.ts';
import type { LineDial } from '../../ports/telephony.ts';
import type { PhoneLinesPorts } from './phone-lines.ts';

/** Every route silent for this long: a clear error, and the supervisor, within 5 s of the order. */
const DEAD_MS = 4500;
const LATEST_HEDGE_MS = 8000;
const DEFAULT_NO_RESPONSE_MS = 1000;
const SHORTEST_RING_MS = 1000;
/** Lines at once, ended ones whose last channel has not gone yet included; the oldest ended is forgotten first. */
const MAX_LINES = 10_000;

/** It was not sent, and nobody's trunk is to blame: dialled anew when the engine is back. */
const NOT_SENT: ReadonlySet<PbxErrorCode> = new Set([
  'ERR_PBX_DISCONNECTED',
  'ERR_PBX_REPLACED',
  'ERR_PBX_FENCED',
]);
const OK = { ok: true, value: undefined } as const;

interface Live {
  line: Line;
  /** `null`: found in the engine, and nobody has said yet whom it calls. */
  dial: LineDial | null;
  reason: HangupReason | null;
  /** The order to dial waits for this; `null` once it was answered. */
  answer: ((result: PbxResult) => void) | null;
  lastCode: PbxErrorCode;
  /** Every try of this process's time, ended ones too. */
  readonly facts: Map<number, TryFacts>;
  /** What the engine said of tries whose order is under way: told once the order's own answer is there. */
  readonly held: Map<number, (() => void)[]>;
  readonly cancels: Set<() => void>;
}

interface TryFacts {
  readonly trunk: string;
  readonly dialledAt: Instant;
  /** Its end was told, and counted: once. */
  noted: boolean;
}

/** A channel of a telephone leg as the engine has it. */
export interface TryChannel {
  readonly legId: LegId;
  readonly try: number;
  readonly state: LineTry['state'];
  readonly trunk: string;
}

export class LineBook {
  readonly #ports: PhoneLinesPorts;
  readonly #emit: (event: PbxEvent) => void;
  readonly #lines = new Map<LegId, Live>();

  constructor(ports: PhoneLinesPorts, emit: (event: PbxEvent) => void) {
    this.#ports = ports;
    this.#emit = emit;
  }

  /** Channels that live on a trunk now. */
  liveOn(trunk: string): number {
    let count = 0;
    for (const { line } of this.#lines.values())
      for (const one of line.tries) if (one.trunk === trunk) count += 1;
    return count;
  }

  isOpen(legId: LegId): boolean {
    const live = this.#lines.get(legId);
    return live !== undefined && !live.line.over && live.line.tries.length > 0;
  }

  has(legId: LegId): boolean {
    return this.#lines.has(legId);
  }

  /** The channel that is the leg: the one that was answered, else the newest that is not given up. */
  channelOf(legId: LegId): LegId {
    const line = this.#lines.get(legId)?.line;
    if (!line) return legId;
    const number = line.winner ?? line.tries.findLast((one) => !one.givenUp)?.number ?? 1;
    return tryIdOf(legId, number);
  }

  /** Whether this try stands for its leg: not one that was given up for another. */
  speaksFor(legId: LegId, number: number): boolean {
    const line = this.#lines.get(legId)?.line;
    if (!line) return true;
    return line.winner === number || (line.winner === null && !this.isGivenUp(legId, number));
  }

  isGivenUp(legId: LegId, number: number): boolean {
    const line = this.#lines.get(legId)?.line;
    if (!line) return false;
    return line.over || (line.tries.find((one) => one.number === number)?.givenUp ?? true);
  }

  begin(dial: LineDial, routes: readonly Route[]): Promise<PbxResult> {
    const { promise, resolve } = Promise.withResolvers<PbxResult>();
    const live: Live = {
      line: newLine(dial.legId, dial.purpose, routes, dial.triesBefore, this.#now()),
      dial,
      reason: null,
      answer: resolve,
      lastCode: 'ERR_PBX_REFUSED',
      facts: new Map(),
      held: new Map(),
      cancels: new Set(),
    };
    this.#replace(live);
    this.#step(live, { type: 'begin' });
    return promise;
  }

  /** The order to dial a leg that a process before this one dialled: now it is known whom it calls, and may fail over. */
  complete(dial: LineDial, routes: readonly Route[]): void {
    const live = this.#lines.get(dial.legId);
    if (!live || live.dial !== null) return;
    live.dial = dial;
    const tried = new Set(live.line.tries.map(({ trunk }) => trunk));
    const left = routes.filter(({ trunk }) => !tried.has(trunk));
    live.line = { ...live.line, routes: left, purpose: dial.purpose };
    for (const { number, state } of live.line.tries)
      if (state === 'dialing') this.#perform(live, { do: 'ask-silence', try: number });
    this.#perform(live, { do: 'ask-dead' });
  }

  async hangUp(legId: LegId, reason: HangupReason): Promise<PbxResult> {
    const live = this.#lines.get(legId);
    if (!live) return OK;
    live.reason ??= reason;
    const why = live.reason;
    const orders = live.line.tries.map(({ number }) => this.#ports.pbx.hangup(tryIdOf(legId, number), why));
    const { line } = advance(live.line, { type: 'hang-up' }, this.#now());
    live.line = line;
    const results = await Promise.all(orders);
    return results.find((result) => !result.ok) ?? OK;
  }

  /** What the engine says of one try. `false`: nobody knows its leg. */
  heard(legId: LegId, number: number, type: 'progress' | 'ringing' | 'answered'): boolean {
    return this.#onceDialled(legId, number, (live) => {
      const facts = live.facts.get(number);
      if (facts) this.#ports.health.report({ ...this.#about(live, facts, this.#now()), what: type });
      this.#step(live, { type, try: number });
    });
  }

  ended(legId: LegId, number: number, end: TryEnd): boolean {
    return this.#onceDialled(legId, number, (live) => this.#tryEnded(live, number, end));
  }

  #onceDialled(legId: LegId, number: number, tell: (live: Live) => void): boolean {
    const live = this.#lines.get(legId);
    if (!live) return false;
    const held = live.held.get(number);
    if (held) held.push(() => tell(live));
    else tell(live);
    return true;
  }

  #step(live: Live, event: LineEvent): void {
    const { line, actions } = advance(live.line, event, this.#now());
    live.line = line;
    for (const action of actions) this.#perform(live, action);
    if (isDone(live.line)) this.#forget(live);
  }

  #tryEnded(live: Live, number: number, end: TryEnd): void {
    const one = live.line.tries.find((other) => other.number === number);
    if (!one) return;
    const { trunk, state, givenUp } = one;
    if (end.sipStatus === 487 && !givenUp && !live.line.hangingUp) {
      const { legId } = live.line;
      this.#ports.metrics.count('hamrahi_trunk_unasked_487_total', { trunk });
      this.#ports.log.warn('A carrier ended a call as cancelled that nobody had cancelled.', {
        trunk,
        legId,
      });
    }
    const rang = state === 'ringing' || state === 'answered';
    const mayTryOther = mayTryOtherTrunk(end, rang, this.#trunk(trunk)?.causeOverrides ?? []);
    this.#step(live, { type: 'ended', try: number, end, mayTryOther });
  }

  /** What the engine has, after each attachment: lines of it alone live on. */
  adopt(channels: readonly TryChannel[]): void {
    const byLeg = Map.groupBy(channels, ({ legId }) => legId);
    for (const [legId, live] of [...this.#lines])
      if (!byLeg.has(legId)) {
        live.answer?.({ ok: false, code: 'ERR_PBX_DISCONNECTED', detail: 'the engine has lost it' });
        this.#forget(live);
      }
    for (const [legId, tries] of byLeg) {
      const live = this.#lines.get(legId);
      if (live) this.#agree(live, tries);
      else this.#found(legId, tries);
    }
  }

  stop(): void {
    for (const live of this.#lines.values()) this.#cancelTimers(live);
  }

  #found(legId: LegId, channels: readonly TryChannel[]): void {
    const at = this.#now();
    const tries = channels.map(({ try: number, trunk, state }): LineTry => ({
      number,
      trunk,
      dialledAt: at,
      state,
      responded: state !== 'dialing',
      givenUp: false,
    }));
    const live: Live = {
      line: adoptedLine(legId, tries, at),
      dial: null,
      reason: null,
      answer: null,
      lastCode: 'ERR_PBX_REFUSED',
      facts: new Map(),
      held: new Map(),
      cancels: new Set(),
    };
    this.#replace(live);
    for (const { number, trunk, dialledAt } of tries)
      live.facts.set(number, { trunk, dialledAt, noted: false });
    const { winner } = live.line;
    if (winner === null) return;
    for (const { number } of tries) if (number !== winner) this.#hangUpTry(live, number, 'cancelled');
  }

  /** Known, and the engine went on without us. */
  #agree(live: Live, channels: readonly TryChannel[]): void {
    const alive = new Map(channels.map((channel) => [channel.try, channel]));
    for (const { number, givenUp } of live.line.tries) {
      const channel = alive.get(number);
      if (!channel) this.#tryEnded(live, number, { outcome: 'lost', sipStatus: null, q850: null });
      else if (givenUp) this.#hangUpTry(live, number, live.reason ?? 'cancelled');
      else if (channel.state === 'ringing' || channel.state === 'answered')
        this.#step(live, { type: channel.state, try: number });
    }
  }

  #perform(live: Live, action: LineAction): void {
    switch (action.do) {
      case 'dial':
        void this.#dial(live, action.try, action.route);
        return;
      case 'hang-up':
        this.#hangUpTry(live, action.try, action.why === 'ordered' ? (live.reason ?? 'normal') : 'cancelled');
        return;
      case 'tell':
        this.#tell(live, action.what, action.try);
        return;
      case 'note-end':
        this.#noteEnd(live, action.try, action.end, action.silent);
        return;
      case 'tell-end':
        this.#tellEnd(live, action.end);
        return;
      case 'ask-silence':
        this.#after(live, this.#noResponseMs(live, action.try), () => this.#silenceDue(live, action.try));
        return;
      case 'ask-hedge':
        this.#askHedge(live, action.try);
        return;
      case 'ask-dead':
        this.#after(live, DEAD_MS, () => this.#deadDue(live));
    }
  }

  async #dial(live: Live, number: number, { trunk, host }: Route): Promise<void> {
    const { dial, line } = live;
    if (!dial) return;
    const { legId } = line;
    const now = this.#now();
    live.facts.set(number, { trunk, dialledAt: now, noted: false });
    live.held.set(number, []);
    const left = dial.ringTimeoutMs - (now - line.beganAt);
    const result = await this.#ports.pbx.dialPhone({
      legId: tryIdOf(legId, number),
      number: dial.number,
      trunk,
      host,
      callerId: dial.callerId,
      ringTimeoutMs: Math.max(SHORTEST_RING_MS, left),
    });
    const held = live.held.get(number) ?? [];
    live.held.delete(number);
    // What was never sent is tried anew under the same number, once the engine is back.
    if (!result.ok && NOT_SENT.has(result.code)) {
      this.#notSent(live, number, result);
      return;
    }
    this.#emit({ type: 'leg.tried', legId, try: number, trunk, at: now });
    this.#ports.metrics.count('hamrahi_trunk_tries_total', { trunk, purpose: dial.purpose });
    this.#ports.health.report({ trunk, purpose: dial.purpose, at: now, afterMs: 0, what: 'dialled' });
    if (result.ok || result.code === 'ERR_PBX_CONFLICT') this.#answer(live, OK);
    else {
      live.lastCode = result.code;
      this.#ports.log.warn('A trunk could not be dialled.', { legId, trunk, code: result.code });
      this.#step(live, { type: 'refused', try: number, outcome: outcomeOf(result.code) });
    }
    for (const tell of held) tell();
  }

  #notSent(live: Live, number: number, result: PbxResult): void {
    live.line = { ...live.line, tries: live.line.tries.filter((one) => one.number !== number) };
    this.#answer(live, result);
    if (live.line.tries.length === 0) this.#forget(live);
  }

  #hangUpTry(live: Live, number: number, reason: HangupReason): void {
    void this.#ports.pbx.hangup(tryIdOf(live.line.legId, number), reason);
  }

  #tell(live: Live, what: 'progress' | 'ringing' | 'answered', number: number): void {
    const { legId, tries } = live.line;
    const at = this.#now();
    this.#answer(live, OK);
    if (what !== 'answered') {
      this.#emit({ type: `leg.${what}`, legId, at });
      return;
    }
    const trunk = tries.find((one) => one.number === number)?.trunk ?? '';
    this.#ports.alerts.resolve('trunks-dead', 'all');
    this.#emit({ type: 'leg.answered', legId, at, ...(trunk === '' ? {} : { trunk }) });
  }

  #noteEnd(live: Live, number: number, end: TryEnd, silent: boolean): void {
    const facts = live.facts.get(number);
    if (!facts || facts.noted) return;
    facts.noted = true;
    const { legId, winner } = live.line;
    const { trunk, dialledAt } = facts;
    const at = this.#now();
    this.#emit({ type: 'leg.try-ended', legId, try: number, trunk, ...end, at });
    const wasAnswered = winner === number;
    this.#ports.health.report({
      ...this.#about(live, facts, at),
      what: 'ended',
      ...end,
      silent,
      wasAnswered,
    });
    if (silent)
      this.#ports.log.warn('A trunk did not respond to a call at all.', {
        legId,
        trunk,
        afterMs: Math.round(at - dialledAt),
      });
  }

  #about(live: Live, { trunk, dialledAt }: TryFacts, at: Instant) {
    return { trunk, purpose: live.line.purpose, at, afterMs: at - dialledAt };
  }

  #tellEnd(live: Live, end: TryEnd): void {
    const { legId } = live.line;
    this.#cancelTimers(live);
    if (isTrunkFailure(end.outcome) && live.dial?.purpose !== 'synthetic') {
      this.#ports.metrics.count('hamrahi_trunk_no_way_total', { purpose: live.dial?.purpose ?? 'sos' });
      this.#ports.alerts.raise({
        kind: 'trunks-dead',
        subject: 'all',
        severity: 'critical',
        summary: 'A call found no trunk that would take it: every carrier refused it or did not respond.',
      });
    }
    // Nothing was ever dialled: the order's own answer says so, and no event does.
    if (live.answer)
      this.#answer(live, { ok: false, code: live.lastCode, detail: 'no trunk could be dialled' });
    else this.#emit({ type: 'leg.ended', legId, at: this.#now(), ...end });
  }

  async #silenceDue(live: Live, number: number): Promise<void> {
    const { legId } = live.line;
    const answer = await this.#ports.pbx.responded(tryIdOf(legId, number));
    // Where the engine cannot say, nothing is given up.
    this.#step(live, { type: 'silence-due', try: number, responded: !answer.ok || answer.value });
  }

  async #deadDue(live: Live): Promise<void> {
    const { legId, tries } = live.line;
    const waiting = tries.filter((one) => !one.givenUp);
    const answers = await Promise.all(
      waiting.map(({ number }) => this.#ports.pbx.responded(tryIdOf(legId, number))),
    );
    this.#step(live, {
      type: 'dead-due',
      responded: answers.some((answer) => !answer.ok || answer.value),
    });
  }

  #answer(live: Live, result: PbxResult): void {
    live.answer?.(result);
    live.answer = null;
  }

  #noResponseMs(live: Live, number: number): number {
    return this.#trunk(this.#trunkOfTry(live, number))?.failover.noResponseMs ?? DEFAULT_NO_RESPONSE_MS;
  }

  /** Of a trunk that is no longer in the files, the latest that there is. */
  #askHedge(live: Live, number: number): void {
    const trunk = this.#trunk(this.#trunkOfTry(live, number));
    const measuredMs = trunk ? this.#ports.health.p95PostDialDelayMs(trunk.name) : null;
    const afterMs = trunk ? hedgeAfterMs(trunk, measuredMs) : LATEST_HEDGE_MS;
    if (afterMs !== null)
      this.#after(live, afterMs, () => this.#step(live, { type: 'hedge-due', try: number }));
  }

  #trunkOfTry(live: Live, number: number): string {
    return live.facts.get(number)?.trunk ?? '';
  }

  #trunk(name: string): Trunk | undefined {
    return this.#ports.trunks().find((trunk) => trunk.name === name);
  }

  #after(live: Live, ms: number, due: () => unknown): void {
    const { clock } = this.#ports;
    const cancel = clock.at((clock.now() + ms) as Instant, () => {
      live.cancels.delete(cancel);
      void due();
    });
    live.cancels.add(cancel);
  }

  #cancelTimers(live: Live): void {
    for (const cancel of live.cancels) cancel();
    live.cancels.clear();
  }

  #replace(live: Live): void {
    const before = this.#lines.get(live.line.legId);
    if (before) this.#forget(before);
    this.#lines.set(live.line.legId, live);
    if (this.#lines.size <= MAX_LINES) return;
    for (const old of this.#lines.values()) {
      if (!old.line.over) continue;
      this.#forget(old);
      return;
    }
  }

  #forget(live: Live): void {
    this.#cancelTimers(live);
    if (this.#lines.get(live.line.legId) === live) this.#lines.delete(live.line.legId);
  }

  #now(): Instant {
    return this.#ports.clock.now();
  }
}

function outcomeOf(code: PbxErrorCode): 'congestion' | 'trunk-unreachable' {
  return code === 'ERR_PBX_OVERLOAD' || code === 'ERR_PBX_TIMEOUT' ? 'congestion' : 'trunk-unreachable';
}
