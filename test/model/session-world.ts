/**
 * One session against a world that may do anything: an engine that carries orders out late, tells of what happened
 * late, twice or not at all; people who press, answer, hang up and fall silent. Each step is one number, so that a
 * sequence shrinks and repeats. After every decision the promises of the session are checked.
 */
import type { LegId } from '../../control-plane/src/domain/ids.ts';
import type { PbxCommand } from '../../control-plane/src/domain/session/command.ts';
import type { Decision } from '../../control-plane/src/domain/session/draft.ts';
import type { SessionEvent, Subject } from '../../control-plane/src/domain/session/event.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import type { Session } from '../../control-plane/src/domain/session/session.ts';
import { SessionScenario, subject } from '../support/session-scenario.ts';
import { checkDecision, checkRest } from './promises.ts';
import type { Channel, Watched } from './promises.ts';

/** An order to hang up takes the engine at most this long. */
const HANGS_UP_WITHIN_MS = 1500;
const MAX_LATE = 20;
/** Short, so that sequences of a minute or two have long sessions among them. */
const LONG_SESSION_MS = 45_000;

/** How the engine's word of something reaches the session. */
export type Delivery = 'now' | 'twice' | 'late' | 'lost';

export class SessionWorld extends SessionScenario implements Watched {
  readonly channels = new Map<LegId, Channel>();
  readonly #late: SessionEvent[] = [];
  #taken = 0;
  #depth = 0;
  /** How this citizen's subject differs from the usual one. */
  profile: Partial<Subject> = {};
  hungUp = false;
  missed = false;
  retries = 0;
  told: Watched['told'] = [];

  override send(event: SessionEvent): this {
    this.#depth += 1;
    super.send(event);
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.#takeOrders();
      checkRest(this);
    }
    return this;
  }

  protected override onDecision(before: Session | null, event: SessionEvent, decision: Decision): void {
    checkDecision(this, before, event, decision);
  }

  /** The engine notices something and tells of it; what is told late comes with a later step. */
  tell(event: SessionEvent, delivery: Delivery): void {
    switch (delivery) {
      case 'now':
        this.send(event);
        return;
      case 'twice':
        this.send(event).send(event);
        return;
      case 'late':
        if (this.#late.length < MAX_LATE) this.#late.push(event);
        return;
      case 'lost':
        return;
    }
  }

  /** The oldest word that was held back. */
  tellLate(pick: number): void {
    const [event] = this.#late.splice(pick % Math.max(1, this.#late.length), 1);
    if (event) this.send(event);
  }

  channelAt(pick: number, fits: (channel: Channel) => boolean = () => true): Channel | null {
    const found = [...this.channels.values()].filter(fits);
    return found[pick % Math.max(1, found.length)] ?? null;
  }

  override end(legId: LegId, outcome: LegOutcome, sipStatus: number | null = null): this {
    this.channels.delete(legId);
    return super.end(legId, outcome, sipStatus);
  }

  endSomehow(channel: Channel, outcome: LegOutcome, sipStatus: number | null, delivery: Delivery): void {
    this.channels.delete(channel.legId);
    this.tell({ type: 'pbx.ended', legId: channel.legId, outcome, sipStatus, q850: null }, delivery);
  }

  /** Time passes; hang-ups are carried out in their time, before what is due after them. */
  override forward(ms: number): this {
    const until = this.now + ms;
    while (this.now < until) {
      super.forward(Math.min(500, until - this.now));
      for (const channel of [...this.channels.values()])
        if (channel.hangupAt !== null && this.now - channel.hangupAt >= HANGS_UP_WITHIN_MS - 500)
          this.endSomehow(channel, 'cancelled', 487, 'now');
    }
    return this;
  }

  /** Every hang-up that was ordered is carried out. */
  override settle(): this {
    for (const channel of [...this.channels.values()])
      if (channel.hangupAt !== null) this.endSomehow(channel, 'cancelled', 487, 'now');
    return this;
  }

  /** Both phones are in the bridge to which they were ordered. */
  bridge(delivery: Delivery): void {
    const { session } = this;
    if (session?.phase !== 'phone-connected' || session.bridgedWith === null) return;
    const legIds = [session.citizenPhone, session.bridgedWith];
    if (legIds.some((legId) => this.channels.get(legId)?.state !== 'answered')) return;
    this.tell(
      {
        type: 'pbx.bridged',
        bridgeId: `${session.id}.phone` as never,
        legIds,
        technology: 'simple_bridge',
      },
      delivery,
    );
  }

  /** The control plane attaches to the engine (again) and compares: what was missed is told, what is owed is ordered. */
  reattach(): this {
    const legs = this.session && 'legs' in this.session ? this.session.legs : [];
    this.#late.length = 0;
    for (const leg of legs) {
      const channel = this.channels.get(leg.id);
      if (!channel) this.end(leg.id, 'lost');
      else if (channel.state === 'answered' && leg.state !== 'answered')
        this.send({ type: 'pbx.answered', legId: leg.id });
      else if (leg.ending) channel.hangupAt ??= this.now;
    }
    const { session } = this;
    const known = new Set(session && 'legs' in session ? session.legs.map((leg) => leg.id) : []);
    for (const { legId } of [...this.channels.values()]) if (!known.has(legId)) this.channels.delete(legId);
    return this;
  }

  #takeOrders(): void {
    for (; this.#taken < this.orders.length; this.#taken += 1) {
      const order = this.orders[this.#taken];
      if (order) this.#carryOut(order);
    }
  }

  #carryOut(order: PbxCommand): void {
    if (order.type === 'pbx.dial-app' || order.type === 'pbx.dial-phone') {
      if (this.channels.has(order.legId)) return;
      this.channels.set(order.legId, {
        legId: order.legId,
        person: order.type === 'pbx.dial-app' ? order.aor : personOf(order),
        isPhone: order.type === 'pbx.dial-phone',
        state: 'dialing',
        hangupAt: null,
      });
    } else if (order.type === 'pbx.hangup') {
      const channel = this.channels.get(order.legId);
      if (channel) channel.hangupAt ??= this.now;
    }
  }
}

function personOf({ party }: Extract<PbxCommand, { type: 'pbx.dial-phone' }>): string {
  return party.role === 'citizen' ? 'citizen' : party.operatorId;
}

/** The session as it begins in this world: by a press, or warmed up first; now and then another profile or policy. */
export function beginWorld(seed: number): SessionWorld {
  const world = new SessionWorld();
  const profile =
    seed % 16 === 0
      ? ({ phone: 'verified', silent: true } as const)
      : seed % 16 === 1
        ? ({ phone: 'unverified', silent: false } as const)
        : ({ phone: 'verified', silent: false } as const);
  const operatorAbsent = seed % 11 === 5 ? 'dial-both' : 'dial-operator';
  const change: Partial<Subject> = {
    profile,
    policy: { ...DEFAULT_POLICY, maxSessionMs: LONG_SESSION_MS, operatorAbsent },
  };
  world.profile = change;
  if (seed % 7 === 3) world.send({ type: 'api.armed', subject: subject(change) });
  else world.activate(change, seed % 5 !== 4);
  return world;
}
