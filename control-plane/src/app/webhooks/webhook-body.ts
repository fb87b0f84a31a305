/** What a receiver reads: `{type, timestamp, data}`, with the number of the change inside its subject. */
import type { OutboxData } from '../../ports/outbox.ts';
import type { ClaimedDelivery } from '../../ports/webhook-store.ts';
import { isoTime } from '../session-view.ts';

/** Of Standard Webhooks: receivers may refuse more. */
export const MAX_BODY_BYTES = 20_000;
const IDS = ['sessionId', 'callId', 'webhookId'] as const;

/** The same text for each attempt. What would be too long is told by its ids alone: the API knows the rest. */
export function webhookBody(
  event: Pick<ClaimedDelivery, 'type' | 'at' | 'sequence'> & { readonly data: OutboxData },
): string {
  const { type, at, sequence, data } = event;
  const timestamp = isoTime(at);
  const whole = JSON.stringify({ type, timestamp, data: { ...data, sequence } });
  if (new TextEncoder().encode(whole).length < MAX_BODY_BYTES) return whole;
  const ids = Object.fromEntries(IDS.flatMap((id) => (data[id] === undefined ? [] : [[id, data[id]]])));
  return JSON.stringify({ type, timestamp, data: { ...ids, truncated: true, sequence } });
}
