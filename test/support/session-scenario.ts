/** Drives the reducer by hand: events, a clock that is wound forward, a roster that answers. No I/O, no waiting. */
import { citizenAor, operatorAor } from '../../control-plane/src/domain/ids.ts';
import type {
  CitizenId,
  ClientId,
  DeviceId,
  Instant,
  LegId,
  LegKind,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../control-plane/src/domain/ids.ts';
import type { Command, FeedEventName, PbxCommand } from '../../control-plane/src/domain/session/command.ts';
import type { Decision } from '../../control-plane/src/domain/session/draft.ts';
import type { SessionEvent, Subject, TimerName } from '../../control-plane/src/domain/session/event.ts';
import type { LegOutcome, Party } from '../../control-plane/src/domain/session/leg.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import { reduce } from '../../control-plane/src/domain/session/reduce.ts';
import { isLive } from '../../control-plane/src/domain/session/session.ts';
import type { Live, Session } from '../../control-plane/src/domain/session/session.ts';

export const SESSION = '11111111-2222-4333-8444-555555555555' as SessionId;
export const AKRAM = 'akram' as OperatorId;
export const BINA = 'bina' as OperatorId;
export const CHIEF = 'chief' as OperatorId;
const CITIZEN = 'priya' as CitizenId;
const DEVICE = 'phone1' as DeviceId;
export const CITIZEN_AOR = citizenAor(CITIZEN, DEVICE);

export function panelOf(operatorId: OperatorId) {
  return operatorAor(operatorId, 'panel1' as ClientId);
}

export function subject(change: Partial<Subject> = {}): Subject {
  return {
    sessionId: SESSION,
    citizenId: CITIZEN,
    deviceId: DEVICE,
    aor: CITIZEN_AOR,
    zoneId: 'central' as ZoneId,
    profile: { phone: 'verified', silent: false },
    flags: [],
    policy: DEFAULT_POLICY,
    ...change,
  };
}

export class SessionScenario {
  session: Session | null = null;
  now = 1_000_000 as Instant;
  /** Operators whose panel is free, in order of choice. */
  free: OperatorId[] = [AKRAM];
  chain: Party[] = [
    { role: 'operator', operatorId: AKRAM },
    { role: 'operator', operatorId: BINA },
    { role: 'supervisor', operatorId: CHIEF },
  ];
  /** Operators with a duty phone and room, in order of choice. */
  phones: OperatorId[] = [AKRAM, BINA];
  readonly timers = new Map<TimerName, Instant>();
  orders: PbxCommand[] = [];
  feed: FeedEventName[] = [];
  verdicts: string[] = [];
  readonly #story: { readonly at: number; readonly event: SessionEvent }[] = [];

  get live(): Live {
    if (!this.session || !isLive(this.session)) throw new Error(`Not live: ${this.session?.phase ?? 'none'}`);
    return this.session;
  }

  /** The events so far, shortened: for messages. */
  get trace(): readonly string[] {
    return this.#story.map(({ at, event }) => {
      const subjectOf = 'legId' in event ? event.legId.slice(SESSION.length + 1) : '';
      const word = 'timer' in event ? event.timer : 'outcome' in event ? event.outcome : '';
      return [at - 1_000_000, event.type, subjectOf, word].filter((part) => part !== '').join(' ');
    });
  }

  get phase(): string {
    return this.session?.phase ?? 'none';
  }

  send(event: SessionEvent): this {
    this.#story.push({ at: this.now, event });
    const before = this.session;
    const decision = reduce(this.session, event, this.now);
    if (!decision) return this;
    this.session = decision.session;
    this.verdicts.push(decision.verdict);
    this.onDecision(before, event, decision);
    for (const command of decision.commands) this.#take(command);
    return this;
  }

  /** For those who look at each decision, before what it asks of the roster is answered. */
  protected onDecision(_before: Session | null, _event: SessionEvent, _decision: Decision): void {
    return;
  }

  activate(change: Partial<Subject> = {}, contactOnline = true): this {
    return this.send({ type: 'api.activated', subject: subject(change), contactOnline });
  }

  /** Winds the clock on; timers fire in order of their time. */
  forward(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      const next = [...this.timers].filter(([, at]) => at <= until).toSorted((a, b) => a[1] - b[1])[0];
      if (!next) break;
      this.timers.delete(next[0]);
      this.now = Math.max(this.now, next[1]) as Instant;
      this.send({ type: 'timer.due', timer: next[0] });
    }
    this.now = until as Instant;
    return this;
  }

  /** The newest leg of a kind that is not on its way out. */
  leg(kind: LegKind): LegId {
    const legs = this.session && 'legs' in this.session ? this.session.legs : [];
    const found = legs.filter((leg) => leg.kind === kind && !leg.ending).at(-1);
    if (!found) throw new Error(`No ${kind} leg stands.`);
    return found.id;
  }

  has(kind: LegKind): boolean {
    const legs = this.session && 'legs' in this.session ? this.session.legs : [];
    return legs.some((leg) => leg.kind === kind && !leg.ending);
  }

  answer(kind: LegKind): this {
    return this.send({ type: 'pbx.answered', legId: this.leg(kind) });
  }

  end(legId: LegId, outcome: LegOutcome, sipStatus: number | null = null): this {
    return this.send({ type: 'pbx.ended', legId, outcome, sipStatus, q850: null });
  }

  stream(): this {
    return this.send({ type: 'media.streaming', legId: this.leg('citizen-app') });
  }

  heard(operatorId: OperatorId = AKRAM): this {
    return this.send({ type: 'panel.heard', legId: this.leg('operator-app'), operatorId });
  }

  /** Both apps answered, packets and the panel's word: active. */
  becomeActive(): this {
    return this.answer('citizen-app').answer('operator-app').stream().heard();
  }

  /** The engine carries out what it was told: hung-up legs end, joined phone legs are bridged. */
  settle(): this {
    for (let round = 0; round < 20; round += 1) {
      const orders = this.orders;
      if (orders.length === 0) return this;
      this.orders = [];
      const joined = orders.filter((order) => order.type === 'pbx.join' && order.bridgeId.endsWith('.phone'));
      for (const order of orders) if (order.type === 'pbx.hangup') this.end(order.legId, 'cancelled', 487);
      const first = joined[0];
      if (first?.type === 'pbx.join' && joined.length >= 2) {
        const legIds = joined.flatMap((order) => (order.type === 'pbx.join' ? [order.legId] : []));
        this.send({ type: 'pbx.bridged', bridgeId: first.bridgeId, legIds, technology: 'native_rtp' });
      }
    }
    throw new Error('The engine does not come to rest.');
  }

  ordered<Type extends PbxCommand['type']>(type: Type): Extract<PbxCommand, { type: Type }>[] {
    return this.orders.filter((order): order is Extract<PbxCommand, { type: Type }> => order.type === type);
  }

  #take(command: Command): void {
    switch (command.type) {
      case 'timer.set':
        this.timers.set(command.timer, command.dueAt);
        return;
      case 'timer.clear':
        this.timers.delete(command.timer);
        return;
      case 'roster.assign': {
        const operatorId = this.free.find((one) => !command.exclude.includes(one));
        if (operatorId)
          this.send({
            type: 'roster.assigned',
            operatorId,
            aor: panelOf(operatorId),
          });
        else this.send({ type: 'roster.nobody-free' });
        return;
      }
      case 'roster.hand-over': {
        const { to, by, exclude } = command;
        const able = by === 'panel' ? this.free : this.phones;
        const operatorId = able.find((one) => (to === null || one === to) && !exclude.includes(one));
        if (operatorId)
          this.send({
            type: 'roster.hand-over-found',
            operatorId,
            aor: by === 'panel' ? panelOf(operatorId) : null,
          });
        else this.send({ type: 'roster.hand-over-nobody' });
        return;
      }
      case 'roster.chain':
        this.send({ type: 'roster.chain-found', chain: this.chain });
        return;
      case 'feed.publish':
        this.feed.push(command.event);
        return;
      case 'alert.raise':
      case 'leg.record':
        return;
      default:
        this.orders.push(command);
    }
  }
}
