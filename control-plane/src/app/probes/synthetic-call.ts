/**
 * One synthetic call: over one trunk to a number of the deployment's own, which answers and plays a known tone. Every wait has
 * a deadline, and the engine ends the call by itself should this process die with it.
 */
import { callLegIdOf } from '../../domain/ids.ts';
import type { CallId, Instant, LegId } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { LegOutcome } from '../../domain/session/leg.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { PbxErrorCode, PbxEvent } from '../../ports/pbx-driver.ts';
import type { Telephony } from '../../ports/telephony.ts';

export const RINGING_WITHIN_MS = 10_000;
export const ANSWER_WITHIN_MS = 20_000;
const TONE_WITHIN_MS = 5000;
/** Beyond the time that the engine was given to listen. */
const ENGINE_ANSWER_MS = 3000;
const GONE_WITHIN_MS = 5000;
/** More than all the waits together. */
const LONGEST_MS = 45_000;

/** What was wrong with the call, in the order in which it can go wrong. */
export type SyntheticFault =
  'not-dialled' | 'refused' | 'no-ringing' | 'not-answered' | 'hung-up' | 'no-tone';

export type SyntheticResult =
  | {
      readonly what: 'placed';
      /** From the order to the first sign that the far end is there; `null`: there was none. */
      readonly postDialDelayMs: number | null;
      readonly answered: boolean;
      readonly tone: boolean;
      /** `null`: all was well. */
      readonly fault: SyntheticFault | null;
      readonly outcome: LegOutcome | null;
    }
  /** Nothing was learnt of the trunk. */
  | {
      readonly what: 'postponed';
      readonly why: 'full' | 'engine-away' | 'stopped';
      /** It was under way, and may cost something. */
      readonly dialled: boolean;
    };

type Heard = Awaited<ReturnType<Telephony['hearsTone']>>;

export interface SyntheticCallPorts {
  readonly telephony: Telephony;
  readonly clock: Clock;
  readonly log: Log;
}

const NO_WAY_TO_ENGINE: ReadonlySet<PbxErrorCode> = new Set([
  'ERR_PBX_DISCONNECTED',
  'ERR_PBX_REPLACED',
  'ERR_PBX_FENCED',
  'ERR_PBX_TIMEOUT',
]);

export class SyntheticCall {
  readonly #ports: SyntheticCallPorts;
  readonly #legId: LegId;
  readonly #number: PhoneNumber;
  readonly #toneHz: number;
  #orderedAt: Instant;
  #aliveAt: Instant | null = null;
  #answered = false;
  #ended: LegOutcome | null = null;
  /** Nobody can say any more what becomes of it. */
  #broken: 'engine-away' | 'stopped' | null = null;
  #look: () => void = () => undefined;

  constructor(ports: SyntheticCallPorts, callId: CallId, number: PhoneNumber, toneHz: number) {
    this.#ports = ports;
    this.#legId = callLegIdOf(callId, 'call-to', 1);
    this.#number = number;
    this.#toneHz = toneHz;
    this.#orderedAt = ports.clock.now();
  }

  async place(trunk: string): Promise<SyntheticResult> {
    const { telephony, clock } = this.#ports;
    this.#orderedAt = clock.now();
    const dialled = await telephony.dialPhone({
      legId: this.#legId,
      ownerId: this.#legId,
      number: this.#number,
      ringTimeoutMs: ANSWER_WITHIN_MS,
      purpose: 'synthetic',
      callerId: null,
      triesBefore: 0,
      trunk,
      longestMs: LONGEST_MS,
    });
    if (!dialled.ok) {
      if (dialled.code === 'ERR_PBX_OVERLOAD') return { what: 'postponed', why: 'full', dialled: false };
      // An order whose answer did not come may have been carried out.
      const isInDoubt = dialled.code === 'ERR_PBX_TIMEOUT';
      if (isInDoubt) await this.#hangUp();
      if (NO_WAY_TO_ENGINE.has(dialled.code))
        return { what: 'postponed', why: 'engine-away', dialled: isInDoubt };
      return this.#result('not-dialled');
    }
    try {
      return await this.#follow();
    } finally {
      await this.#hangUp();
    }
  }

