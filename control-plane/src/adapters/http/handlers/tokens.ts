/** Shutting out a token, or everything that somebody has, before it expires. */
import type { Instant } from '../../../domain/ids.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { Revocations } from '../../../ports/revocations.ts';
import { failure, reply, type Handlers } from '../http-call.ts';

/** As long as the longest token that the command line mints. */
const KEPT_MS = 30 * 24 * 3_600_000;
const MAX_KEPT_MS = 400 * 24 * 3_600_000;

export function tokenHandlers(
  revocations: Pick<Revocations, 'revoke'>,
  clock: Clock,
  log: Log,
): Pick<Handlers, 'revokeTokens'> {
  return {
    revokeTokens: async ({ caller, body }) => {
      const at = clock.now();
      const until = (body.until === undefined ? at + KEPT_MS : Date.parse(body.until)) as Instant;
      if (!(until > at && until <= at + MAX_KEPT_MS))
        return failure('ERR_HTTP_VALIDATION', 'the body does not fit the contract', [
          { path: 'until', message: 'a time within the next 400 days' },
        ]);
      // Whoever could shut out a backend could shut out every SOS that comes by it.
      if (caller.role === 'supervisor' && 'subject' in body && body.role !== 'operator')
        return failure('ERR_AUTH_ROLE', 'a supervisor revokes tokens of operators, or one by its id');
      const what =
        'jti' in body
          ? ({ kind: 'token', tokenId: body.jti } as const)
          : ({ kind: 'subject', role: body.role, subject: body.subject } as const);
      const by = `${caller.role}:${caller.subject}`;
      if (!(await revocations.revoke({ ...what, at, until, by })))
        return failure(
          'ERR_AUTH_REVOCATIONS_FULL',
          'revoke by subject what was revoked token by token, or ask an admin',
        );
      log.warn('tokens were revoked', { by, ...what });
      return reply(200, {
        kind: what.kind,
        at: new Date(at).toISOString(),
        until: new Date(until).toISOString(),
      });
    },
  };
}
