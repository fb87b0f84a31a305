/** The way to a receiver, and the secrets that sign what goes there. */
import type { Instant } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';
import type { AttemptResult } from '../domain/webhook/judge-attempt.ts';
import type { MessageId, WebhookId } from '../domain/webhook/webhook-ids.ts';

export interface WebhookMessage {
  readonly url: string;
  readonly messageId: MessageId;
  /** Of this attempt, by the machine's wall clock: the receiver holds it against its own. */
  readonly at: Instant;
  readonly body: string;
  /** One signature each, in this order; at least one. */
  readonly secrets: readonly Secret[];
}

export interface WebhookSender {
  /** Why a URL is never sent to, for humans; null: none that is known before its name is looked up. */
  refusal(url: string): string | null;
  /** Settles within `SEND_DEADLINE_MS`; never rejects. Repeating it is at the receiver's expense: it knows by the id. */
  send(message: WebhookMessage): Promise<AttemptResult>;
  /** Attempts under way end as `connection`. */
  close(): void;
}

/** Of one attempt, whatever the receiver does. */
export const SEND_DEADLINE_MS = 15_000;

export interface WebhookSecrets {
  /** A new one, and its form for the database, bound to this endpoint; null: there is no key to seal it with. */
  create(id: WebhookId): { readonly secret: Secret; readonly sealed: Uint8Array } | null;
  /** Null: it was sealed with another key, for another endpoint, or altered. */
  open(id: WebhookId, sealed: Uint8Array): Secret | null;
}
