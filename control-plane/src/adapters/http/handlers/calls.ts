/** Telephone calls, and call detail records. */
import { createHmac } from 'node:crypto';
import { CALL_STATES, type CallState } from '../../../domain/call/call.ts';
import type { CallId, Instant, LegId } from '../../../domain/ids.ts';
import { canonicalJson } from '../../../evidence/canonical-json.ts';
import type { Calls, CallsResult } from '../../../ports/calls.ts';
import { failure, reply, type Call, type Handlers, type Outcome } from '../http-call.ts';

type CallOperation =
  | 'createCall'
  | 'listCalls'
  | 'getCall'
  | 'deleteCall'
  | 'holdCall'
  | 'unholdCall'
  | 'transferCall'
  | 'listCallRecords';

const MAX_KEY_CHARACTERS = 255;

export function callHandlers(calls: Calls): Pick<Handlers, CallOperation> {
  return {
    createCall: (call) => create(calls, call),
    listCalls: (call) => list(calls, call),
    getCall: async ({ caller, params }) => outcomeOf(await calls.view(caller, params.id as CallId)),
    deleteCall: async ({ caller, params }) => outcomeOf(await calls.hangUp(caller, params.id as CallId)),
    holdCall: async ({ caller, params }) => outcomeOf(await calls.hold(caller, params.id as CallId)),
    unholdCall: async ({ caller, params }) => outcomeOf(await calls.unhold(caller, params.id as CallId)),
    transferCall: async ({ caller, params, body }) =>
      outcomeOf(await calls.transfer(caller, params.id as CallId, body.to)),
    listCallRecords: async ({ query }) => {
      const { since, until, trunk, outcome, owner, before, limit } = query;
      const records = await calls.records({
        since: instantOf(since),
        until: instantOf(until),
        trunk: trunk ?? null,
        outcome: outcome ?? null,
        owner: owner ?? null,
        before: (before ?? null) as LegId | null,
        limit,
      });
      const last = records.at(-1);
      return reply(200, { records, next: records.length === limit && last ? last.legId : null });
    },
  };
}

async function create(
  calls: Calls,
  { caller, body, idempotencyKey, receivedAt }: Call<'createCall'>,
): Promise<Outcome> {
  if (idempotencyKey === null || idempotencyKey === '' || idempotencyKey.length > MAX_KEY_CHARACTERS)
    return failure('ERR_CALL_KEY_REQUIRED', `1 to ${MAX_KEY_CHARACTERS} characters`);
  const { bridgeTo = [], callerId = null, ...rest } = body;
  const result = await calls.create(caller, {
    ...rest,
    bridgeTo: typeof bridgeTo === 'string' ? [bridgeTo] : bridgeTo,
    callerId,
    idempotencyKey,
    // Without the key nobody can try which number gives it.
    bodyHash: createHmac('sha256', idempotencyKey).update(canonicalJson(body)).digest('hex'),
    receivedAt,
  });
  if (!result.ok) return result;
  return reply(result.value.isNew ? 201 : 200, result.value.call);
}

async function list(calls: Calls, { caller, query }: Call<'listCalls'>): Promise<Outcome> {
  const { state, since, until, metadataKey: key, metadataValue: value, before, limit } = query;
  const states = state?.split(',') ?? [];
  if (!states.every((one): one is CallState => (CALL_STATES as readonly string[]).includes(one)))
    return failure('ERR_HTTP_VALIDATION', 'the query does not fit the contract', [
      { path: 'state', message: `one or more of ${CALL_STATES.join(', ')}, comma-separated` },
    ]);
  if ((key === undefined) !== (value === undefined))
    return failure('ERR_HTTP_VALIDATION', 'the query does not fit the contract', [
      { path: 'metadataKey', message: 'comes with metadataValue' },
    ]);
  const result = await calls.list(caller, {
    states,
    since: instantOf(since),
    until: instantOf(until),
    metadata: key === undefined || value === undefined ? null : { key, value },
    before: (before ?? null) as CallId | null,
    limit,
  });
  if (!result.ok) return result;
  const last = result.value.at(-1);
  return reply(200, {
    calls: result.value,
    next: result.value.length === limit && last ? last.id : null,
  });
}

function outcomeOf(result: CallsResult<unknown>): Outcome {
  return result.ok ? reply(200, result.value) : result;
}

function instantOf(text: string | undefined): Instant | null {
  return text === undefined ? null : (Date.parse(text) as Instant);
}
