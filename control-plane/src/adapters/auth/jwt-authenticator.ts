/** Bearer tokens are JWTs (RFC 7519, RFC 8725): who asks is `sub`, what they may is `role`. */
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { role as roleSchema } from '../../contracts/common.ts';
import { isAorPart } from '../../domain/ids.ts';
import type { Instant } from '../../domain/ids.ts';
import type { AuthResult, Authenticator } from '../../ports/authenticator.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Revocations } from '../../ports/revocations.ts';
import { KeysUnavailable, type KeySource } from './key-source.ts';

export interface JwtOptions {
  readonly keys: KeySource;
  readonly issuer: string;
  readonly audience: string;
  readonly clock: Clock;
  /** Asked of every token that is otherwise good. */
  readonly revocations?: Pick<Revocations, 'refuses'>;
}

const CLOCK_TOLERANCE_S = 30;
const MAX_TOKEN_CHARACTERS = 4096;
/** A token with a longer id can be revoked by its subject alone. */
const MAX_TOKEN_ID_CHARACTERS = 200;

export class JwtAuthenticator implements Authenticator {
  readonly #options: JwtOptions;

  constructor(options: JwtOptions) {
    this.#options = options;
  }

  async authenticate(token: string | null): Promise<AuthResult> {
    if (token === null || token === '') return refused('ERR_AUTH_MISSING', 'no bearer token');
    if (token.length > MAX_TOKEN_CHARACTERS) return refused('ERR_AUTH_INVALID', 'the token is too long');
    const { keys, issuer, audience, clock } = this.#options;
    try {
      const { payload } = await jwtVerify(token, keys.getKey, {
        algorithms: [...keys.algorithms],
        issuer,
        audience,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(clock.now()),
      });
      const result = callerOf(payload);
      if (result.ok && (await this.#options.revocations?.refuses(result.caller)))
        return refused('ERR_AUTH_REVOKED', 'the token was revoked');
      return result;
    } catch (error) {
      return failureOf(error);
    }
  }
}

function callerOf(payload: JWTPayload): AuthResult {
  const role = roleSchema.safeParse(payload['role']);
  if (!role.success) return refused('ERR_AUTH_ROLE', 'the claim `role` names no known role');
  // A type says what it should be, a token what it is: a number or a list would pass for its text further on.
  const subject: unknown = payload.sub;
  if (typeof subject !== 'string' || subject === '' || subject.length > 64)
    return refused('ERR_AUTH_INVALID', 'the claim `sub` is no text, empty or too long');
  if (!isAorPart(subject) && role.data !== 'backend')
    return refused('ERR_AUTH_INVALID', 'the claim `sub` may hold letters, digits and underscore only');
  const { jti, iat } = payload as Record<string, unknown>;
  const tokenId = typeof jti === 'string' && jti.length <= MAX_TOKEN_ID_CHARACTERS ? jti : null;
  const issuedAt = typeof iat === 'number' && Number.isFinite(iat) ? ((iat * 1000) as Instant) : null;
  return { ok: true, caller: { role: role.data, subject, tokenId, issuedAt } };
}

/** Says what is wrong by kind only: a token's content is never repeated. */
function failureOf(error: unknown): AuthResult {
  if (error instanceof KeysUnavailable)
    return refused('ERR_AUTH_UNAVAILABLE', "the issuer's keys cannot be fetched");
  if (error instanceof errors.JWTExpired) return refused('ERR_AUTH_EXPIRED', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused('ERR_AUTH_INVALID', `the claim \`${error.claim}\` does not hold`);
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refused('ERR_AUTH_INVALID', 'the algorithm is not allowed');
  return refused('ERR_AUTH_INVALID', 'the token or its signature is not valid');
}

function refused(code: Extract<AuthResult, { ok: false }>['code'], detail: string): AuthResult {
  return { ok: false, code, detail };
}
