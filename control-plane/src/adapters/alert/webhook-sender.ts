/** Alerts to a webhook, in the format in which Alertmanager tells its receivers (version 4), signed. */
import { createHash } from 'node:crypto';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AlertSender, OpsAlertNews } from '../../ports/ops-alerts.ts';
import { fingerprintOf, wordsOf } from './alert-labels.ts';
import { postJson } from './post-json.ts';
import { keyOf, signedHeaders } from './sign-message.ts';

/** How Alertmanager writes "it has not ended". */
const NOT_ENDED = '0001-01-01T00:00:00Z';

export interface WebhookSenderOptions {
  readonly name: string;
  readonly url: string;
  readonly secret: Secret;
  /** Where the gateway is seen from outside. */
  readonly publicUrl: string;
  readonly clock: Clock;
}

export class WebhookSender implements AlertSender {
  readonly name: string;
  readonly resendMs = null;
  readonly #options: WebhookSenderOptions;
  readonly #key: Buffer;

  constructor(options: WebhookSenderOptions) {
    this.name = options.name;
    this.#options = options;
    this.#key = keyOf(options.secret);
  }

  async send(news: readonly OpsAlertNews[]): Promise<void> {
    const { url, publicUrl, clock } = this.#options;
    const body = JSON.stringify(webhookMessage(news, publicUrl));
    // The same message has the same id however often it is sent: whoever gets it twice can tell.
    const id = `msg_${createHash('sha256').update(body).digest('hex').slice(0, 24)}`;
    await postJson(url, body, signedHeaders(this.#key, id, Math.floor(clock.now() / 1000), body));
  }

  close(): void {
    // Nothing stays open.
  }
}

export function webhookMessage(news: readonly OpsAlertNews[], publicUrl: string): object {
  const alerts = news.map(({ what, record }) => {
    const { labels, annotations, startsAt } = wordsOf(record);
    return {
      status: statusOf(record.resolvedAt),
      labels,
      annotations: {
        ...annotations,
        news: what,
        returns: String(record.returns),
        toldAt: new Date(record.toldAt).toISOString(),
      },
      startsAt,
      endsAt: record.resolvedAt === null ? NOT_ENDED : new Date(record.resolvedAt).toISOString(),
      generatorURL: publicUrl,
      fingerprint: fingerprintOf(record),
    };
  });
  return {
    version: '4',
    groupKey: '{}:{service="hamrahi"}',
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: 'hamrahi',
    groupLabels: { service: 'hamrahi' },
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: publicUrl,
    alerts,
  };
}

function statusOf(resolvedAt: number | null): 'firing' | 'resolved' {
  return resolvedAt === null ? 'firing' : 'resolved';
}

/** What all of them say alike. */
function common(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)),
  );
}
