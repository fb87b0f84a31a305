/**
 * Synthetic calls (TEL-8): a number of the deployment's own is called over each trunk in turn, the whole way through the
 * carrier, and has to ring, answer and play its tone. Two failures in a row wake whoever is on call; one success calls that off.
 * They come after everything else: an SOS that is open or a trunk without room puts them off.
 *
 * The first round comes one interval after the start, so that a process that starts again and again places no calls at all.
 */
import type { CallId, Instant, LegId } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import { ofToday, roundMs } from '../../domain/probe/synthetic-pace.ts';
import type { SyntheticPace } from '../../domain/probe/synthetic-pace.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { Clock, IdSource } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlert, OpsAlerts } from '../../ports/ops-alerts.ts';
import type { Telephony } from '../../ports/telephony.ts';
import { SyntheticCall, RINGING_WITHIN_MS, ANSWER_WITHIN_MS } from './synthetic-call.ts';
import type { SyntheticFault, SyntheticResult } from './synthetic-call.ts';

export interface SyntheticCallSettings extends SyntheticPace {
  readonly number: PhoneNumber;
  readonly toneHz: number;
}

export interface SyntheticCallsPorts {
  readonly settings: SyntheticCallSettings;
  readonly telephony: Telephony;
  readonly trunks: () => readonly Pick<Trunk, 'name'>[];
  readonly isSosOpen: () => boolean;
  readonly alerts: OpsAlerts;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  readonly metrics: Metrics;
}

const LOOK_AGAIN_MS = 10_000;
/** Failures of one trunk in a row before anybody is woken. */
const ROW = 2;

const WORDS: Readonly<Record<SyntheticFault, string>> = {
  'not-dialled': 'could not be dialled',
  refused: 'was refused',
  'no-ringing': `did not ring within ${RINGING_WITHIN_MS / 1000} s`,
  'not-answered': `rang and was not answered within ${ANSWER_WITHIN_MS / 1000} s`,
  'hung-up': 'was hung up before its tone was heard',
  'no-tone': 'was answered and its tone was not heard',
};

export class SyntheticCalls {
  readonly #ports: SyntheticCallsPorts;
  readonly #failures = new Map<string, number>();
  /** Trunks whose call of this round is still to be placed. */
  #left: readonly string[] = [];
  /** How many trunks this round has. */
  #size = 0;
  #roundBeganAt: Instant | null = null;
  #placedAt: readonly Instant[] = [];
  #call: SyntheticCall | null = null;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(ports: SyntheticCallsPorts) {
    this.#ports = ports;
    ports.telephony.onEvent((event) => this.#call?.heard(event));
  }

  start(): void {
    this.#after(roundMs(this.#ports.settings, this.#ports.trunks().length));
  }

  /** Whether it is the leg of the call under way. */
  isOwn(legId: LegId): boolean {
    return this.#call?.legId === legId;
  }

  /** Whether an alert that an earlier process left may be true still: it is over with the first call that goes well. */
  minds({ subject }: Pick<OpsAlert, 'subject'>): boolean {
    return this.#ports.trunks().some(({ name }) => name === subject);
  }

  /** Resolves once the call under way is hung up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    this.#call?.stop();
    await this.#working;
  }

  #after(ms: number): void {
    if (this.#stopped) return;
    const { clock, log } = this.#ports;
    this.#cancel = clock.at((clock.now() + ms) as Instant, () => {
      this.#working = this.#next().catch((error: unknown) => {
        log.error('A synthetic call failed for a fault of ours.', { error: String(error) });
        this.#after(LOOK_AGAIN_MS);
      });
    });
  }

  /** The next trunk's call, if it may be placed now. */
  async #next(): Promise<void> {
    if (this.#left.length === 0) this.#beginRound();
    const [trunk, ...others] = this.#left;
    if (trunk === undefined) {
      this.#after(this.#ports.settings.everyMs);
      return;
    }
    const why = this.#mustWait();
    const result = why === null ? await this.#place(trunk) : { what: 'postponed' as const, why };
    if (result.what === 'postponed') {
      this.#ports.metrics.count('hamrahi_synthetic_calls_postponed_total', { why: result.why });
      this.#left = [...others, trunk];
      this.#after(LOOK_AGAIN_MS);
      return;
    }
    this.#note(trunk, result);
    this.#left = others;
    this.#after(others.length > 0 ? 0 : this.#untilNextRound());
  }

  #beginRound(): void {
    const names = this.#ports.trunks().map(({ name }) => name);
    this.#left = names;
    this.#size = names.length;
    this.#roundBeganAt = null;
    for (const name of this.#failures.keys()) {
      if (names.includes(name)) continue;
      this.#failures.delete(name);
      this.#ports.alerts.resolve('synthetic-call', name);
    }
  }

  #mustWait(): 'sos' | 'cost' | null {
    const { settings, clock, isSosOpen } = this.#ports;
    this.#placedAt = ofToday(this.#placedAt, clock.now());
    if (this.#placedAt.length >= settings.callsPerDay) return 'cost';
    return isSosOpen() ? 'sos' : null;
  }

  async #place(trunk: string): Promise<SyntheticResult> {
    const { settings, ids, clock } = this.#ports;
    const { number, toneHz } = settings;
    // An id as a call's: of what the engine has, `isOwn` tells it from the legs of calls.
    const callId = ids.sessionId() as string as CallId;
    const call = new SyntheticCall(this.#ports, callId, number, toneHz);
    this.#call = call;
    const at = clock.now();
    const result = await call.place(trunk);
    this.#call = null;
    // One that was not even sent, or found no room, has cost nothing.
    if (result.what === 'placed' || result.dialled) this.#placedAt = [...this.#placedAt, at];
    if (result.what === 'placed') this.#roundBeganAt ??= at;
    return result;
  }

  #note(trunk: string, result: Extract<SyntheticResult, { what: 'placed' }>): void {
    const { metrics, alerts, log, clock } = this.#ports;
    const { fault, postDialDelayMs, answered, tone, outcome } = result;
    metrics.count('hamrahi_synthetic_calls_total', { trunk, result: fault ?? 'good' });
    if (postDialDelayMs !== null)
      metrics.observe('hamrahi_synthetic_call_post_dial_delay_ms', postDialDelayMs, { trunk });
    metrics.gauge('hamrahi_synthetic_call_answered', answered ? 1 : 0, { trunk });
    metrics.gauge('hamrahi_synthetic_call_tone_heard', tone ? 1 : 0, { trunk });
    metrics.gauge('hamrahi_synthetic_call_at_seconds', Math.round(clock.now() / 1000), { trunk });
    if (fault === null) {
      this.#failures.delete(trunk);
      alerts.resolve('synthetic-call', trunk);
      return;
    }
    const row = (this.#failures.get(trunk) ?? 0) + 1;
    this.#failures.set(trunk, row);
    log.warn('A synthetic call failed.', { trunk, fault, outcome, row });
    if (row < ROW) return;
    alerts.raise({
      kind: 'synthetic-call',
      subject: trunk,
      severity: 'critical',
      summary: `Two synthetic calls in a row failed over the trunk ${trunk}: the last one ${WORDS[fault]}${outcome === null ? '' : ` (${outcome})`}.`,
    });
  }

  #untilNextRound(): number {
    const { settings, clock } = this.#ports;
    const dueAt = (this.#roundBeganAt ?? clock.now()) + roundMs(settings, this.#size);
    return Math.max(0, dueAt - clock.now());
  }
}
