/**
 * Short-lived TURN credentials that a TURN server checks by a shared secret alone: the user name is the expiry in
 * Unix seconds and the subject, the password its HMAC-SHA1 in base64 (draft-uberti-behave-turn-rest §2.2).
 */
import { createHmac } from 'node:crypto';
import type { Instant } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';

export function turnCredentials(
  secret: Secret,
  subject: string,
  now: Instant,
  ttlS: number,
): { readonly username: string; readonly credential: string } {
  const username = `${Math.floor(now / 1000) + ttlS}:${subject}`;
  const credential = createHmac('sha1', secret.reveal()).update(username).digest('base64');
  return { username, credential };
}
