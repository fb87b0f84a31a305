/** The session under decision: facts changed so far and the commands that follow, in order. */
import { legIdOf } from '../ids.ts';
import type { AddressOfRecord, AppLegKind, BridgeId, Instant, LegId, LegKind } from '../ids.ts';
import type { Command, FeedEventName, PbxCommand } from './command.ts';
import type { TimerName } from './event.ts';
import type { CallAttempt, Leg, Party } from './leg.ts';
import { DEFAULT_POLICY } from './policy.ts';
import type { AlertKind, Fallback, Live, LiveFacts, Session } from './session.ts';

type Detail = Readonly<Record<string, string | number | boolean | null>>;
type HangupReason = Extract<PbxCommand, { type: 'pbx.hangup' }>['reason'];

/** `ignored`: late or doubled, normal. `refused`: somebody asked for what this phase does not allow. */
export type Verdict = 'applied' | 'ignored' | 'refused';

export interface Decision {
  readonly session: Session;
  readonly commands: readonly Command[];
  readonly verdict: Verdict;
}

/** How long an app may leave our INVITE unanswered before the engine ends the attempt. */
export const CITIZEN_APP_RING_MS = 60_000;

const MAX_ATTEMPTS_TOLD = 20;

export const NO_ATTEMPTS: LiveFacts['attempts'] = {
  'citizen-app': 0,
  'operator-app': 0,
  'supervisor-app': 0,
  'citizen-phone': 0,
  'operator-phone': 0,
};

/** A session that an older program began lacks what that one did not know. */
function withDefaults(facts: LiveFacts): LiveFacts {
  return {
    ...facts,
    policy: { ...DEFAULT_POLICY, ...facts.policy },
    attempts: { ...NO_ATTEMPTS, ...facts.attempts },
  };
}

export class Draft {
  facts: LiveFacts;
  phase: Live['phase'];
  /** Only in `phone-connected`. */
  citizenPhone: LegId | null;
  bridgedWith: LegId | null;
  readonly at: Instant;
  readonly commands: Command[] = [];

  constructor(session: Live, at: Instant) {
    this.phase = session.phase;
    if (session.phase === 'phone-connected') {
      const { phase: _, citizenPhone, bridgedWith, ...facts } = session;
      this.facts = withDefaults(facts);
      this.citizenPhone = citizenPhone;
      this.bridgedWith = bridgedWith;
    } else {
      const { phase: _, ...facts } = session;
      this.facts = withDefaults(facts);
      this.citizenPhone = null;
      this.bridgedWith = null;
    }
    this.at = at;
  }

  change(facts: Partial<LiveFacts>): void {
    this.facts = { ...this.facts, ...facts };
  }

  changeStream(stream: Partial<LiveFacts['stream']>): void {
    this.change({ stream: { ...this.facts.stream, ...stream } });
  }

  changeFallback(fallback: Partial<Fallback>): void {
    if (this.facts.fallback) this.change({ fallback: { ...this.facts.fallback, ...fallback } });
  }

  order(command: Command): void {
    this.commands.push(command);
  }

  publish(event: FeedEventName, detail: Detail = {}): void {
    this.order({ type: 'feed.publish', event, detail });
  }

  setTimer(timer: TimerName, afterMs: number): void {
    this.order({ type: 'timer.set', timer, dueAt: (this.at + afterMs) as Instant });
  }

  clearTimers(...timers: readonly TimerName[]): void {
    for (const timer of timers) this.order({ type: 'timer.clear', timer });
  }

  startWatchdog(afterMs: number): void {
    this.change({ watchdogAt: (this.at + afterMs) as Instant });
    this.setTimer('watchdog', afterMs);
  }

  stopWatchdog(): void {
    if (this.facts.watchdogAt === null) return;
    this.change({ watchdogAt: null });
    this.clearTimers('watchdog');
  }

  /** Raised once by kind; raised again when the earlier one was acknowledged. */
  raise(kind: AlertKind): void {
    const standing = this.facts.alerts.find((alert) => alert.kind === kind);
    if (standing && standing.acknowledgedBy === null) return;
    const others = this.facts.alerts.filter((alert) => alert.kind !== kind);
    this.change({ alerts: [...others, { kind, raisedAt: this.at, acknowledgedBy: null }] });
    this.order({ type: 'alert.raise', kind });
    this.publish('sos.alert', { kind });
  }

  leg(legId: LegId): Leg | null {
    return this.facts.legs.find((leg) => leg.id === legId) ?? null;
  }

  /** Legs of a kind that live and are not on their way out. */
  standing(kind: LegKind): readonly Leg[] {
    return this.facts.legs.filter((leg) => leg.kind === kind && !leg.ending);
  }

  replaceLeg(legId: LegId, change: Partial<Leg>): void {
    this.change({ legs: this.facts.legs.map((leg) => (leg.id === legId ? { ...leg, ...change } : leg)) });
  }

  removeLeg(legId: LegId): void {
    this.change({ legs: this.facts.legs.filter((leg) => leg.id !== legId) });
  }

