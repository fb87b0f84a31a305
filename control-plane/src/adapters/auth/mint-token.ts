/** Makes HS256 tokens for the sandbox and tests. In production only the issuer makes tokens. */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Role } from '../../contracts/common.ts';
import type { Secret } from '../../domain/secret.ts';

export interface Mint {
  readonly secret: Secret;
  readonly issuer: string;
  readonly audience: string;
  readonly role: Role;
  /** Citizen or operator id, or the backend's name. */
  readonly subject: string;
  readonly ttlS: number;
}

export function mintToken(mint: Mint): Promise<string> {
  const issuedAtS = Math.floor(Date.now() / 1000);
  return new SignJWT({ role: mint.role })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(mint.subject)
    .setIssuer(mint.issuer)
    .setAudience(mint.audience)
    .setJti(randomUUID())
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + mint.ttlS)
    .sign(new TextEncoder().encode(mint.secret.reveal()));
}
