/** How each trunk does: fed by tries, OPTIONS and registrations; tells whoever is on call, and orders the trunks (TEL-8). */
import type { Instant } from '../domain/ids.ts';
import { downSentence, failureInWords, groundsIn } from '../domain/trunk/down-words.ts';
import { evidenceTimes, type TrunkGround } from '../domain/trunk/trunk-evidence.ts';
import { RATE_WINDOW_MS, TrunkHealthRecord } from '../domain/trunk/trunk-health.ts';
import type { TrunkOverview } from '../domain/trunk/trunk-health.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { OpsAlert, OpsAlerts } from '../ports/ops-alerts.ts';
import type { TrunkHealth, TrunkState, TryHistory, TryReport } from '../ports/trunk-health.ts';
import { within } from './outage/within.ts';

const LOOK_EVERY_MS = 1000;
const HISTORY_DEADLINE_MS = 2000;
/** Calls that were dialled before the window and ended in it. */
const LONGEST_RING_MS = 120_000;
const MAX_HISTORY = 10_000;
const VERY_LOW_RATE = 0.5;
const STATES: readonly TrunkState[] = ['up', 'doubtful', 'down'];
const RINGS: ReadonlySet<TryReport['what']> = new Set(['progress', 'ringing', 'answered']);

export interface MonitoredTrunk {
  readonly name: string;
  /** 0: it is not asked. */
  readonly optionsIntervalSeconds: number;
  readonly optionsTimeoutSeconds: number;
  /** We register with its carrier. */
  readonly registers: boolean;
}

export interface TrunkMonitorPorts {
  readonly trunks: readonly MonitoredTrunk[];
  readonly alerts: OpsAlerts;
  readonly history: TryHistory;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Watched {
  readonly asked: MonitoredTrunk;
  readonly record: TrunkHealthRecord;
  state: TrunkState;
  isRateLow: boolean;
  /** Since this process began: a call by it rang, and whose last word was a good one. */
  hasRung: boolean;
  readonly good: Set<'options' | 'registration'>;
}

export class TrunkMonitor implements TrunkHealth {
  readonly #ports: TrunkMonitorPorts;
  #trunks: ReadonlyMap<string, Watched> = new Map();
  #cancel: () => void = () => undefined;

  constructor(ports: TrunkMonitorPorts) {
    this.#ports = ports;
    this.follow(ports.trunks);
  }

  /** These from now on. What is known of one stays, unless it is asked at other times; what stands of one that is gone is over. */
  follow(trunks: readonly MonitoredTrunk[]): void {
    const before = this.#trunks;
    this.#trunks = new Map(trunks.map((asked) => [asked.name, continued(before.get(asked.name), asked)]));
    for (const [name, { asked }] of before) {
      const now = this.#trunks.get(name);
      if (asked.registers && now?.asked.registers !== true) this.#unregistered(name, now);
      if (now === undefined) this.#forget(name);
    }
  }

  /** It registers no more: what was said of its registration speaks against nobody, and nothing is missing. */
  #unregistered(name: string, trunk: Watched | undefined): void {
    trunk?.record.told('registration', null, this.#ports.clock.now());
    this.#ports.metrics.gauge('hamrahi_trunk_registered', 1, { trunk: name });
  }

  #forget(trunk: string): void {
    const { alerts, metrics } = this.#ports;
    alerts.resolve('trunk-down', trunk);
    alerts.resolve('trunk-success-rate', trunk);
    for (const state of STATES) metrics.gauge('hamrahi_trunk_state', 0, { trunk, state });
  }

  /** Reads what happened before this process began, as far as that can be had in time; then looks each second. */
  async start(): Promise<void> {
    await this.#readHistory();
    const next = (): void => {
      this.look();
      const { clock } = this.#ports;
      this.#cancel = clock.at((clock.now() + LOOK_EVERY_MS) as Instant, next);
    };
    next();
  }

  stop(): void {
    this.#cancel();
  }

  report(report: TryReport): void {
    const trunk = this.#trunks.get(report.trunk);
    if (!trunk) return;
    const { metrics } = this.#ports;
    const { firstRingMs } = trunk.record.note(report);
    const { trunk: name, purpose } = report;
    if (firstRingMs !== null)
      metrics.observe('hamrahi_trunk_post_dial_delay_ms', firstRingMs, { trunk: name });
    if (report.what === 'ended') {
      const outcome = report.silent ? 'silent' : report.outcome;
      metrics.count('hamrahi_trunk_tries_ended_total', { trunk: name, purpose, outcome });
    }
    const { state } = this.#lookAt(name, trunk);
    if (trunk.hasRung || !RINGS.has(report.what)) return;
    trunk.hasRung = true;
    if (state === 'up') this.#ports.alerts.resolve('trunk-down', name);
  }

  /**
   * Whether a `trunk-down` that an earlier process left may be true still: whoever spoke against the trunk has not spoken for
   * it yet. Of calls that is the next one that rings, whenever that is.
   */
  minds({ subject, summary }: Pick<OpsAlert, 'subject' | 'summary'>): boolean {
    const trunk = this.#trunks.get(subject);
    if (!trunk) return false;
    if (this.stateOf(subject) !== 'up') return true;
    if (trunk.hasRung) return false;
    const against = groundsIn(summary);
    return against.length === 0 || against.some((ground) => !hasPassed(trunk, ground));
  }

  qualified(name: string, up: boolean, at: Instant): void {
    this.#told(name, 'options', up, at);
  }