  dialApp(kind: AppLegKind, party: Party, aor: AddressOfRecord): LegId {
    const legId = this.#addLeg(kind, party, aor);
    const ringTimeoutMs = kind === 'citizen-app' ? CITIZEN_APP_RING_MS : this.facts.policy.firstRetryMs;
    this.order({ type: 'pbx.dial-app', legId, kind, aor, ringTimeoutMs });
    return legId;
  }

  dialPhone(kind: 'citizen-phone' | 'operator-phone', party: Party, ringTimeoutMs: number): LegId {
    const legId = this.#addLeg(kind, party, null);
    this.order({ type: 'pbx.dial-phone', legId, party, ringTimeoutMs });
    const attempt: CallAttempt = {
      legId,
      kind,
      party,
      dialledAt: this.at,
      ringingAt: null,
      answeredAt: null,
      endedAt: null,
      outcome: null,
      sipStatus: null,
    };
    const attempts = this.facts.fallback?.attempts ?? [];
    this.changeFallback({ attempts: [...attempts, attempt].slice(-MAX_ATTEMPTS_TOLD) });
    return legId;
  }

  /** What became of a call, for the history that goes with an alert (FB-6). */
  noteAttempt(legId: LegId, change: Partial<CallAttempt>): void {
    const attempts = this.facts.fallback?.attempts ?? [];
    if (!attempts.some((attempt) => attempt.legId === legId)) return;
    this.changeFallback({
      attempts: attempts.map((attempt) => (attempt.legId === legId ? { ...attempt, ...change } : attempt)),
    });
  }

  hangup(leg: Leg, reason: HangupReason): void {
    if (!leg.ending) this.replaceLeg(leg.id, { ending: true });
    this.order({ type: 'pbx.hangup', legId: leg.id, reason });
  }

  hangupAll(kind: LegKind, reason: HangupReason, except: LegId | null = null): void {
    for (const leg of this.standing(kind)) if (leg.id !== except) this.hangup(leg, reason);
  }

  join(bridgeId: BridgeId, legId: LegId, voice: 'speaks' | 'listens' | 'both'): void {
    this.order({ type: 'pbx.join', bridgeId, legId, voice });
  }

  /** An operator's voice path stands: confirmed over WebRTC, or the two phones together. */
  get hasVoice(): boolean {
    return this.phase === 'active' || (this.phase === 'phone-connected' && this.bridgedWith !== null);
  }

  seal(): Decision {
    this.#keepAlert();
    return { session: this.#session(), commands: this.commands, verdict: 'applied' };
  }

  /**
   * Somebody must go on being told as long as an alert stands, or as long as she has no voice and no watchdog runs:
   * a supervisor who has acknowledged an alert may still be the only one who could help.
   */
  #keepAlert(): void {
    const { alerts, alertRepeatAt, watchdogAt, policy } = this.facts;
    const stands = alerts.some((alert) => alert.acknowledgedBy === null);
    const isNeeded = stands || (!this.hasVoice && watchdogAt === null);
    if (isNeeded && alertRepeatAt === null) {
      this.change({ alertRepeatAt: (this.at + policy.alertRepeatMs) as Instant });
      this.setTimer('alert-repeat', policy.alertRepeatMs);
    } else if (!isNeeded && alertRepeatAt !== null) {
      this.change({ alertRepeatAt: null });
      this.clearTimers('alert-repeat');
    }
  }

  #session(): Live {
    const { facts } = this;
    switch (this.phase) {
      case 'connecting':
      case 'degraded':
        return { ...facts, phase: this.phase };
      case 'active':
        return { ...facts, phase: 'active' };
      case 'phone-fallback-active':
        return facts.fallback
          ? { ...facts, phase: 'phone-fallback-active', fallback: facts.fallback }
          : { ...facts, phase: 'degraded' };
      case 'phone-connected':
        return facts.fallback && this.citizenPhone
          ? {
              ...facts,
              phase: 'phone-connected',
              fallback: facts.fallback,
              citizenPhone: this.citizenPhone,
              bridgedWith: this.bridgedWith,
            }
          : { ...facts, phase: 'degraded' };
    }
  }

  #addLeg(kind: LegKind, party: Party, aor: AddressOfRecord | null): LegId {
    const attempt = this.facts.attempts[kind] + 1;
    const id = legIdOf(this.facts.id, kind, attempt);
    const leg: Leg = {
      id,
      kind,
      attempt,
      party,
      aor,
      state: 'dialing',
      dialledAt: this.at,
      streaming: false,
      sound: false,
      accepted: party.role === 'citizen' || party.acceptance === undefined || kind !== 'operator-phone',
      ending: false,
    };
    this.change({ attempts: { ...this.facts.attempts, [kind]: attempt }, legs: [...this.facts.legs, leg] });
    this.order({ type: 'leg.record', legId: id, change: { state: 'dialing', party, at: this.at } });
    return id;
  }
}
