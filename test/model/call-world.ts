/**
 * One call against a world that may do anything: an engine that tells of what happened late, twice or not at all, that has
 * no room, that loses its legs; phones that ring, answer, refuse and hang up; a backend that holds, transfers and hangs up;
 * a process that dies between its decision and its orders. Each step is one number. After every decision the promises of
 * a call are checked.
 */
import { callDifferences, owedOrders } from '../../control-plane/src/app/calls/reconcile-calls.ts';
import { isLiveCall, legOf, talkOf } from '../../control-plane/src/domain/call/call.ts';
import type { Call, Place } from '../../control-plane/src/domain/call/call.ts';
import type { CallDecision } from '../../control-plane/src/domain/call/call-draft.ts';
import type { CallCommand, CallNews, CallOrder } from '../../control-plane/src/domain/call/command.ts';
import type { CallEvent, CallTimer } from '../../control-plane/src/domain/call/event.ts';
import { reduceCall } from '../../control-plane/src/domain/call/reduce-call.ts';
import type { BridgeId, CallId, Instant, LegId } from '../../control-plane/src/domain/ids.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';

export const CALL_ID = '3b1f8a52-8f0e-4e7b-9d3e-2f6f6a1f0a11' as CallId;
const MAX_DURATION_MS = 60_000;
const RING_MS = 20_000;
/** An order to hang up takes the engine at most this long. */
const HANGS_UP_WITHIN_MS = 1500;
const MAX_LATE = 20;

type Delivery = 'now' | 'twice' | 'late' | 'lost';
const DELIVERIES: readonly Delivery[] = ['now', 'now', 'now', 'twice', 'late', 'lost'];
const REFUSALS: readonly LegOutcome[] = ['busy', 'rejected', 'unreachable', 'invalid-number', 'congestion'];

interface Channel {
  readonly legId: LegId;
  readonly place: Place;
  state: 'dialing' | 'ringing' | 'answered';
  joined: boolean;
  holding: boolean;
  hangupAt: number | null;
}

export class CallWorld {
  call: Call;
  now = 1_000_000;
  readonly channels = new Map<LegId, Channel>();
  readonly timers = new Map<CallTimer, number>();
  readonly news: CallNews[] = [];
  readonly trace: string[] = [];
  #late: CallEvent[] = [];
  readonly #seed: number;
  #dials = 0;
  /** The engine takes no new call. */
  isFull = false;
  /** Nobody carries orders out: the process died after its commit. */
  isDead = false;

  constructor(seed: number) {
    this.#seed = seed >> 8;
    const bridges = seed % 4;
    const bridgeWhen = (seed >> 2) % 2 === 0 ? 'answered' : 'at-once';
    this.isFull = (seed >> 3) % 8 === 7;
    const plan = { bridges, bridgeWhen, ringTimeoutMs: RING_MS, maxDurationMs: MAX_DURATION_MS } as const;
    const call = { id: CALL_ID, createdBy: 'backend:b', purpose: 'test', plan };
    const first = reduceCall(null, { type: 'api.created', call }, this.#at);
    if (!first) throw new Error('a call did not begin');
    this.call = first.call;
    this.#take(first, 'api.created');
  }

  get #at(): Instant {
    return this.now as Instant;
  }

  send(event: CallEvent): void {
    const before = this.call;
    const decision = reduceCall(before, event, this.#at);
    if (!decision) throw new Error('a call has no answer to an event');
    if (!isLiveCall(before) && decision.call.state !== before.state) throw new Error('a call rose again');
    if (decision.verdict !== 'applied' && decision.call !== before) throw new Error('ignored, and changed');
    this.call = decision.call;
    const name = event.type === 'timer.due' ? event.timer : event.type;
    this.#take(decision, `${name}${'legId' in event ? ` ${event.legId.slice(37)}` : ''}`);
  }

  #take({ call, commands, verdict }: CallDecision, name: string): void {
    this.trace.push(`${Math.round(this.now - 1_000_000)} ${name} → ${call.state}/${talkOf(call)} ${verdict}`);
    const orders: CallOrder[] = [];
    for (const command of commands) {
      if (command.type === 'timer.set') this.timers.set(command.timer, command.dueAt);
      else if (command.type === 'timer.clear') this.timers.delete(command.timer);
      else if (command.type === 'call.publish') this.#publish(command);
      else if (command.type !== 'leg.record') orders.push(command);
    }
    this.#check();
    if (!this.isDead) for (const order of orders) this.#carryOut(order);
  }

