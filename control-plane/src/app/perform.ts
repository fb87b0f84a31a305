/** Carries out what a decision ordered, after its commit. Orders of one leg run in order; a dial that fails is an event. */
import type { AddressOfRecord, Instant, LegId, SessionId } from '../domain/ids.ts';
import type { PbxCommand } from '../domain/session/command.ts';
import type { LegOutcome } from '../domain/session/leg.ts';
import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { PbxErrorCode, PbxResult } from '../ports/pbx-driver.ts';
import type { Telephony } from '../ports/telephony.ts';
import type { MasterData } from './master-data.ts';
import { KeyedQueue } from './keyed-queue.ts';

const JOIN_ATTEMPTS = 3;
/** Of two apps that are called at once, the first (hers) has the engine for itself until it is on its way. */
const HEAD_START_MS = 50;

/** Legs whose dialling is remembered: far more than are dialled while an engine's inventory is compared. */
const MAX_REMEMBERED = 10_000;

const NOT_SENT: ReadonlySet<PbxErrorCode> = new Set([
  'ERR_PBX_DISCONNECTED',
  'ERR_PBX_REPLACED',
  'ERR_PBX_FENCED',
]);

export interface PerformPorts {
  readonly pbx: Telephony;
  readonly masterData: MasterData;
  /** The session is over: the endpoint goes, unless a newer session needs it. */
  readonly removeEndpoint: (aor: AddressOfRecord) => Promise<PbxResult>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
  /** A dial that cannot succeed: reported like the end of the leg. */
  readonly dialFailed: (legId: LegId, outcome: LegOutcome) => void;
}

export class Performer {
  readonly #ports: PerformPorts;
  readonly #queue = new KeyedQueue<string>();
  /** When this process was last told to dial a leg; oldest first. */
  readonly #dialledAt = new Map<LegId, Instant>();

  constructor(ports: PerformPorts) {
    this.#ports = ports;
  }

  perform(sessionId: SessionId, orders: readonly PbxCommand[]): void {
    let dialledFirst: Promise<unknown> | null = null;
    for (const order of orders) {
      const key = 'legId' in order ? order.legId : sessionId;
      const ahead = order.type === 'pbx.dial-app' ? dialledFirst : null;
      const done = this.#queue.run(key, async () => {
        if (ahead) await Promise.race([ahead, this.#after(HEAD_START_MS)]);
        this.#ports.failpoints?.passed('command-due', order.type);
        await this.#one(sessionId, order);
      });
      if (order.type === 'pbx.dial-app' || order.type === 'pbx.dial-phone') this.#remember(order.legId);
      if (order.type === 'pbx.dial-app') dialledFirst ??= done.catch(() => undefined);
      void done.catch((error: unknown) => {
        this.#ports.metrics.count('hamrahi_core_command_bugs_total', { command: order.type });
        this.#ports.log.error('A command threw.', { command: order.type, sessionId, error: String(error) });
      });
    }
  }

  /** Whether this process has dialled the leg later than `at`, by its own clock. */
  hasDialledSince(legId: LegId, at: Instant): boolean {
    return (this.#dialledAt.get(legId) ?? Number.NEGATIVE_INFINITY) > at;
  }

  #remember(legId: LegId): void {
    this.#dialledAt.delete(legId);
    this.#dialledAt.set(legId, this.#ports.clock.now());
    const [oldest] = this.#dialledAt.keys();
    if (this.#dialledAt.size > MAX_REMEMBERED && oldest !== undefined) this.#dialledAt.delete(oldest);
  }

  /** When every order given so far is done. */
  async idle(): Promise<void> {
    await this.#queue.idle();
  }

  #after(delayMs: number): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => void clock.at((clock.now() + delayMs) as Instant, () => resolve()));
  }