  /** `null`: nobody can tell. Of a trunk that does not register (any more) nothing is believed. */
  registered(name: string, isRegistered: boolean | null, at: Instant): void {
    if (this.#trunks.get(name)?.asked.registers !== true) return;
    this.#told(name, 'registration', isRegistered, at);
    if (isRegistered === null) return;
    this.#ports.metrics.gauge('hamrahi_trunk_registered', isRegistered ? 1 : 0, { trunk: name });
  }

  /** Nobody hears any more whether carriers answer. */
  engineLost(): void {
    const now = this.#ports.clock.now();
    for (const { record } of this.#trunks.values()) {
      record.told('options', null, now);
      record.told('registration', null, now);
    }
  }

  stateOf(name: string): TrunkState {
    return this.#trunks.get(name)?.record.state(this.#ports.clock.now()) ?? 'up';
  }

  p95PostDialDelayMs(name: string): number | null {
    return this.#trunks.get(name)?.record.p95PostDialDelayMs(this.#ports.clock.now()) ?? null;
  }

  overview(name: string): TrunkOverview | null {
    return this.#trunks.get(name)?.record.overview(this.#ports.clock.now()) ?? null;
  }

  /** Raises and resolves what follows from the time that went by, and measures. */
  look(): void {
    for (const [name, trunk] of this.#trunks) this.#measure(name, this.#lookAt(name, trunk));
  }

  #told(name: string, from: 'options' | 'registration', good: boolean | null, at: Instant): void {
    const trunk = this.#trunks.get(name);
    if (!trunk) return;
    trunk.record.told(from, good, at);
    if (good === true) trunk.good.add(from);
    else trunk.good.delete(from);
    this.#lookAt(name, trunk);
  }

  #lookAt(name: string, trunk: Watched): TrunkOverview {
    const overview = trunk.record.overview(this.#ports.clock.now());
    if (overview.state !== trunk.state) this.#stateChanged(name, trunk.state, overview);
    if (overview.isRateLow !== trunk.isRateLow) this.#rateChanged(name, overview);
    trunk.state = overview.state;
    trunk.isRateLow = overview.isRateLow;
    return overview;
  }

  /** Doubtful changes nothing: what was told stands until the trunk is up again. */
  #stateChanged(trunk: string, before: TrunkState, { state, against, lastFailure }: TrunkOverview): void {
    const { alerts, log } = this.#ports;
    log[state === 'up' ? 'info' : 'warn']('trunk state', { trunk, from: before, to: state });
    if (state === 'up') alerts.resolve('trunk-down', trunk);
    if (state !== 'down') return;
    alerts.raise({
      kind: 'trunk-down',
      subject: trunk,
      severity: 'critical',
      summary: downSentence(trunk, against, lastFailure),
    });
  }

  #rateChanged(trunk: string, { isRateLow, successRate, attempts, lastFailure }: TrunkOverview): void {
    const { alerts } = this.#ports;
    if (!isRateLow) {
      alerts.resolve('trunk-success-rate', trunk);
      return;
    }
    const rate = successRate ?? 0;
    const last = lastFailure ? ` The last failure: ${failureInWords(lastFailure)}.` : '';
    alerts.raise({
      kind: 'trunk-success-rate',
      subject: trunk,
      severity: rate < VERY_LOW_RATE ? 'critical' : 'warning',
      summary: `Of the last ${attempts} calls by trunk ${trunk} ${Math.floor(rate * 100)} % went well, in 5 minutes.${last}`,
    });
  }

  #measure(trunk: string, overview: TrunkOverview): void {
    const { metrics } = this.#ports;
    for (const state of STATES)
      metrics.gauge('hamrahi_trunk_state', overview.state === state ? 1 : 0, { trunk, state });
    metrics.gauge('hamrahi_trunk_recent_attempts', overview.attempts, { trunk });
    metrics.gauge('hamrahi_trunk_success_ratio', overview.successRate ?? 1, { trunk });
    metrics.gauge('hamrahi_trunk_answer_seizure_ratio', overview.answerSeizureRatio ?? 0, { trunk });
    metrics.gauge('hamrahi_trunk_post_dial_delay_p95_ms', overview.p95PostDialDelayMs ?? 0, { trunk });
  }

  async #readHistory(): Promise<void> {
    const { history, clock, log } = this.#ports;
    const from = (clock.now() - RATE_WINDOW_MS - LONGEST_RING_MS) as Instant;
    try {
      const reports = await within<readonly TryReport[], null>(
        clock,
        HISTORY_DEADLINE_MS,
        history.since(from, MAX_HISTORY),
        null,
      );
      if (reports === null) log.warn('How trunks did before could not be read in time.');
      for (const report of reports ?? []) this.#trunks.get(report.trunk)?.record.note(report);
    } catch (error) {
      log.warn('How trunks did before could not be read.', { error: String(error) });
    }
  }
}

function continued(before: Watched | undefined, asked: MonitoredTrunk): Watched {
  const { optionsIntervalSeconds: interval, optionsTimeoutSeconds: timeout } = asked;
  const was = before?.asked;
  if (before && was?.optionsIntervalSeconds === interval && was.optionsTimeoutSeconds === timeout)
    return { ...before, asked };
  const { state = 'up', isRateLow = false, hasRung = false } = before ?? {};
  const record = new TrunkHealthRecord(evidenceTimes(interval, timeout));
  return { asked, record, state, isRateLow, hasRung, good: new Set() };
}

/** Whether what was said against the trunk before this process began counts no more. */
function hasPassed({ asked, good }: Watched, ground: TrunkGround): boolean {
  switch (ground) {
    case 'options':
      return asked.optionsIntervalSeconds === 0 || good.has('options');
    case 'registration':
      return !asked.registers || good.has('registration');
    case 'calls':
      return false;
  }
}
