/**
 * Brings alerts to one channel, in order, until they are taken. A channel that does not answer is tried again and again
 * and holds up nobody but itself; what waits for it is one entry per alert, in its newest state.
 */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';
import { AlertError } from '../ports/ops-alerts.ts';
import type { AlertErrorCode, AlertSender, OpsAlertNews, OpsAlertRecord } from '../ports/ops-alerts.ts';
import { within } from './outage/within.ts';

const RETRY_S = [1, 2, 5, 10, 30, 60] as const;
const LAST_RETRY_S = 60;
/** News that come while it is failing are tried at once, and no more often than this. */
const HURRY_MS = 1000;
const MAX_BATCH = 50;
const MAX_WAITING = 2000;
/** Behind the sender's own deadline. */
const BACKSTOP_MS = 15_000;

export interface CourierPorts {
  readonly sender: AlertSender;
  /** For a channel that forgets what is not told again. */
  readonly standing: () => readonly OpsAlertRecord[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class AlertCourier {
  readonly #ports: CourierPorts;
  /** By the alert's id, in the order in which they came. */
  readonly #waiting = new Map<string, OpsAlertNews>();
  #sending: Promise<void> | null = null;
  #failures = 0;
  #failing: AlertErrorCode | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  #cancelRetry: () => void = () => undefined;
  #cancelResend: () => void = () => undefined;
  #closed = false;

  constructor(ports: CourierPorts) {
    this.#ports = ports;
    this.#resendLater();
  }

  get name(): string {
    return this.#ports.sender.name;
  }

  /** Why the last attempt failed; `null`: it did not. */
  get failing(): AlertErrorCode | null {
    return this.#failing;
  }

  tell(news: OpsAlertNews): void {
    this.#keep(news);
    this.#hurry();
  }

  /** What waits is tried once more; resolves when that has ended, at the latest after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    this.#cancelResend();
    if (this.#waiting.size > 0) this.#send();
    if (this.#sending) await within(this.#ports.clock, deadlineMs, this.#sending, undefined);
    this.#ports.sender.close();
  }

  #keep(news: OpsAlertNews): void {
    this.#waiting.set(news.record.id, news);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) {
      this.#waiting.delete(oldest);
      this.#ports.metrics.count('hamrahi_alert_deliveries_total', { channel: this.name, result: 'dropped' });
    }
    this.#measure();
  }

  #hurry(): void {
    const { clock } = this.#ports;
    const waitMs = this.#failures === 0 ? 0 : this.#triedAt + HURRY_MS - clock.now();
    if (waitMs <= 0) this.#send();
    else this.#retryIn(waitMs);
  }

  #send(): void {
    if (this.#sending !== null) return;
    this.#cancelRetry();
    this.#triedAt = this.#ports.clock.now();
    const batch = [...this.#waiting.values()].slice(0, MAX_BATCH);
    this.#sending = this.#attempt(batch).then((failure) => {
      this.#sending = null;
      this.#ended(batch, failure);
    });
  }

  /** Why it failed; `null`: it was taken. */
  async #attempt(batch: readonly OpsAlertNews[]): Promise<AlertErrorCode | null> {
    const { sender, clock, log } = this.#ports;
    try {
      const sent = sender.send(batch).then(() => null);
      return await within(clock, BACKSTOP_MS, sent, 'ERR_ALERT_TIMEOUT' as const);
    } catch (error) {
      if (error instanceof AlertError) return error.code;
      log.error('A channel for alerts threw.', { channel: this.name, error: String(error) });
      return 'ERR_ALERT_UNREACHABLE';
    }
  }

  #ended(batch: readonly OpsAlertNews[], failure: AlertErrorCode | null): void {
    const { log, metrics } = this.#ports;
    const result = failure ?? 'ok';
    metrics.count('hamrahi_alert_deliveries_total', { channel: this.name, result });
    metrics.gauge('hamrahi_alert_channel_failing', failure === null ? 0 : 1, { channel: this.name });
    if (failure === null) {
      if (this.#failing !== null) log.info('A channel takes alerts again.', { channel: this.name });
      this.#failures = 0;
      // One that has changed meanwhile goes once more.
      for (const news of batch)
        if (this.#waiting.get(news.record.id) === news) this.#waiting.delete(news.record.id);
    } else {
      this.#failures += 1;
      const waiting = this.#waiting.size;
      log.error('A channel did not take an alert.', { channel: this.name, code: failure, waiting });
    }
    this.#failing = failure;
    this.#measure();
    if (this.#waiting.size === 0 || this.#closed) return;
    if (failure === null) this.#send();
    else this.#retryIn((RETRY_S[this.#failures - 1] ?? LAST_RETRY_S) * 1000);
  }

  #retryIn(waitMs: number): void {
    const { clock } = this.#ports;
    this.#cancelRetry();
    this.#cancelRetry = clock.at((clock.now() + waitMs) as Instant, () => this.#send());
  }

  #resendLater(): void {
    const { clock, sender, standing } = this.#ports;
    if (sender.resendMs === null) return;
    this.#cancelResend = clock.at((clock.now() + sender.resendMs) as Instant, () => {
      this.#resendLater();
      const unsaid = standing().filter(({ id }) => !this.#waiting.has(id));
      for (const record of unsaid) this.#keep({ what: 'repeated', record });
      if (this.#waiting.size > 0) this.#hurry();
    });
  }

  #measure(): void {
    this.#ports.metrics.gauge('hamrahi_alert_queue', this.#waiting.size, { channel: this.name });
  }
}
