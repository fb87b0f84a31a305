/** Performs what domain/line decides: dials and hangs up, keeps deadlines, tells of the leg, reports of its trunks. */
import { tryIdOf } from '../../domain/ids.ts';
import type { Instant } from '../../domain/ids.ts';
import { advance, DEAD_MS, isDone, withoutTry } from '../../domain/line/line.ts';
import type { LineAction, LineEvent } from '../../domain/line/line.ts';
import { isTrunkFailure, mayTryOtherTrunk } from '../../domain/trunk/failover.ts';
import type { TryEnd } from '../../domain/trunk/failover.ts';
import { hedgeAfterMs } from '../../domain/trunk/failover-times.ts';
import type { Route } from '../../domain/trunk/routes.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { HangupReason, PbxErrorCode, PbxEvent, PbxResult } from '../../ports/pbx-driver.ts';
import type { Live, TryFacts } from './live-line.ts';
import type { TryReport } from '../../ports/trunk-health.ts';
import type { LinePorts } from './line-ports.ts';

type TryNews = TryReport extends infer Report
  ? Report extends TryReport
    ? Omit<Report, 'trunk' | 'purpose' | 'at' | 'afterMs'>
    : never
  : never;

/** A look at a line whose times may have passed while nobody could look. */
const LOOK_AGAIN_MS = 2000;
/** A measured delay moves the hedge later, never past this. */
const LATEST_HEDGE_MS = 8000;
const DEFAULT_NO_RESPONSE_MS = 1000;
const SHORTEST_RING_MS = 1000;

/** It was not sent, and nobody's trunk is to blame: dialled anew when the engine is back. */
const NOT_SENT: ReadonlySet<PbxErrorCode> = new Set([
  'ERR_PBX_DISCONNECTED',
  'ERR_PBX_REPLACED',
  'ERR_PBX_FENCED',
]);
const ENGINE_BUSY: ReadonlySet<PbxErrorCode> = new Set(['ERR_PBX_OVERLOAD', 'ERR_PBX_TIMEOUT']);
const OK = { ok: true, value: undefined } as const;

export class LineWorker {
  readonly #ports: LinePorts;
  readonly #emit: (event: PbxEvent) => void;
  readonly #forget: (live: Live) => void;

  /** `forget`: nothing of the line is left. */
  constructor(ports: LinePorts, emit: (event: PbxEvent) => void, forget: (live: Live) => void) {
    this.#ports = ports;
    this.#emit = emit;
    this.#forget = forget;
  }

