/** The headers of Standard Webhooks 1.0.0: who sends, which message, when. */
import { Webhook } from 'standardwebhooks';
import type { WebhookMessage } from '../../ports/webhook-sender.ts';

/** One signature for each secret, so that a receiver may know the old one or the new one. */
export function signedHeaders({
  messageId,
  at,
  body,
  secrets,
}: Pick<WebhookMessage, 'messageId' | 'at' | 'body' | 'secrets'>): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) =>
    new Webhook(secret.reveal()).sign(messageId, new Date(at), body),
  );
  return {
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': signatures.join(' '),
  };
}
