/** What can be asked of, and done to, a session that exists. */
import type { ClientId, OperatorId, SessionId } from '../../../domain/ids.ts';
import type { Gateway } from '../../../ports/gateway.ts';
import { failure, outcomeOf, reply, type Handlers } from '../http-call.ts';

type SessionOperation =
  | 'activateArmedSos'
  | 'releaseSos'
  | 'resolveSos'
  | 'redialSos'
  | 'transferSos'
  | 'joinSos'
  | 'listenSos'
  | 'stopListeningSos'
  | 'listSos'
  | 'getSos'
  | 'getTimeline';

export function sessionHandlers(gateway: Gateway): Pick<Handlers, SessionOperation> {
  return {
    activateArmedSos: async ({ caller, params, receivedAt }) =>
      outcomeOf(await gateway.activateArmed(caller, params.id as SessionId, receivedAt)),
    releaseSos: async ({ caller, params }) =>
      outcomeOf(await gateway.release(caller, params.id as SessionId)),
    resolveSos: async ({ caller, params, body }) =>
      outcomeOf(await gateway.resolve(caller, params.id as SessionId, body.reason ?? null)),
    redialSos: async ({ caller, params }) => outcomeOf(await gateway.redial(caller, params.id as SessionId)),
    transferSos: async ({ caller, params, body }) => {
      const to = body.to === 'next' ? null : (body.to as OperatorId);
      return outcomeOf(await gateway.transfer(caller, params.id as SessionId, to, body.reason ?? null));
    },
    joinSos: async ({ caller, params, body }) =>
      outcomeOf(
        await gateway.join(caller, params.id as SessionId, (body.deviceId ?? null) as ClientId | null),
      ),
    listenSos: async ({ caller, params, body }) =>
      outcomeOf(
        await gateway.listen(caller, params.id as SessionId, (body.deviceId ?? null) as ClientId | null),
      ),
    stopListeningSos: async ({ caller, params }) =>
      outcomeOf(await gateway.stopListening(caller, params.id as SessionId)),
    getSos: async ({ caller, params }) => outcomeOf(await gateway.view(caller, params.id as SessionId)),
    getTimeline: async ({ caller, params }) =>
      outcomeOf(await gateway.timeline(caller, params.id as SessionId)),
    listSos: async ({ caller, query }) => {
      const open = query.open === undefined ? null : query.open === 'true';
      const before = (query.before ?? null) as SessionId | null;
      const result = await gateway.list(caller, open, before, query.limit, query.synthetic === 'true');
      if (!result.ok) return failure(result.code, result.detail);
      const last = result.value.at(-1);
      return reply(200, {
        sessions: result.value,
        next: result.value.length === query.limit && last ? last.id : null,
      });
    },
  };
}
