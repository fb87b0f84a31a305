/** What a client needs before it can speak SIP or hear the feed: a ticket, its addresses, ICE servers. */
import {
  citizenAor,
  operatorAor,
  type CitizenId,
  type ClientId,
  type DeviceId,
  type Instant,
  type OperatorId,
} from '../../../domain/ids.ts';
import type { ClientConfig } from '../../../contracts/sos-api.ts';
import type { Secret } from '../../../domain/secret.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Caller } from '../../../ports/gateway.ts';
import type { TicketStore } from '../../../ports/tickets.ts';
import { failure, reply, type Handlers, type Outcome } from '../http-call.ts';
import { turnCredentials } from '../turn-credentials.ts';

/** What clients are told; the same values for all of them. */
export interface ClientSettings {
  readonly publicUrl: string;
  readonly sipWssUrl: string;
  readonly sipDomain: string;
  readonly stunUrls: readonly string[];
  readonly turn: { readonly urls: readonly string[]; readonly secret: Secret; readonly ttlS: number } | null;
}

const TICKET_LIFE_MS = 30_000;
const ICE_GATHERING_TIMEOUT_MS = 500;

export function clientHandlers(
  tickets: TicketStore,
  clock: Clock,
  settings: ClientSettings,
): Pick<Handlers, 'createTicket' | 'getClientConfig'> {
  return {
    createTicket: ({ caller, body }) =>
      issue(tickets, caller, body.purpose, body.deviceId ?? null, clock.now()),
    getClientConfig: ({ caller, query }) =>
      Promise.resolve(reply(200, configFor(caller, query.deviceId, settings, clock.now()))),
  };
}

async function issue(
  tickets: TicketStore,
  caller: Caller,
  purpose: 'sip' | 'feed',
  deviceId: string | null,
  now: Instant,
): Promise<Outcome> {
  const { role, subject, tokenId, issuedAt = null } = caller;
  if (role === 'backend' || (purpose === 'feed' && role === 'citizen'))
    return failure('ERR_AUTH_ROLE', 'the feed is for operators, supervisors and admins');
  if (purpose === 'sip' && role === 'admin')
    return failure('ERR_AUTH_ROLE', 'SIP is for citizens, operators and supervisors');
  if (purpose === 'sip' && deviceId === null)
    return failure('ERR_HTTP_VALIDATION', 'a ticket for SIP names the device', [
      { path: 'deviceId', message: 'required' },
    ]);
  const expiresAt = (now + TICKET_LIFE_MS) as Instant;
  const ticket = await tickets.issue({ role, subject, purpose, deviceId, tokenId, issuedAt }, expiresAt);
  return reply(201, { ticket, expiresAt: new Date(expiresAt).toISOString() });
}

function configFor(caller: Caller, deviceId: string, settings: ClientSettings, now: Instant): ClientConfig {
  const isCitizen = caller.role === 'citizen';
  const aor = isCitizen
    ? citizenAor(caller.subject as CitizenId, deviceId as DeviceId)
    : operatorAor(caller.subject as OperatorId, deviceId as ClientId);
  const { stunUrls, turn } = settings;
  return {
    sipUri: `sip:${aor}@${settings.sipDomain}`,
    sipWssUrl: settings.sipWssUrl,
    iceServers: [
      ...(stunUrls.length > 0 ? [{ urls: [...stunUrls] }] : []),
      ...(turn
        ? [{ urls: [...turn.urls], ...turnCredentials(turn.secret, caller.subject, now, turn.ttlS) }]
        : []),
    ],
    iceGatheringTimeoutMs: ICE_GATHERING_TIMEOUT_MS,
    feedUrl: isCitizen ? null : `${settings.publicUrl.replace(/^http/, 'ws')}/v1/panel/feed`,
  };
}