  #publish({ leg, event }: Extract<CallCommand, { type: 'call.publish' }>): void {
    if (leg !== 'call-to') return;
    if (this.news.some((one) => one === 'ended' || one === 'failed'))
      throw new Error(`told ${event} after the end`);
    if (this.news.includes(event)) throw new Error(`told ${event} twice`);
    this.news.push(event);
  }

  #check(): void {
    const { call } = this;
    const isOver = !isLiveCall(call);
    if (isOver !== this.news.some((one) => one === 'ended' || one === 'failed'))
      throw new Error('the end and the news of it go apart');
    const standing = call.legs.filter(({ ending }) => ending === null);
    if (isOver && standing.length > 0) throw new Error('a leg stands after the end');
    if (new Set(call.legs.map(({ place }) => place)).size < call.legs.length)
      throw new Error('two legs to one party');
    if (isOver) {
      if ([...this.timers.keys()].some((timer) => timer !== 'clear')) throw new Error('a timer outlives it');
      if (call.legs.length > 0 && !this.timers.has('clear')) throw new Error('nothing clears its legs');
      return;
    }
    if (talkOf(call) === 'joined')
      for (const legId of [call.to, call.other]) {
        const leg = legId === null ? null : legOf(call, legId);
        if (leg?.state !== 'answered' || leg.ending !== null) throw new Error('joined with a dead leg');
      }
    const { to, other, transfer } = call;
    for (const legId of [to, other, transfer?.leg ?? null])
      if (legId !== null && legOf(call, legId)?.ending !== null)
        throw new Error('it counts on a leg that has gone');
    if (standing.some(({ id }) => id !== to && id !== other && id !== transfer?.leg))
      throw new Error('a leg stands for nothing');
    if (this.timers.size === 0) throw new Error(`no deadline in ${call.state}`);
    for (const leg of standing) {
      const role = leg.kind === 'call-to' ? 'to' : 'other';
      const timer = leg.state === 'waiting' ? `${role}-queue` : `${role}-ring`;
      if (leg.state !== 'answered' && !this.timers.has(timer as CallTimer))
        throw new Error(`${leg.id.slice(37)} is ${leg.state} without a deadline`);
    }
    if (call.state === 'answered' && !this.timers.has('max-duration'))
      throw new Error('it may last for ever');
  }

  #carryOut(order: CallOrder): void {
    switch (order.type) {
      case 'pbx.dial-phone': {
        if (this.channels.has(order.legId)) return;
        if (this.isFull) {
          this.send({ type: 'pbx.overloaded', legId: order.legId });
          return;
        }
        const { legId, place } = order;
        if ([...this.channels.values()].some((channel) => channel.place === place))
          throw new Error(`dialled a second time at once: party ${place}`);
        this.channels.set(legId, {
          legId,
          place,
          state: 'dialing',
          joined: false,
          holding: false,
          hangupAt: null,
        });
        this.#dials += 1;
        const delivery = DELIVERIES[(this.#seed + this.#dials) % DELIVERIES.length] ?? 'now';
        this.tell({ type: 'pbx.tried', legId, try: 1, trunk: 'carrier' }, delivery);
        return;
      }
      case 'pbx.hangup': {
        const channel = this.channels.get(order.legId);
        if (channel) channel.hangupAt ??= this.now;
        return;
      }
      case 'pbx.join': {
        const leg = legOf(this.call, order.legId);
        if (leg?.state !== 'answered' || leg.ending !== null) throw new Error('joins a leg that is not up');
        const channel = this.channels.get(order.legId);
        if (channel?.state === 'answered') Object.assign(channel, { joined: true, holding: false });
        return;
      }
      case 'pbx.close-bridge':
        for (const channel of this.channels.values()) channel.joined = false;
        return;
      case 'pbx.hold': {
        const channel = this.channels.get(order.legId);
        if (channel?.state === 'answered' && !channel.joined) channel.holding = true;
      }
    }
  }

  tell(event: CallEvent, delivery: Delivery): void {
    if (this.isDead) return;
    if (delivery === 'late') {
      if (this.#late.length < MAX_LATE) this.#late.push(event);
      return;
    }
    if (delivery === 'lost') return;
    this.send(event);
    if (delivery === 'twice') this.send(event);
    if (!('legId' in event) || legOf(this.call, event.legId) !== null) return;
    const stranger = this.channels.get(event.legId);
    const says = ['pbx.tried', 'pbx.ringing', 'pbx.answered'].includes(event.type);
    if (says && stranger?.hangupAt === null) throw new Error('a leg of no call lives on');
  }

  forward(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const [next] = [...this.timers].filter(([, at]) => at <= until).toSorted(([, a], [, b]) => a - b);
      const [gone] = [...this.channels.values()]
        .flatMap((channel) =>
          channel.hangupAt === null ? [] : [{ channel, at: channel.hangupAt + HANGS_UP_WITHIN_MS }],
        )
        .filter(({ at }) => at <= until)
        .toSorted((a, b) => a.at - b.at);
      if (gone && (!next || gone.at <= next[1])) {
        this.now = Math.max(this.now, gone.at);
        this.end(gone.channel, 'cancelled', 'now');
      } else if (next && !this.isDead) {
        this.now = Math.max(this.now, next[1]);
        this.timers.delete(next[0]);
        this.send({ type: 'timer.due', timer: next[0] });
      } else break;
    }
    this.now = until;
  }

  end(channel: Channel, outcome: LegOutcome, delivery: Delivery): void {
    this.channels.delete(channel.legId);
    const told = outcome === 'cancelled' && channel.state === 'answered' ? 'completed' : outcome;
    this.tell(
      { type: 'pbx.ended', legId: channel.legId, outcome: told, sipStatus: null, q850: null },
      delivery,
    );
  }

  /** A process (again): it compares, is told what it missed, and orders what is owed. */
  reattach(): void {
    this.isDead = false;
    this.#late = [];
    const legs = [...this.channels.values()].map(({ legId, state, joined }) => ({
      legId,
      state,
      trunk: 'carrier',
      bridgeId: joined ? (`${CALL_ID}.call` as BridgeId) : null,
    }));
    const isBridged = legs.some(({ bridgeId }) => bridgeId !== null);
    const bridges = isBridged ? [{ bridgeId: `${CALL_ID}.call` as BridgeId, legIds: [] }] : [];
    const found = callDifferences(
      { legs, bridges },
      [this.call],
      this.#at,
      () => false,
      () => false,
    );
    for (const { event } of found.events) this.send(event);
    for (const order of owedOrders(this.call, () => false)) this.#carryOut(order);
    for (const legId of found.strayLegs) {
      const stray = this.channels.get(legId);
      if (stray) stray.hangupAt ??= this.now;
    }
    if (found.strayBridges.length > 0) for (const channel of this.channels.values()) channel.joined = false;
  }

  tellLate(pick: number): void {
    const [event] = this.#late.splice(pick % Math.max(1, this.#late.length), 1);
    if (event) this.send(event);
  }

  channelAt(pick: number): Channel | null {
    const all = [...this.channels.values()];
    return all[pick % Math.max(1, all.length)] ?? null;
  }
}

