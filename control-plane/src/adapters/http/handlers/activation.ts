/** `POST /v1/sos` and `/v1/sos/arm`: whoever is identified is served, whatever the body looks like (RTC-10). */
import { createHash } from 'node:crypto';
import { isAorPart, type CitizenId } from '../../../domain/ids.ts';
import type { ActivateRequest, Caller, Gateway } from '../../../ports/gateway.ts';
import type { Metrics } from '../../../ports/log.ts';
import { failure, reply, type Call, type Handler, type Outcome } from '../http-call.ts';
import { parseJson, type ReadBody } from '../read-body.ts';

const MAX_IDEMPOTENCY_KEY_CHARACTERS = 255;

interface Claims {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly malformed: boolean;
}

export function activationHandler(
  gateway: Gateway,
  metrics: Metrics,
  use: 'activate' | 'arm',
): Handler<'activateSos'> & Handler<'armSos'> {
  return async ({ caller, raw, idempotencyKey, receivedAt }: Call<'activateSos'> | Call<'armSos'>) => {
    const who = caller.role === 'citizen' ? citizenClaims(caller, raw) : backendClaims(raw);
    if ('ok' in who) return who;
    const { fields, malformed } = who.claims;
    const request: ActivateRequest = {
      citizenId: who.citizenId,
      deviceId: fields['deviceId'],
      location: fields['location'],
      clientTime: fields['clientTime'],
      bodyMalformed: malformed,
      idempotencyKey: shortKey(idempotencyKey),
      bodyHash: hash(raw.kind === 'complete' ? raw.bytes : Buffer.from(raw.kind)),
      receivedAt,
    };
    const result = use === 'activate' ? await gateway.activate(request) : await gateway.arm(request);
    if (!result.ok) return failure(result.code, result.detail);
    for (const flag of result.value.flags) metrics.count('hamrahi_http_flagged_total', { flag });
    return reply(result.value.folded ? 200 : 201, result.value);
  };
}

type Who = { readonly citizenId: CitizenId; readonly claims: Claims } | Outcome;

/** Her token says who she is: a broken, late or oversized body takes nothing from that. */
function citizenClaims(caller: Caller, raw: ReadBody): Who {
  const claims = claimsOf(raw);
  const named = claims.fields['citizenId'];
  if (typeof named === 'string' && named !== caller.subject)
    return failure('ERR_SOS_FOREIGN', 'the token is of another citizen');
  const misnamed = named !== undefined && typeof named !== 'string';
  return {
    citizenId: caller.subject as CitizenId,
    claims: { fields: claims.fields, malformed: claims.malformed || misnamed },
  };
}

/** A backend speaks for many: without a readable `citizenId` nobody can be helped. */
function backendClaims(raw: ReadBody): Who {
  if (raw.kind === 'too-large') return failure('ERR_HTTP_BODY_TOO_LARGE', 'the limit is 16 KiB');
  if (raw.kind !== 'complete') return failure('ERR_HTTP_TIMEOUT', 'the body did not come in time');
  if (raw.bytes.length > 0 && !parseJson(raw.bytes).ok)
    return failure('ERR_HTTP_MALFORMED_JSON', 'the body is not JSON in UTF-8');
  const claims = claimsOf(raw);
  const named = claims.fields['citizenId'];
  if (typeof named !== 'string' || !isAorPart(named))
    return failure('ERR_SOS_CITIZEN_REQUIRED', 'citizenId: letters, digits and underscore, at most 64');
  return { citizenId: named as CitizenId, claims };
}

/** The body's fields. Nothing sent is nothing claimed; anything but a JSON object is malformed. */
function claimsOf(raw: ReadBody): Claims {
  if (raw.kind !== 'complete') return { fields: {}, malformed: true };
  if (raw.bytes.length === 0) return { fields: {}, malformed: false };
  const json = parseJson(raw.bytes);
  if (!json.ok || typeof json.value !== 'object' || json.value === null || Array.isArray(json.value))
    return { fields: {}, malformed: true };
  return { fields: json.value as Record<string, unknown>, malformed: false };
}

/** An absurdly long key still tells a repetition: by its hash. */
function shortKey(key: string | null): string | null {
  if (key === null || key === '') return null;
  return key.length <= MAX_IDEMPOTENCY_KEY_CHARACTERS ? key : `sha256:${hash(key)}`;
}

function hash(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}
