/** One call, told step by step: what was decided, in words. */
import { talkOf } from '../../control-plane/src/domain/call/call.ts';
import type { Call, CallPlan, Place } from '../../control-plane/src/domain/call/call.ts';
import type { CallCommand } from '../../control-plane/src/domain/call/command.ts';
import type { CallVerdict } from '../../control-plane/src/domain/call/call-draft.ts';
import type { CallEvent, CallTimer } from '../../control-plane/src/domain/call/event.ts';
import { reduceCall } from '../../control-plane/src/domain/call/reduce-call.ts';
import type { CallId, Instant, LegId } from '../../control-plane/src/domain/ids.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';

const ID = '7d1f8a52-8f0e-4e7b-9d3e-2f6f6a1f0a11' as CallId;
const T0 = 1_000_000;

export class CallScenario {
  #call: Call;
  #now = T0;
  verdict: CallVerdict = 'applied';
  readonly timers = new Map<CallTimer, number>();
  /** Orders of the last event: `dial to.1`, `hangup other.1 normal`, `join to.1`, `close`, `hold to.1`. */
  orders: string[] = [];
  /** Everything that is told outside: `to ringing`, `other answered`, `to failed busy`. */
  readonly news: string[] = [];
  /** Ends of legs as the records have them. */
  readonly ends: string[] = [];

  constructor(plan: Partial<CallPlan> = {}) {
    const usual: CallPlan = {
      bridges: 0,
      bridgeWhen: 'answered',
      ringTimeoutMs: 30_000,
      maxDurationMs: 600_000,
    };
    const call = { id: ID, createdBy: 'backend:b', purpose: 'call', plan: { ...usual, ...plan } };
    const first = reduceCall(null, { type: 'api.created', call }, this.#now as Instant);
    if (!first) throw new Error('a call did not begin');
    this.#call = first.call;
    this.#note(first.commands);
  }

  get call(): Call {
    return this.#call;
  }

  /** `answered/joined`; of a call that is over, why. */
  get state(): string {
    const call = this.#call;
    return `${call.state}/${'reason' in call ? call.reason : talkOf(call)}`;
  }

  /** Legs that are known, and how they stand. */
  get legs(): string[] {
    return this.#call.legs.map(
      ({ id, state, ending }) => `${nameOf(id)} ${ending === null ? state : 'ending'}`,
    );
  }

  send(event: CallEvent): this {
    const decision = reduceCall(this.#call, event, this.#now as Instant);
    if (!decision) throw new Error('a call has no answer');
    this.#call = decision.call;
    this.verdict = decision.verdict;
    this.orders = [];
    this.#note(decision.commands);
    return this;
  }

  tried(leg: string, trunk = 'tata', number = 1): this {
    return this.send({ type: 'pbx.tried', legId: legIdNamed(leg), try: number, trunk });
  }

  rings(leg: string): this {
    return this.send({ type: 'pbx.ringing', legId: legIdNamed(leg) });
  }

  answers(leg: string): this {
    return this.send({ type: 'pbx.answered', legId: legIdNamed(leg), trunk: 'tata' });
  }

  gone(leg: string, outcome: LegOutcome = 'completed', sipStatus: number | null = null): this {
    return this.send({ type: 'pbx.ended', legId: legIdNamed(leg), outcome, sipStatus, q850: null });
  }

  overloaded(leg: string): this {
    return this.send({ type: 'pbx.overloaded', legId: legIdNamed(leg) });
  }

  hold(): this {
    return this.send({ type: 'api.hold-requested' });
  }

  unhold(): this {
    return this.send({ type: 'api.unhold-requested' });
  }

  transfer(place: Place): this {
    return this.send({ type: 'api.transfer-requested', place });
  }

  hangUp(): this {
    return this.send({ type: 'api.hung-up' });
  }

  /** Both parties have answered, and hear each other. */
  joined(): this {
    return this.tried('to.1').rings('to.1').answers('to.1').tried('other.1').answers('other.1');
  }

  /** Time goes by; deadlines fire in their order. */
  forward(ms: number): this {
    const until = this.#now + ms;
    const told: string[] = [];
    for (;;) {
      const [next] = [...this.timers].filter(([, at]) => at <= until).toSorted(([, a], [, b]) => a - b);
      if (!next) break;
      this.#now = next[1];
      this.timers.delete(next[0]);
      this.send({ type: 'timer.due', timer: next[0] });
      told.push(...this.orders);
    }
    this.#now = until;
    this.orders = told;
    return this;
  }

  /** Since the call began. */
  get afterMs(): number {
    return this.#now - T0;
  }

  #note(commands: readonly CallCommand[]): void {
    for (const command of commands) {
      switch (command.type) {
        case 'timer.set':
          this.timers.set(command.timer, command.dueAt);
          break;
        case 'timer.clear':
          this.timers.delete(command.timer);
          break;
        case 'leg.record':
          if (command.change.state === 'ended')
            this.ends.push(`${nameOf(command.legId)} ${command.change.outcome}`);
          break;
        case 'call.publish': {
          const who = command.leg === 'call-to' ? 'to' : 'other';
          this.news.push([who, command.event, command.end?.outcome].filter(Boolean).join(' '));
          break;
        }
        case 'pbx.dial-phone':
          this.orders.push(`dial ${nameOf(command.legId)} → ${command.place}`);
          break;
        case 'pbx.hangup':
          this.orders.push(`hangup ${nameOf(command.legId)} ${command.reason}`);
          break;
        case 'pbx.join':
          this.orders.push(`join ${nameOf(command.legId)}`);
          break;
        case 'pbx.close-bridge':
          this.orders.push('close');
          break;
        case 'pbx.hold':
          this.orders.push(`hold ${nameOf(command.legId)}`);
          break;
      }
    }
  }
}

function nameOf(legId: LegId): string {
  return legId
    .slice(ID.length + 1)
    .replace('call-bridge-to', 'other')
    .replace('call-to', 'to');
}

function legIdNamed(name: string): LegId {
  const [who, attempt] = name.split('.');
  return `${ID}.${who === 'to' ? 'call-to' : 'call-bridge-to'}.${attempt ?? '1'}` as LegId;
}
