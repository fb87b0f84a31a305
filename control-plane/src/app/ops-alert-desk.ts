/**
 * Where alerts for whoever is on call are raised, told, repeated, acknowledged and resolved (TEL-8, decision 26). All of it
 * works from memory and goes out directly, so that it works while the database is away, which is one of the alerts.
 */
import type { OpsAlertView } from '../contracts/alert-api.ts';
import { OPS_ALERT_KINDS } from '../domain/alert/ops-alert.ts';
import { OpsAlertBook } from '../domain/alert/ops-alert-book.ts';
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type {
  AcknowledgeResult,
  AlertMinders,
  AlertSender,
  OpsAlert,
  OpsAlertBoard,
  OpsAlertFilter,
  OpsAlertKind,
  OpsAlertNews,
  OpsAlerts,
  OpsAlertStore,
} from '../ports/ops-alerts.ts';
import { AlertCourier } from './alert-courier.ts';
import { OpsAlertKeeper } from './ops-alert-keeper.ts';
import { alertViewOf } from './ops-alert-view.ts';

/** Of that whoever is on call is told; the rest is for those who look. */
const CALLED_FOR: ReadonlySet<OpsAlertNews['what']> = new Set(['raised', 'repeated', 'resolved']);
const LINES: Readonly<Record<OpsAlertNews['what'], string>> = {
  raised: 'an alert stands',
  repeated: 'an alert was repeated',
  changed: 'an alert was changed',
  acknowledged: 'an alert was acknowledged',
  resolved: 'an alert is over',
};
/** What stood before a restart has so long to be raised again; what is minded is asked for as often. */
const UNSEEN_MS = 120_000;
const LOAD_AGAIN_MS = 10_000;

