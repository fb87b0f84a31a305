/** Carries out what was decided about calls, after the commit. What cannot be dialled comes back as an event. */
import type { CallOrder } from '../../domain/call/command.ts';
import type { CallEvent } from '../../domain/call/event.ts';
import type { CallId, Instant, LegId } from '../../domain/ids.ts';
import type { LegOutcome } from '../../domain/session/leg.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Failpoints } from '../../ports/failpoints.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { PbxErrorCode, PbxResult } from '../../ports/pbx-driver.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { Telephony } from '../../ports/telephony.ts';
import { KeyedQueue } from '../keyed-queue.ts';
import type { CallNumbers } from './call-numbers.ts';

const JOIN_ATTEMPTS = 3;
/** Beyond the call's longest time: whoever decides about calls ends it first, wherever there is somebody. */
const BACKSTOP_MS = 30_000;
/** Legs whose dialling is remembered: far more than are dialled while an engine's inventory is compared. */
const MAX_REMEMBERED = 10_000;

/** Not for us to send at the moment; once the engine is back, what still may ring is dialled. */
const NOT_SENT: ReadonlySet<PbxErrorCode> = new Set([
  'ERR_PBX_DISCONNECTED',
  'ERR_PBX_REPLACED',
  'ERR_PBX_FENCED',
]);

type Dial = Extract<CallOrder, { type: 'pbx.dial-phone' }>;

export interface CallPerformPorts {
  readonly telephony: Telephony;
  readonly numbers: CallNumbers;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
  readonly told: (callId: CallId, event: CallEvent) => void;
}

export class CallPerformer {
  readonly #ports: CallPerformPorts;
  readonly #queue = new KeyedQueue<string>();
  /** When this process was last told to dial a leg; oldest first. */
  readonly #dialledAt = new Map<LegId, Instant>();

  constructor(ports: CallPerformPorts) {
    this.#ports = ports;
  }

  /**
   * Dials and hang-ups of one leg run in order, and so do the orders about who hears whom in one call: nobody's hang-up waits
   * for a bridge.
   */
  perform(callId: CallId, orders: readonly CallOrder[]): void {
    for (const order of orders) {
      const isOfLeg = order.type === 'pbx.dial-phone' || order.type === 'pbx.hangup';
      if (order.type === 'pbx.dial-phone') this.#remember(order.legId);
      const done = this.#queue.run(isOfLeg ? order.legId : callId, async () => {
        this.#ports.failpoints?.passed('command-due', order.type);
        await this.#one(callId, order);
      });
      void done.catch((error: unknown) => {
        this.#ports.metrics.count('hamrahi_calls_command_bugs_total', { command: order.type });
        this.#ports.log.error('A command of a call threw.', {
          command: order.type,
          callId,
          error: String(error),
        });
      });
    }
  }

  /** Whether this process has dialled the leg later than `at`, by its own clock. */
  hasDialledSince(legId: LegId, at: Instant): boolean {
    return (this.#dialledAt.get(legId) ?? Number.NEGATIVE_INFINITY) > at;
  }

  async idle(): Promise<void> {
    await this.#queue.idle();
  }

  #remember(legId: LegId): void {
    this.#dialledAt.delete(legId);
    this.#dialledAt.set(legId, this.#ports.clock.now());
    const [oldest] = this.#dialledAt.keys();
    if (this.#dialledAt.size > MAX_REMEMBERED && oldest !== undefined) this.#dialledAt.delete(oldest);
  }

  async #one(callId: CallId, order: CallOrder): Promise<void> {
    const { telephony } = this.#ports;
    switch (order.type) {
      case 'pbx.dial-phone':
        await this.#dial(callId, order);
        return;
      case 'pbx.hangup':
        this.#note(order, await this.#answered(order, telephony.hangup(order.legId, order.reason)));
        return;
      case 'pbx.join':
        await this.#join(order);
        return;
      case 'pbx.close-bridge':
        this.#note(order, await this.#answered(order, telephony.closeBridge(order.bridgeId)));
        return;
      case 'pbx.hold':
        this.#note(order, await this.#answered(order, telephony.startHoldingPrompt(order.legId)));
    }
  }

  async #dial(callId: CallId, order: Dial): Promise<void> {
    const { telephony, numbers, clock, told } = this.#ports;
    const { legId, place, ringTimeoutMs, triesBefore, overBy } = order;
    const ended = (outcome: LegOutcome): void =>
      told(callId, { type: 'pbx.ended', legId, outcome, sipStatus: null, q850: null });
    let party: Awaited<ReturnType<CallNumbers['of']>>;
    try {
      party = await numbers.of(callId, place);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Nobody can be asked whom to call: it is asked again as long as the leg may wait.
      told(callId, { type: 'pbx.overloaded', legId });
      return;
    }
    if (party === null) {
      ended('invalid-number');
      return;
    }
    const result = await this.#answered(
      order,
      telephony.dialPhone({
        legId,
        ownerId: callId,
        ...party,
        ringTimeoutMs,
        purpose: 'call',
        triesBefore,
        trunk: null,
        longestMs: Math.max(0, overBy - clock.now()) + BACKSTOP_MS,
      }),
    );
    if (result.ok || result.code === 'ERR_PBX_CONFLICT') return;
    this.#note(order, result);
    if (result.code === 'ERR_PBX_OVERLOAD') told(callId, { type: 'pbx.overloaded', legId });
    else if (!NOT_SENT.has(result.code)) ended(outcomeOf(result.code));
  }

  /** A leg that cannot be joined would hear nothing: after a few tries it is hung up, and its end moves the call on. */
  async #join(order: Extract<CallOrder, { type: 'pbx.join' }>): Promise<void> {
    const { telephony } = this.#ports;
    for (let attempt = 1; attempt <= JOIN_ATTEMPTS; attempt += 1) {
      const result = await this.#answered(order, telephony.join(order.bridgeId, order.legId, 'both'));
      if (result.ok || result.code === 'ERR_PBX_NOT_FOUND') return;
      this.#note(order, result);
      if (NOT_SENT.has(result.code)) return;
    }
    this.#note(order, await telephony.hangup(order.legId, 'normal'));
  }

  async #answered(order: CallOrder, answer: Promise<PbxResult>): Promise<PbxResult> {
    const result = await answer;
    this.#ports.failpoints?.passed('command-done', order.type);
    return result;
  }

  #note(order: CallOrder, result: PbxResult): void {
    if (result.ok) return;
    const { code } = result;
    this.#ports.metrics.count('hamrahi_calls_command_failures_total', { command: order.type, code });
    // That there is no room is the queue's everyday life.
    if (code === 'ERR_PBX_OVERLOAD') return;
    this.#ports.log.warn('The engine did not do what a call ordered.', {
      command: order.type,
      code,
      ...('legId' in order ? { legId: order.legId } : {}),
    });
  }
}

function outcomeOf(code: PbxErrorCode): LegOutcome {
  if (code === 'ERR_PBX_NO_CONTACT' || code === 'ERR_PBX_NOT_FOUND') return 'trunk-unreachable';
  return code === 'ERR_PBX_REFUSED' ? 'congestion' : 'lost';
}
