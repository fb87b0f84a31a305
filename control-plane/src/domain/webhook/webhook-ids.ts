/** The names by which webhooks are known. */
import type { Brand } from '../brand.ts';

/** One endpoint of a receiver; a UUID. */
export type WebhookId = Brand<string, 'WebhookId'>;
/** One event as every receiver is told of it, however often: `webhook-id` of Standard Webhooks. `msg_<uuid>`, without a dot. */
export type MessageId = Brand<string, 'MessageId'>;
/** One attempt that has begun and not been recorded; a UUID. */
export type ClaimId = Brand<string, 'ClaimId'>;