export interface OpsAlertPorts {
  readonly senders: readonly AlertSender[];
  /** Until it is acknowledged. */
  readonly repeatMs: number;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class OpsAlertDesk implements OpsAlerts, OpsAlertBoard {
  readonly #ports: OpsAlertPorts;
  readonly #book: OpsAlertBook;
  readonly #couriers: readonly AlertCourier[];
  readonly #watchers = new Set<(alert: OpsAlertView) => void>();
  #keeper: OpsAlertKeeper | null = null;
  #cancelDue: () => void = () => undefined;
  #cancelRestore: () => void = () => undefined;
  #closed = false;

  constructor(ports: OpsAlertPorts) {
    this.#ports = ports;
    this.#book = new OpsAlertBook(ports.repeatMs);
    this.#couriers = ports.senders.map(
      (sender) => new AlertCourier({ ...ports, sender, standing: () => this.#book.standing() }),
    );
    this.#measure();
  }

  raise(alert: OpsAlert): void {
    const { newId, clock, log, metrics } = this.#ports;
    const news = this.#book.raise(alert, newId(), clock.now());
    if (news === 'full') {
      metrics.count('hamrahi_alerts_dropped_total', { kind: alert.kind });
      log.error('Too many alerts stand: one more is told to nobody.', { kind: alert.kind });
      return;
    }
    this.#tell(news);
  }

  resolve(kind: OpsAlertKind, subject: string): void {
    this.#tell(this.#book.resolve(kind, subject, this.#ports.clock.now()));
    this.#armDue();
  }

  acknowledge(id: string, by: string): AcknowledgeResult {
    const result = this.#book.acknowledge(id, by, this.#ports.clock.now());
    if (!result.ok)
      return { ok: false, code: result.why === 'unknown' ? 'ERR_ALERT_NOT_FOUND' : 'ERR_ALERT_RESOLVED' };
    this.#tell(result.news);
    return { ok: true, alert: alertViewOf(result.record) };
  }

  standing(): readonly OpsAlertView[] {
    return this.#book.standing().map(alertViewOf);
  }

  list({ state, before, limit }: OpsAlertFilter): readonly OpsAlertView[] {
    const all = this.#book.all();
    const from = before === null ? 0 : all.findIndex(({ id }) => id === before) + 1;
    // An id that is not known any more: what follows it is not known either.
    if (before !== null && from === 0) return [];
    return all
      .slice(from)
      .filter(({ resolvedAt }) => state === null || (state === 'standing') === (resolvedAt === null))
      .slice(0, limit)
      .map(alertViewOf);
  }

  watch(listener: (alert: OpsAlertView) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  channels(): ReturnType<OpsAlertBoard['channels']> {
    return this.#couriers.map(({ name, failing }) => ({ name, failing }));
  }

  /** From now on alerts are kept there, and what an earlier process left there is taken over, as soon as it can be read. */
  async keepIn(store: OpsAlertStore, minders: AlertMinders = {}): Promise<void> {
    const keeper = new OpsAlertKeeper({ ...this.#ports, store });
    this.#keeper = keeper;
    for (const record of this.#book.standing()) keeper.keep(record);
    await this.#restore(keeper, minders);
  }

  /** What is still to be told has until then. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    this.#cancelDue();
    this.#cancelRestore();
    await Promise.all([...this.#couriers.map((courier) => courier.close(deadlineMs)), this.#keeper?.stop()]);
  }

  async #restore(keeper: OpsAlertKeeper, minders: AlertMinders): Promise<void> {
    const loaded = await keeper.load();
    if (this.#closed) return;
    if (loaded === null) {
      this.#cancelRestore = this.#in(LOAD_AGAIN_MS, () => void this.#restore(keeper, minders));
      return;
    }
    const now = this.#ports.clock.now();
    for (const { record } of this.#book.restore(loaded, now)) keeper.keep(record);
    this.#measure();
    this.#armDue();
    this.#tell(this.#book.endEarly(now));
    this.#endUnseenLater(minders);
  }

  #endUnseenLater(minders: AlertMinders): void {
    if (this.#closed || !this.#book.hasUnseen) return;
    this.#cancelRestore = this.#in(UNSEEN_MS, () => {
      const isMinded = (alert: OpsAlert): boolean => minders[alert.kind]?.(alert) === true;
      this.#tell(this.#book.endUnseen(this.#ports.clock.now(), isMinded));
      this.#endUnseenLater(minders);
    });
  }

  #tell(all: readonly OpsAlertNews[]): void {
    for (const news of all) {
      this.#note(news);
      this.#keeper?.keep(news.record);
      if (CALLED_FOR.has(news.what)) for (const courier of this.#couriers) courier.tell(news);
      for (const watcher of this.#watchers) watcher(alertViewOf(news.record));
    }
    if (all.length === 0) return;
    this.#measure();
    this.#armDue();
  }

  #note({ what, record }: OpsAlertNews): void {
    const { log, metrics } = this.#ports;
    const { kind, subject, severity, summary } = record;
    if (what === 'raised') metrics.count('hamrahi_alerts_raised_total', { kind, severity });
    const line = { kind, subject, severity, summary, by: record.acknowledged?.by ?? null };
    const level = what !== 'raised' ? 'info' : severity === 'critical' ? 'error' : 'warn';
    log[level](LINES[what], line);
  }

  #measure(): void {
    const standing = this.#book.standing();
    for (const kind of OPS_ALERT_KINDS) {
      const count = standing.filter((record) => record.kind === kind).length;
      this.#ports.metrics.gauge('hamrahi_alerts_standing', count, { kind });
    }
  }

  #armDue(): void {
    this.#cancelDue();
    if (this.#closed) return;
    const { clock } = this.#ports;
    const next = this.#book.nextDueAt();
    if (next === null) return;
    this.#cancelDue = clock.at(next, () => {
      this.#tell(this.#book.due(clock.now()));
      this.#armDue();
    });
  }

  #in(delayMs: number, then: () => void): () => void {
    const { clock } = this.#ports;
    return clock.at((clock.now() + delayMs) as Instant, then);
  }
}
