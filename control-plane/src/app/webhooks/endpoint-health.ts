/** Which endpoints take what they are sent: a log line when that changes, an alert when it lasts. */
import type { Instant } from '../../domain/ids.ts';
import type { WebhookId } from '../../domain/webhook/webhook-ids.ts';
import type { Log } from '../../ports/log.ts';
import type { OpsAlert, OpsAlerts } from '../../ports/ops-alerts.ts';
import type { Webhook } from '../../ports/webhooks.ts';

/** The first retries are over by then: it is no restart of the receiver. */
export const FAILING_AFTER_MS = 15_000;

export interface EndpointFailure {
  readonly webhookId: WebhookId;
  /** Of its URL. The rest of it may be a secret. */
  readonly host: string;
  readonly reason: string;
  readonly status: number | null;
}

export class EndpointHealth {
  readonly #alerts: OpsAlerts;
  readonly #log: Log;
  /** Since when nothing was taken. */
  readonly #failingSince = new Map<WebhookId, Instant>();
  /** Of these no alert stands, as far as this process can know: one that stood before it began may still. */
  readonly #quiet = new Set<WebhookId>();
  /** Whose alert may stand from before this process began; `null`: nobody has looked yet which there are. */
  #left: Set<string> | null = null;

  constructor(alerts: OpsAlerts, log: Log) {
    this.#alerts = alerts;
    this.#log = log;
  }

  /**
   * Those there are, as this process takes over. One that is gone is never tried again, so that it is told now: who disabled it
   * may have died with it. What failed before is not known to fail still, and not known to do well.
   */
  recall(webhooks: readonly Webhook[]): void {
    this.#left = new Set(
      webhooks.filter(({ disabledBecause }) => disabledBecause !== 'asked').map(({ id }) => id),
    );
    for (const { id, url, disabledBecause } of webhooks)
      if (disabledBecause === 'gone') this.#raiseGone(id, URL.parse(url)?.host ?? '');
  }

  /** Whether an alert from before may stand: its endpoint is there, has taken nothing since, and nobody has changed it. */
  minds({ subject }: Pick<OpsAlert, 'subject'>): boolean {
    return this.#left?.has(subject) ?? true;
  }

  taken(webhookId: WebhookId): void {
    if (this.#failingSince.delete(webhookId))
      this.#log.info('A webhook endpoint takes deliveries again.', { webhookId });
    this.#resolve(webhookId);
  }

  failed(failure: EndpointFailure, at: Instant): void {
    const { webhookId, host, reason, status } = failure;
    const since = this.#failingSince.get(webhookId);
    if (since === undefined) {
      this.#failingSince.set(webhookId, at);
      this.#log.warn('A webhook endpoint does not take what it is sent; it is sent again.', { ...failure });
      return;
    }
    if (at - since < FAILING_AFTER_MS) return;
    const answer = status === null ? reason : `HTTP status ${status}`;
    this.#raise(webhookId, `The webhook endpoint ${webhookId} (${host}) takes nothing: ${answer}.`);
  }

  /** It asked for no more (410), and was disabled. */
  gone({ webhookId, host }: Pick<EndpointFailure, 'webhookId' | 'host'>): void {
    this.#log.warn('A webhook endpoint is gone (410) and was disabled.', { webhookId, host });
    this.#failingSince.delete(webhookId);
    this.#raiseGone(webhookId, host);
  }

  /** Somebody has changed or removed it: it begins anew. */
  forget(webhookId: WebhookId): void {
    this.#failingSince.delete(webhookId);
    this.#quiet.delete(webhookId);
    this.#left?.delete(webhookId);
    this.#alerts.resolve('webhook-failing', webhookId);
  }

  #raiseGone(webhookId: WebhookId, host: string): void {
    this.#raise(
      webhookId,
      `The webhook endpoint ${webhookId} (${host}) answered 410 Gone and was disabled: nothing is told there any more.`,
    );
  }

  #raise(webhookId: WebhookId, summary: string): void {
    this.#quiet.delete(webhookId);
    this.#alerts.raise({ kind: 'webhook-failing', subject: webhookId, severity: 'warning', summary });
  }

  #resolve(webhookId: WebhookId): void {
    if (this.#quiet.has(webhookId)) return;
    this.#quiet.add(webhookId);
    this.#left?.delete(webhookId);
    this.#alerts.resolve('webhook-failing', webhookId);
  }
}