  get legId(): LegId {
    return this.#legId;
  }

  heard(event: PbxEvent): void {
    if (event.type === 'engine.lost') this.#broken ??= 'engine-away';
    else if ('legId' in event && event.legId === this.#legId) this.#noted(event);
    else return;
    this.#look();
  }

  /** It is hung up, and nothing is concluded from it. */
  stop(): void {
    this.#broken ??= 'stopped';
    this.#look();
  }

  async #follow(): Promise<SyntheticResult> {
    await this.#until(() => this.#aliveAt !== null, RINGING_WITHIN_MS);
    if (this.#aliveAt === null) return this.#result(this.#ended === null ? 'no-ringing' : 'refused');
    await this.#until(() => this.#answered, ANSWER_WITHIN_MS);
    if (!this.#answered) return this.#result('not-answered');
    return this.#judged(await this.#listened());
  }

  /** `null`: no answer came. */
  async #listened(): Promise<Heard | null> {
    const found: { heard: Heard | null } = { heard: null };
    const { telephony } = this.#ports;
    const noted = (heard: Heard): void => {
      found.heard = heard;
      this.#look();
    };
    telephony.hearsTone(this.#legId, this.#toneHz, TONE_WITHIN_MS).then(noted, (error: unknown) => {
      noted({ ok: false, code: 'ERR_PBX_REFUSED', detail: String(error) });
    });
    await this.#until(() => found.heard !== null, this.#since() + TONE_WITHIN_MS + ENGINE_ANSWER_MS);
    return found.heard;
  }

  #judged(heard: Heard | null): SyntheticResult {
    if (heard?.ok === true && heard.value) return this.#result(null);
    if (this.#ended !== null) return this.#result('hung-up');
    if (heard === null || (!heard.ok && NO_WAY_TO_ENGINE.has(heard.code))) return this.#postponed();
    if (heard.ok) return this.#result('no-tone');
    // The leg is gone, and the word of its end is on its way; or the engine cannot listen.
    return heard.code === 'ERR_PBX_NOT_FOUND' ? this.#result('hung-up') : this.#postponed();
  }

  #result(fault: SyntheticFault | null): SyntheticResult {
    // What the engine lost on its way says nothing of the carrier.
    if (this.#broken !== null || this.#ended === 'lost') return this.#postponed();
    return {
      what: 'placed',
      postDialDelayMs: this.#aliveAt === null ? null : this.#aliveAt - this.#orderedAt,
      answered: this.#answered,
      tone: fault === null,
      fault,
      outcome: this.#ended,
    };
  }

  #postponed(): SyntheticResult {
    return { what: 'postponed', why: this.#broken ?? 'engine-away', dialled: true };
  }

  #noted(event: PbxEvent): void {
    if (event.type === 'leg.ringing' || event.type === 'leg.progress') this.#aliveAt ??= event.at;
    else if (event.type === 'leg.answered') {
      this.#aliveAt ??= event.at;
      this.#answered = true;
    } else if (event.type === 'leg.ended') this.#ended = event.outcome;
  }

  async #hangUp(): Promise<void> {
    const { telephony, log } = this.#ports;
    if (this.#ended !== null) return;
    const hungUp = await telephony.hangup(this.#legId, 'normal');
    if (hungUp.ok) await this.#until(() => false, this.#since() + GONE_WITHIN_MS, true);
    if (!hungUp.ok)
      log.warn('A synthetic call could not be hung up; the engine ends it by itself.', { code: hungUp.code });
  }

  /** Until it is so, the call has ended, nobody can say any more, or so long after the order. */
  #until(isSo: () => boolean, afterOrderMs: number, evenIfBroken = false): Promise<void> {
    const { clock } = this.#ports;
    const isDone = (): boolean => isSo() || this.#ended !== null || (this.#broken !== null && !evenIfBroken);
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#look = () => undefined;
        resolve();
      };
      const cancel = clock.at((this.#orderedAt + afterOrderMs) as Instant, done);
      this.#look = () => {
        if (isDone()) done();
      };
    });
  }

  #since(): number {
    return this.#ports.clock.now() - this.#orderedAt;
  }
}
