/** The alert desk of a core node with its channels, from the settings. */
import { randomUUID } from 'node:crypto';
import { AlertmanagerSender } from '../adapters/alert/alertmanager-sender.ts';
import { MailSender } from '../adapters/alert/mail-sender.ts';
import { WebhookSender } from '../adapters/alert/webhook-sender.ts';
import { OpsAlertDesk } from '../app/ops-alert-desk.ts';
import type { Config, CoreConfig } from '../config/config.ts';
import type { AlertSender } from '../ports/ops-alerts.ts';
import type { NodePorts } from './core-node.ts';

export function startAlerting(
  { environment }: Config,
  { alerting, clients: { publicUrl } }: CoreConfig,
  { clock, log, metrics }: NodePorts,
): OpsAlertDesk {
  const { webhook, alertmanager, mail, repeatMs } = alerting;
  const senders: AlertSender[] = [
    ...(webhook?.urls.map(
      (url, index) =>
        new WebhookSender({ name: `webhook-${index + 1}`, url, secret: webhook.secret, publicUrl, clock }),
    ) ?? []),
    ...alertmanager.urls.map((url, index) => {
      const { token } = alertmanager;
      return new AlertmanagerSender({ name: `alertmanager-${index + 1}`, url, token, publicUrl, clock });
    }),
    ...(mail ? [new MailSender({ name: 'mail', ...mail, publicUrl })] : []),
  ];
  if (senders.length === 0 && environment === 'production')
    log.warn(
      'Nobody on call hears of an alert: no channel is set (HAMRAHI_ALERT_WEBHOOK_URLS and the like).',
    );
  return new OpsAlertDesk({ senders, repeatMs, newId: randomUUID, clock, log, metrics });
}
