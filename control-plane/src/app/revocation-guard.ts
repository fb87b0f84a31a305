/**
 * Carries revocations out on what is open: sockets at the edge, shifts, and the calls that an operator listens to. It
 * looks after every reading of the list, once a second, so that also a socket that was let in a moment too early goes.
 */
import { parseAor } from '../domain/ids.ts';
import type { AddressOfRecord, OperatorId, SessionId } from '../domain/ids.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import type { Live } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClientSockets } from '../ports/client-sockets.ts';
import type { Caller } from '../ports/gateway.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { Revocations } from '../ports/revocations.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { Presence } from './presence.ts';
import type { SessionLoop } from './session-loop.ts';

/** Close code of a client's socket whose token was revoked. */
export const CLOSE_REVOKED = 4005;
/** Operators' clients that left are remembered: their voice path may outlive their socket. */
const MAX_REMEMBERED = 10_000;

export interface RevocationGuardPorts {
  readonly revocations: Pick<Revocations, 'isRevoked' | 'refuses'>;
  readonly loop: Pick<SessionLoop, 'handle'>;
  readonly open: Pick<OpenSessions, 'live'>;
  readonly presence: Pick<Presence, 'shift' | 'background'>;
  readonly sockets: ClientSockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class RevocationGuard {
  readonly #ports: RevocationGuardPorts;
  /** By whose token a client came in last; the oldest first. */
  readonly #holders = new Map<AddressOfRecord, { readonly caller: Caller; readonly isHere: boolean }>();
  /** Orders on their way: none is given twice. */
  readonly #ending = new Set<string>();
  #looking = false;

  constructor(ports: RevocationGuardPorts) {
    this.#ports = ports;
  }

  /** A client came in with this token. */
  admitted(aor: AddressOfRecord, caller: Caller): void {
    this.#holders.delete(aor);
    this.#holders.set(aor, { caller, isHere: true });
  }

  /** Its socket is gone for good. An operator's leg may still stand: the token is remembered with it. */
  left(aor: AddressOfRecord): void {
    const holder = this.#holders.get(aor);
    if (!holder || holder.caller.role === 'citizen') {
      this.#holders.delete(aor);
      return;
    }
    this.#holders.set(aor, { ...holder, isHere: false });
    if (this.#holders.size <= MAX_REMEMBERED) return;
    for (const [other, { isHere }] of this.#holders) {
      if (isHere) continue;
      this.#holders.delete(other);
      return;
    }
  }

  /** Looks at everything that is open; a look that is still running is enough. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const [aor, { caller, isHere }] of [...this.#holders])
        if (isHere && (await this.#ports.revocations.refuses(caller))) await this.#shutOut(aor, caller);
      this.#endCalls();
    } finally {
      this.#looking = false;
    }
  }

  async #shutOut(aor: AddressOfRecord, { role, subject }: Caller): Promise<void> {
    this.#ports.log.warn('A client was shut out: its token was revoked.', { aor });
    this.#ports.metrics.count('hamrahi_core_revoked_clients_total', { role });
    this.left(aor);
    this.#ports.sockets.close(aor, CLOSE_REVOKED, 'ERR_AUTH_REVOKED');
    if (role !== 'operator') return;
    // His panel's feed ends his shift too; a call must not be offered to him in between.
    await this.#ports.presence.shift(subject as OperatorId, aor, false).catch(() => undefined);
  }

  /** Sessions in whose stream such an operator's client stands, or to which it is assigned. */
  #endCalls(): void {
    for (const session of this.#ports.open.live())
      for (const aor of operatorClientsOf(session)) {
        const owner = parseAor(aor);
        if (owner?.role !== 'operator') continue;
        if (this.#isShutOut(aor, owner.operatorId)) this.#endCall(session.id, owner.operatorId, aor);
      }
  }

  /** After a restart nobody knows which token a client had: what concerns all tokens of its owner concerns this one. */
  #isShutOut(aor: AddressOfRecord, subject: OperatorId): boolean {
    const { revocations } = this.#ports;
    const known = this.#holders.get(aor)?.caller;
    if (known) return revocations.isRevoked(known);
    const roles = ['operator', 'supervisor'] as const;
    return roles.some((role) => revocations.isRevoked({ role, subject, tokenId: null, issuedAt: null }));
  }

  #endCall(sessionId: SessionId, operatorId: OperatorId, aor: AddressOfRecord): void {
    const key = `${sessionId} ${aor}`;
    if (this.#ending.has(key)) return;
    this.#ending.add(key);
    const event: SessionEvent = { type: 'operator.revoked', operatorId, aor };
    const work = this.#ports.loop.handle(sessionId, event, this.#ports.clock.now());
    this.#ports.presence.background(
      work.finally(() => this.#ending.delete(key)),
      event.type,
    );
  }
}

function operatorClientsOf(session: Live): ReadonlySet<AddressOfRecord> {
  const clients = new Set<AddressOfRecord>();
  const { assignment } = session;
  if (assignment?.state === 'assigned' && assignment.aor !== null && session.phase !== 'phone-connected')
    clients.add(assignment.aor);
  for (const leg of session.legs)
    if (leg.kind !== 'citizen-app' && leg.aor !== null && !leg.ending) clients.add(leg.aor);
  return clients;
}
