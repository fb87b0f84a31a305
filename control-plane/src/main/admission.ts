/** Who may speak SIP as whom: a token or ticket becomes an address of record with an endpoint behind it. */
import type { Credential, Refusal } from '../adapters/edge-link/core-link-server.ts';
import type { Admission, TokenMark } from '../contracts/core-link.ts';
import { citizenAor, isAorPart, operatorAor, parseAor } from '../domain/ids.ts';
import type { AddressOfRecord, CitizenId, ClientId, DeviceId, Instant, OperatorId } from '../domain/ids.ts';
import type { Authenticator } from '../ports/authenticator.ts';
import type { Clock } from '../ports/clock.ts';
import type { Caller, Gateway } from '../ports/gateway.ts';
import type { Revocations } from '../ports/revocations.ts';
import type { TicketStore } from '../ports/tickets.ts';

export interface AdmissionPorts {
  readonly authenticator: Authenticator;
  readonly tickets: TicketStore;
  readonly revocations: Pick<Revocations, 'refuses'>;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly upstreamUrl: string;
  readonly sipDomain: string;
}

interface Holder {
  readonly caller: Caller;
  readonly deviceId: string | null;
}

export async function admit(ports: AdmissionPorts, credential: Credential): Promise<Admission | Refusal> {
  const holder =
    credential.kind === 'ticket' ? await byTicket(ports, credential.value) : await byToken(ports, credential);
  if ('status' in holder) return holder;
  const { caller, deviceId } = holder;
  const { role, subject, tokenId, issuedAt } = caller;
  if (role !== 'citizen' && role !== 'operator' && role !== 'supervisor')
    return { status: 403, code: 'ERR_AUTH_ROLE' };
  if (deviceId === null || !isAorPart(deviceId) || !isAorPart(subject))
    return { status: 403, code: 'ERR_EDGE_DEVICE' };
  const aor: AddressOfRecord =
    role === 'citizen'
      ? citizenAor(subject as CitizenId, deviceId as DeviceId)
      : operatorAor(subject as OperatorId, deviceId as ClientId);
  const placed = await ports.gateway.deviceExpected(aor, caller);
  if (!placed.ok)
    return placed.code === 'ERR_GATEWAY_BUSY'
      ? { status: 429, code: 'ERR_EDGE_OPENINGS' }
      : { status: 503, code: placed.code };
  const { upstreamUrl, sipDomain } = ports;
  // On the wire a supervisor is an operator: he only listens.
  const speaksAs = role === 'citizen' ? 'citizen' : 'operator';
  const mark = { id: tokenId, issuedAt: issuedAt ?? null };
  const token: TokenMark = role === 'supervisor' ? { ...mark, role } : mark;
  return { aor, role: speaksAs, upstreamUrl, sipDomain, token };
}

/** Whose client an edge tells of, with the token that it came in with. */
export function callerOf(aor: AddressOfRecord, { id, issuedAt, role }: TokenMark): Caller | undefined {
  const owner = parseAor(aor);
  if (!owner) return undefined;
  const subject = owner.role === 'citizen' ? owner.citizenId : owner.operatorId;
  return { role: role ?? owner.role, subject, tokenId: id, issuedAt: issuedAt as Instant | null };
}

async function byTicket(
  { tickets, revocations, clock }: AdmissionPorts,
  ticket: string,
): Promise<Holder | Refusal> {
  const grant = await tickets.redeem(ticket, 'sip', clock.now());
  if (!grant) return { status: 401, code: 'ERR_AUTH_TICKET' };
  if (await revocations.refuses(grant)) return { status: 401, code: 'ERR_AUTH_REVOKED' };
  return { caller: grant, deviceId: grant.deviceId };
}

async function byToken(
  { authenticator }: AdmissionPorts,
  credential: Extract<Credential, { kind: 'bearer' }>,
): Promise<Holder | Refusal> {
  const result = await authenticator.authenticate(credential.value);
  if (result.ok) return { caller: result.caller, deviceId: credential.deviceId };
  return { status: result.code === 'ERR_AUTH_UNAVAILABLE' ? 503 : 401, code: result.code };
}
