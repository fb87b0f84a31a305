/** A message's signature as Standard Webhooks has it: HMAC-SHA256 over id, time and body, version 1. */
import { createHmac } from 'node:crypto';
import type { Secret } from '../../domain/secret.ts';

/** `whsec_` and base64. */
export function keyOf(secret: Secret): Buffer {
  return Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64');
}

export function signedHeaders(
  key: Buffer,
  id: string,
  timestampS: number,
  body: string,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': `v1,${signature}`,
  };
}
