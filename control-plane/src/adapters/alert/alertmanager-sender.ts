/**
 * Alerts to an Alertmanager (API v2), which groups, silences and routes them. It forgets an alert that is not sent again
 * before its end, so that each is sent with an end in the future, again and again, until it has really ended.
 */
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AlertSender, OpsAlertNews } from '../../ports/ops-alerts.ts';
import { wordsOf } from './alert-labels.ts';
import { postJson } from './post-json.ts';

const RESEND_MS = 60_000;
/** Three that got lost do not end it. */
const KNOWN_FOR_MS = 4 * RESEND_MS;

export interface AlertmanagerSenderOptions {
  readonly name: string;
  /** Of the Alertmanager, with its prefix, if it has one. */
  readonly url: string;
  readonly token: Secret | null;
  readonly publicUrl: string;
  readonly clock: Clock;
}

export class AlertmanagerSender implements AlertSender {
  readonly name: string;
  readonly resendMs = RESEND_MS;
  readonly #options: AlertmanagerSenderOptions;

  constructor(options: AlertmanagerSenderOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async send(news: readonly OpsAlertNews[]): Promise<void> {
    const { url, token, publicUrl, clock } = this.#options;
    const now = clock.now();
    const alerts = news.map(({ record }) => {
      const { labels, annotations, startsAt } = wordsOf(record);
      const endsAt = new Date(record.resolvedAt ?? now + KNOWN_FOR_MS).toISOString();
      return { labels, annotations, startsAt, endsAt, generatorURL: publicUrl };
    });
    const authorization = token ? { authorization: `Bearer ${token.reveal()}` } : {};
    await postJson(`${url}/api/v2/alerts`, JSON.stringify(alerts), authorization);
  }

  close(): void {
    // Nothing stays open.
  }
}
