/** Who opens a feed: a browser shows a ticket in the query, anything else a bearer token in the header. */
import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../../contracts/error-table.ts';
import {
  isAorPart,
  operatorAor,
  type AddressOfRecord,
  type ClientId,
  type Instant,
  type OperatorId,
} from '../../domain/ids.ts';
import { bearerOf, type Authenticator } from '../../ports/authenticator.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Caller } from '../../ports/gateway.ts';
import type { Revocations } from '../../ports/revocations.ts';
import type { TicketStore } from '../../ports/tickets.ts';

export interface Panel {
  readonly role: 'operator' | 'supervisor' | 'admin';
  readonly subject: OperatorId;
  /** Of the token that it came in with, so that it can be revoked. */
  readonly tokenId: string | null;
  readonly issuedAt: Instant | null;
  /** SIP address of record of this client; `null`: it named none, or its role takes no calls. */
  readonly aor: AddressOfRecord | null;
  /** Resume after this seq; `null`: from a snapshot. */
  readonly since: number | null;
}

export type Admission =
  | { readonly ok: true; readonly panel: Panel }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

export interface AdmitPorts {
  readonly authenticator: Authenticator;
  readonly tickets: TicketStore;
  readonly revocations: Pick<Revocations, 'refuses'>;
  readonly clock: Clock;
}

export async function admitPanel(request: IncomingMessage, ports: AdmitPorts): Promise<Admission> {
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
  const since = query.get('since');
  const who = query.has('ticket')
    ? await byTicket(query.get('ticket') ?? '', ports)
    : await byToken(request, query.get('device'), ports);
  if ('ok' in who) return who;
  const { role, subject, deviceId, tokenId, issuedAt = null } = who;
  if (role !== 'operator' && role !== 'supervisor' && role !== 'admin')
    return { ok: false, code: 'ERR_AUTH_ROLE', detail: 'the feed is for operators, supervisors and admins' };
  const operatorId = subject as OperatorId;
  const takesCalls = role !== 'admin' && deviceId !== null && isAorPart(deviceId) && isAorPart(subject);
  return {
    ok: true,
    panel: {
      role,
      subject: operatorId,
      tokenId,
      issuedAt,
      aor: takesCalls ? operatorAor(operatorId, deviceId as ClientId) : null,
      since: since !== null && /^\d{1,15}$/.test(since) ? Number(since) : null,
    },
  };
}

type Who = (Caller & { readonly deviceId: string | null }) | Extract<Admission, { ok: false }>;

async function byTicket(ticket: string, { tickets, revocations, clock }: AdmitPorts): Promise<Who> {
  const grant = ticket.length <= 200 ? await tickets.redeem(ticket, 'feed', clock.now()) : null;
  if (!grant) return { ok: false, code: 'ERR_AUTH_TICKET', detail: 'get a new one from POST /v1/tickets' };
  if (await revocations.refuses(grant))
    return { ok: false, code: 'ERR_AUTH_REVOKED', detail: 'the token was revoked' };
  return grant;
}

async function byToken(request: IncomingMessage, deviceId: string | null, ports: AdmitPorts): Promise<Who> {
  const result = await ports.authenticator.authenticate(bearerOf(request.headers.authorization));
  if (!result.ok) return { ok: false, code: result.code, detail: result.detail };
  return { ...result.caller, deviceId };
}