  step(live: Live, event: LineEvent): void {
    const { purpose, tries } = live.line;
    const isOver = event.type === 'ended' || event.type === 'refused';
    const freed = isOver ? tries.find((one) => one.number === event.try)?.trunk : undefined;
    const { line, actions } = advance(live.line, event, this.#now(), (name) => {
      const trunk = this.#trunk(name);
      return trunk !== undefined && this.#ports.load.hasRoom(trunk, purpose, name === freed ? 1 : 0);
    });
    live.line = line;
    for (const action of actions) this.perform(live, action);
    if (isDone(live.line)) this.#forget(live);
  }

  tryEnded(live: Live, number: number, end: TryEnd): void {
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
    this.step(live, { type: 'ended', try: number, end, mayTryOther });
  }

  perform(live: Live, action: LineAction): void {
    switch (action.do) {
      case 'dial':
        void this.#dial(live, action.try, action.route).catch((error: unknown) =>
          this.#threw(live, action.try, error),
        );
        return;
      case 'hang-up':
        this.hangUpTry(live, action.try, action.why === 'ordered' ? (live.reason ?? 'normal') : 'cancelled');
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
        this.#after(live, action.afterMs, () => this.#deadDue(live));
    }
  }

  /** Asks anew, in a moment, whatever could not be asked of tries that wait for a word. */
  watchOver(live: Live): void {
    if (live.line.over) return;
    const { purpose, hedged } = live.line;
    for (const { number, state, responded, givenUp } of live.line.tries) {
      if (state !== 'dialing' || givenUp) continue;
      if (!responded) this.perform(live, { do: 'ask-silence', try: number });
      if (purpose === 'sos' && !hedged) this.perform(live, { do: 'ask-hedge', try: number });
    }
    const dueMs = live.line.beganAt + DEAD_MS - this.#now();
    this.perform(live, { do: 'ask-dead', afterMs: Math.max(dueMs, LOOK_AGAIN_MS) });
  }

  async #dial(live: Live, number: number, route: Route): Promise<void> {
    const { trunk, host } = route;
    const { dial, line } = live;
    if (!dial) return;
    const { legId } = line;
    const now = this.#now();
    live.facts.set(number, { trunk, dialledAt: now, noted: false });
    live.held.set(number, []);
    const onTrunk = this.#trunk(trunk);
    if (onTrunk) this.#ports.load.take(onTrunk, dial.purpose);
    const left = dial.ringTimeoutMs - (now - line.beganAt);
    const result = await this.#ports.pbx.dialPhone({
      legId: tryIdOf(legId, number),
      number: dial.number,
      trunk,
      host,
      callerId: dial.callerId,
      ringTimeoutMs: Math.max(SHORTEST_RING_MS, left),
      ...(dial.longestMs === undefined ? {} : { longestMs: dial.longestMs }),
    });
    const held = live.held.get(number) ?? [];
    live.held.delete(number);
    // What was never sent is tried anew under the same number, once the engine is back.
    if (!result.ok && NOT_SENT.has(result.code)) {
      this.#notSent(live, number, route, result);
      return;
    }
    this.#emit({ type: 'leg.tried', legId, try: number, trunk, at: now });
    if (result.ok || result.code === 'ERR_PBX_CONFLICT') {
      this.#ports.metrics.count('hamrahi_trunk_dials_total', { trunk, purpose: dial.purpose });
      this.report(live, number, { trunk, dialledAt: now, noted: false }, { what: 'dialled' });
      this.#answer(live, OK);
    } else {
      live.lastCode = result.code;
      // An engine that has no time says nothing of the trunk; one that does not take it lacks its configuration.
      if (ENGINE_BUSY.has(result.code)) live.unsent.add(number);
      this.#ports.log.warn('A trunk could not be dialled.', { legId, trunk, code: result.code });
      this.step(live, { type: 'refused', try: number, outcome: outcomeOf(result.code) });
    }
    for (const tell of held) tell();
  }

  #threw(live: Live, number: number, error: unknown): void {
    const { legId } = live.line;
    live.held.delete(number);
    live.unsent.add(number);
    this.#ports.log.error('A telephone could not be dialled for a fault of ours.', {
      legId,
      error: String(error),
    });
    this.step(live, { type: 'refused', try: number, outcome: 'trunk-unreachable' });
  }

  /** Whoever is left in the engine is found again, with all that it has, once it is back. */
  #notSent(live: Live, number: number, route: Route, result: PbxResult): void {
    live.line = withoutTry(live.line, number, route);
    this.#answer(live, result);
    if (live.line.tries.every((one) => one.givenUp)) this.#forget(live);
  }

  hangUpTry(live: Live, number: number, reason: HangupReason): void {
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
    if (end.sipStatus !== null) live.spokenTo = true;
    if (!live.unsent.has(number))
      this.report(live, number, facts, { what: 'ended', ...end, silent, wasAnswered });
    if (silent)
      this.#ports.log.warn('A trunk did not respond to a call at all.', {
        legId,
        trunk,
        afterMs: Math.round(at - dialledAt),
      });
  }

  /** What happened to a try, for the health of its trunk. */
  report(live: Live, number: number, { trunk, dialledAt }: TryFacts, what: TryNews): void {
    const at = this.#now();
    const { legId, purpose } = live.line;
    const id = tryIdOf(legId, number);
    this.#ports.health.report({ trunk, id, purpose, at, afterMs: at - dialledAt, ...what });
  }

  #tellEnd(live: Live, end: TryEnd): void {
    const { legId, purpose, lastTry, passedOver } = live.line;
    this.cancelTimers(live);
    if (passedOver && lastTry === (live.dial?.triesBefore ?? 0)) live.lastCode = 'ERR_PBX_OVERLOAD';
    else if (isTrunkFailure(end.outcome) && purpose !== 'synthetic') {
      this.#ports.metrics.count('hamrahi_trunk_no_way_total', { purpose });
      if (this.#areAllDead(live))
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

  /**
   * Of an SOS always. Another call may have been kept from trunks (by their load, by its caller's number), or be for somebody
   * whom no carrier calls: it speaks for all of them only where each was asked and none said a word.
   */
  #areAllDead({ line, dial, spokenTo }: Live): boolean {
    if (line.purpose === 'sos') return true;
    return !line.passedOver && dial?.trunk === null && dial.callerId === null && !spokenTo;
  }

  async #silenceDue(live: Live, number: number): Promise<void> {
    const { legId } = live.line;
    const answer = await this.#ports.pbx.responded(tryIdOf(legId, number));
    // Where the engine cannot say, nothing is given up, and it is asked again.
    if (answer.ok) this.step(live, { type: 'silence-due', try: number, responded: answer.value });
    else if (!live.line.over && live.line.tries.some((one) => one.number === number && !one.givenUp))
      this.#after(live, LOOK_AGAIN_MS, () => this.#silenceDue(live, number));
  }

  async #deadDue(live: Live): Promise<void> {
    const { legId, tries } = live.line;
    const waiting = tries.filter((one) => !one.givenUp);
    const answers = await Promise.all(
      waiting.map(({ number }) => this.#ports.pbx.responded(tryIdOf(legId, number))),
    );
    const hasWord = answers.some((answer) => answer.ok && answer.value);
    if (hasWord || answers.every((answer) => answer.ok))
      this.step(live, { type: 'dead-due', responded: hasWord });
    else if (!live.line.over) this.#after(live, LOOK_AGAIN_MS, () => this.#deadDue(live));
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
      this.#after(live, afterMs, () => this.step(live, { type: 'hedge-due', try: number }));
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

  cancelTimers(live: Live): void {
    for (const cancel of live.cancels) cancel();
    live.cancels.clear();
  }

  #now(): Instant {
    return this.#ports.clock.now();
  }
}

function outcomeOf(code: PbxErrorCode): 'congestion' | 'trunk-unreachable' {
  return code === 'ERR_PBX_OVERLOAD' || code === 'ERR_PBX_TIMEOUT' ? 'congestion' : 'trunk-unreachable';
}
