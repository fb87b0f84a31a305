/** Who stands behind a bearer token. HTTP, the panel feed and the core link of the edge ask the same authority. */
import type { Caller } from './gateway.ts';

export type AuthErrorCode =
  | 'ERR_AUTH_MISSING'
  | 'ERR_AUTH_INVALID'
  | 'ERR_AUTH_EXPIRED'
  | 'ERR_AUTH_ROLE'
  /** The token, or everything that its holder had, was revoked; or the directory calls the operator inactive. */
  | 'ERR_AUTH_REVOKED'
  /** The issuer's keys were never fetched yet and cannot be now. */
  | 'ERR_AUTH_UNAVAILABLE';

export type AuthResult =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly code: AuthErrorCode; readonly detail: string };

export interface Authenticator {
  /**
   * Checks signature, algorithm, issuer, audience, times (30 s tolerance), role and revocations. A citizen's or operator's
   * subject can stand in an address of record. `null` and an empty token are ERR_AUTH_MISSING. Never rejects.
   */
  authenticate(token: string | null): Promise<AuthResult>;
}

/** The token of an `Authorization: Bearer` header (RFC 6750 §2.1), or `null`. */
export function bearerOf(header: string | undefined): string | null {
  const match = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header ?? '');
  return match?.[1] ?? null;
}
