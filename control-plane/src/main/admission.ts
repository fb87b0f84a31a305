/** Who may speak SIP as whom: a token or ticket becomes an address of record with an endpoint behind it. */
import type { Credential, Refusal } from '../adapters/edge-link/core-link-server.ts';
import type { Admission } from '../contracts/core-link.ts';
import { citizenAor, isAorPart, operatorAor } from '../domain/ids.ts';
import type { AddressOfRecord, CitizenId, ClientId, DeviceId, OperatorId } from '../domain/ids.ts';
import type { Authenticator } from '../ports/authenticator.ts';
import type { Clock } from '../ports/clock.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { TicketStore } from '../ports/tickets.ts';

export interface AdmissionPorts {
  readonly authenticator: Authenticator;
  readonly tickets: TicketStore;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly upstreamUrl: string;
  readonly sipDomain: string;
}

interface Holder {
  readonly role: string;
  readonly subject: string;
  readonly deviceId: string | null;
}

export async function admit(ports: AdmissionPorts, credential: Credential): Promise<Admission | Refusal> {
  const holder =
    credential.kind === 'ticket' ? await byTicket(ports, credential.value) : await byToken(ports, credential);
  if ('status' in holder) return holder;
  const { role, subject, deviceId } = holder;
  if (role !== 'citizen' && role !== 'operator') return { status: 403, code: 'ERR_AUTH_ROLE' };
  if (deviceId === null || !isAorPart(deviceId) || !isAorPart(subject))
    return { status: 403, code: 'ERR_EDGE_DEVICE' };
  const aor: AddressOfRecord =
    role === 'citizen'
      ? citizenAor(subject as CitizenId, deviceId as DeviceId)
      : operatorAor(subject as OperatorId, deviceId as ClientId);
  const placed = await ports.gateway.deviceAdmitted(aor);
  if (!placed.ok) return { status: 503, code: placed.code };
  return { aor, role, upstreamUrl: ports.upstreamUrl, sipDomain: ports.sipDomain };
}

async function byTicket({ tickets, clock }: AdmissionPorts, ticket: string): Promise<Holder | Refusal> {
  const grant = await tickets.redeem(ticket, 'sip', clock.now());
  return grant ?? { status: 401, code: 'ERR_AUTH_TICKET' };
}

async function byToken(
  { authenticator }: AdmissionPorts,
  credential: Extract<Credential, { kind: 'bearer' }>,
): Promise<Holder | Refusal> {
  const result = await authenticator.authenticate(credential.value);
  if (result.ok)
    return { role: result.caller.role, subject: result.caller.subject, deviceId: credential.deviceId };
  return { status: result.code === 'ERR_AUTH_UNAVAILABLE' ? 503 : 401, code: result.code };
}