  async #one(sessionId: SessionId, order: PbxCommand): Promise<void> {
    const { pbx } = this.#ports;
    switch (order.type) {
      case 'pbx.dial-app':
        this.#dialled(order, await this.#answered(order, pbx.dialApp({ ...order, sessionId })));
        return;
      case 'pbx.dial-phone':
        await this.#dialPhone(sessionId, order);
        return;
      case 'pbx.hangup':
        this.#note(order, await this.#answered(order, pbx.hangup(order.legId, order.reason)));
        return;
      case 'pbx.join':
        await this.#join(order);
        return;
      case 'pbx.close-bridge':
        this.#note(order, await pbx.closeBridge(order.bridgeId));
        return;
      case 'pbx.hold':
        this.#note(order, await pbx.startHoldingPrompt(order.legId));
        return;
      case 'pbx.ask-acceptance':
        this.#note(order, await pbx.startAcceptancePrompt(order.legId));
        return;
      case 'pbx.watch-media':
        pbx.watchMedia(order.legId);
        return;
      case 'pbx.remove-endpoint':
        this.#note(order, await this.#ports.removeEndpoint(order.aor));
    }
  }

  async #dialPhone(
    sessionId: SessionId,
    order: Extract<PbxCommand, { type: 'pbx.dial-phone' }>,
  ): Promise<void> {
    const { pbx, masterData, dialFailed } = this.#ports;
    const { legId, ringTimeoutMs, triesBefore = 0 } = order;
    const number = await masterData.numberOf(order.party);
    if (!number) {
      this.#ports.log.warn('No number for a phone leg.', { legId });
      dialFailed(legId, 'invalid-number');
      return;
    }
    const answer = pbx.dialPhone({
      legId,
      ownerId: sessionId,
      number,
      ringTimeoutMs,
      triesBefore,
      purpose: 'sos',
      callerId: null,
      trunk: null,
    });
    this.#dialled(order, await this.#answered(order, answer));
  }

  #dialled(order: Extract<PbxCommand, { type: 'pbx.dial-app' | 'pbx.dial-phone' }>, result: PbxResult): void {
    if (result.ok || result.code === 'ERR_PBX_CONFLICT') return;
    this.#note(order, result);
    // Not for us to send at the moment: once the engine is back, here or at another node, legs that still may ring are
    // dialled then.
    if (NOT_SENT.has(result.code)) return;
    this.#ports.dialFailed(order.legId, outcomeOf(result.code, order.type));
  }

  /** A leg that cannot be joined would hear nothing: after a few tries it is hung up, and its end moves the session on. */
  async #join(order: Extract<PbxCommand, { type: 'pbx.join' }>): Promise<void> {
    for (let attempt = 1; attempt <= JOIN_ATTEMPTS; attempt += 1) {
      const answer = this.#ports.pbx.join(order.bridgeId, order.legId, order.voice);
      const result = await this.#answered(order, answer);
      if (result.ok || result.code === 'ERR_PBX_NOT_FOUND') return;
      this.#note(order, result);
      if (NOT_SENT.has(result.code)) return;
    }
    this.#note(order, await this.#ports.pbx.hangup(order.legId, 'normal'));
  }

  async #answered(order: PbxCommand, answer: Promise<PbxResult>): Promise<PbxResult> {
    const result = await answer;
    this.#ports.failpoints?.passed('command-done', order.type);
    return result;
  }

  #note(order: PbxCommand, result: PbxResult): void {
    if (result.ok) return;
    this.#ports.metrics.count('hamrahi_core_command_failures_total', {
      command: order.type,
      code: result.code,
    });
    this.#ports.log.warn('The engine did not do what was ordered.', {
      command: order.type,
      code: result.code,
      ...('legId' in order ? { legId: order.legId } : {}),
    });
  }
}

function outcomeOf(code: PbxErrorCode, command: 'pbx.dial-app' | 'pbx.dial-phone'): LegOutcome {
  if (code === 'ERR_PBX_NOT_FOUND') return command === 'pbx.dial-app' ? 'unreachable' : 'trunk-unreachable';
  if (code === 'ERR_PBX_NO_CONTACT') return command === 'pbx.dial-app' ? 'unreachable' : 'trunk-unreachable';
  if (code === 'ERR_PBX_REFUSED') return command === 'pbx.dial-app' ? 'unreachable' : 'congestion';
  if (code === 'ERR_PBX_OVERLOAD') return 'congestion';
  return 'lost';
}