export function takeCallStep(world: CallWorld, step: number): void {
  const pick = step >> 8;
  const delivery = DELIVERIES[(step >> 16) % DELIVERIES.length] ?? 'now';
  const channel = world.channelAt(pick);
  switch (step % 16) {
    case 0:
    case 1:
      if (channel?.state === 'dialing') {
        channel.state = 'ringing';
        world.tell({ type: 'pbx.ringing', legId: channel.legId }, delivery);
      }
      return;
    case 2:
    case 3:
    case 4:
      if (channel && channel.state !== 'answered') {
        channel.state = 'answered';
        world.tell({ type: 'pbx.answered', legId: channel.legId, trunk: 'carrier' }, delivery);
      }
      return;
    case 5:
      if (channel) {
        const refusal = REFUSALS[pick % REFUSALS.length] ?? 'busy';
        world.end(channel, channel.state === 'answered' ? 'completed' : refusal, delivery);
      }
      return;
    case 6:
      world.tellLate(pick);
      return;
    case 7:
      world.forward(pick % 3000);
      return;
    case 8:
      world.forward(pick % 25_000);
      return;
    case 9:
      if (!world.isDead) world.send({ type: 'api.hold-requested' });
      return;
    case 10:
      if (!world.isDead) world.send({ type: 'api.unhold-requested' });
      return;
    case 11:
    case 12:
      if (!world.isDead)
        world.send({ type: 'api.transfer-requested', place: 1 + (pick % (world.call.places + 1)) });
      return;
    case 13:
      if (!world.isDead && pick % 4 === 0) world.send({ type: 'api.hung-up' });
      return;
    case 14:
      if (world.isDead) world.reattach();
      else world.isDead = pick % 2 === 0;
      return;
    case 15:
      if (pick % 3 === 0) world.channels.clear();
      else world.isFull = !world.isFull;
      if (pick % 3 === 0) world.reattach();
  }
}

/** A day passes; whatever it was, it is over, told once, and nothing of it is left. */
export function finishCall(world: CallWorld): void {
  world.reattach();
  world.forward(3_600_000);
  const { call, channels, timers, news } = world;
  if (isLiveCall(call)) throw new Error(`after an hour it is ${call.state}`);
  if (call.legs.length > 0) throw new Error('legs outlive it');
  if (channels.size > 0) throw new Error(`channels outlive it: ${[...channels.keys()].join()}`);
  if (timers.size > 0) throw new Error(`timers outlive it: ${[...timers.keys()].join()}`);
  if (news.filter((one) => one === 'ended' || one === 'failed').length !== 1)
    throw new Error('its end was not told once');
}
