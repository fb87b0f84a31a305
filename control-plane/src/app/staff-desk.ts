/**
 * What staff may do with a session beside ending it: hand her over, be called into her session, listen in. A token is
 * good for its bearer's own panel and no other. Who has her is judged once more in the deciding transaction.
 */
import type { SessionView } from '../contracts/session-view.ts';
import { operatorAor } from '../domain/ids.ts';
import type { AddressOfRecord, ClientId, OperatorId, SessionId } from '../domain/ids.ts';
import { KeyedRate } from '../domain/rate/keyed-rate.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import { isLive } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { Caller, GatewayErrorCode, GatewayResult } from '../ports/gateway.ts';
import type { PersonalFacts, StoredSession } from '../ports/session-store.ts';
import type { Presence } from './presence.ts';
import type { Access, SessionAccess } from './session-access.ts';
import type { Outcome, SessionLoop } from './session-loop.ts';

export interface StaffPorts {
  readonly loop: SessionLoop;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly access: Pick<SessionAccess, 'open'>;
  readonly view: (caller: Caller, stored: StoredSession) => Promise<SessionView>;
}

type Refusal = { readonly ok: false; readonly code: GatewayErrorCode; readonly detail: string };
type Result = Promise<GatewayResult<SessionView>>;

/** What one person may ask of one session: each time somebody is called, and it stands in her log for ever. */
const ASKED = { perSecond: 0.2, burst: 10 };
const OVER = 'This SOS has ended, or is not under way yet.';

export class StaffDesk {
  readonly #ports: StaffPorts;
  readonly #asked = new KeyedRate(ASKED);

  constructor(ports: StaffPorts) {
    this.#ports = ports;
  }

  async transfer(caller: Caller, id: SessionId, to: OperatorId | null, reason: string | null): Result {
    const access = await this.#mayAsk(caller, 'transfer', id);
    if (!access.ok) return access;
    const asker = caller.role === 'operator' ? (caller.subject as OperatorId) : null;
    // Free text may name somebody: it stands beside the chain, where it can be erased.
    const personal = reason === null ? null : { location: null, claimed: { reason } };
    const event = { type: 'api.transfer-requested', to, asker, by: nameOf(caller) } as const;
    const outcome = await this.#handle(id, event, personal);
    if (outcome?.verdict === 'applied' && isLive(outcome.after) && !outcome.after.handOver)
      return refused('ERR_SOS_OPERATOR_UNAVAILABLE', 'Nobody who could take her over is free.');
    return this.#answer(caller, outcome, 'She is being handed over already, or is no longer yours.');
  }

  async join(caller: Caller, id: SessionId, clientId: ClientId | null): Result {
    const access = await this.#mayAsk(caller, 'join', id);
    if (!access.ok) return access;
    const { role } = caller;
    if (role !== 'operator' && role !== 'supervisor') return refused('ERR_SOS_FOREIGN', 'Not your call.');
    const aor = this.#panelOf(caller, clientId);
    if (aor === null && access.stored.session.phase !== 'phone-connected') return absent();
    const operatorId = caller.subject as OperatorId;
    const event = { type: 'api.join-requested', operatorId, role, aor, by: nameOf(caller) } as const;
    const outcome = await this.#handle(id, event);
    return this.#answer(
      caller,
      outcome,
      'You speak with her already, she is being handed over, or she is no longer yours.',
    );
  }

  async listen(caller: Caller, id: SessionId, clientId: ClientId | null): Result {
    const access = await this.#mayAsk(caller, 'listen', id);
    if (!access.ok) return access;
    const aor = this.#panelOf(caller, clientId);
    if (aor === null) return absent();
    const operatorId = caller.subject as OperatorId;
    const event = { type: 'api.listen-requested', operatorId, aor, by: nameOf(caller) } as const;
    return this.#answer(
      caller,
      await this.#handle(id, event),
      'Too many listen in already, or it has ended.',
    );
  }

  async stopListening(caller: Caller, id: SessionId): Result {
    const access = await this.#ports.access.open(caller, 'stop-listening', id);
    if (!access.ok) return access;
    const operatorId = caller.subject as OperatorId;
    const event = { type: 'api.listen-ended', operatorId, by: nameOf(caller) } as const;
    return this.#answer(caller, await this.#handle(id, event), OVER);
  }

  /** Whether the caller may ask this now. Who asks too often keeps neither others from asking nor her from being called. */
  async #mayAsk(caller: Caller, deed: 'transfer' | 'join' | 'listen', id: SessionId): Promise<Access> {
    const access = await this.#ports.access.open(caller, deed, id);
    if (!access.ok || this.#asked.take(`${id} ${nameOf(caller)}`, this.#ports.clock.now())) return access;
    return refused('ERR_GATEWAY_BUSY', 'You ask this of her session too often.');
  }

  /** A panel of the caller's own that a call reaches now; `null`: there is none. */
  #panelOf({ subject }: Caller, clientId: ClientId | null): AddressOfRecord | null {
    const panels = this.#ports.presence.panelsOf(subject as OperatorId);
    if (clientId === null) return panels.at(-1) ?? null;
    const named = operatorAor(subject as OperatorId, clientId);
    return panels.includes(named) ? named : null;
  }

  #handle(
    id: SessionId,
    event: SessionEvent,
    personal: PersonalFacts | null = null,
  ): Promise<Outcome | null> {
    const { loop, clock } = this.#ports;
    return loop.handle(id, event, clock.now(), undefined, personal);
  }

  async #answer(caller: Caller, outcome: Outcome | null, refusal: string): Result {
    if (!outcome) return unknown();
    if (outcome.verdict === 'refused')
      return refused('ERR_SOS_PHASE', isLive(outcome.after) ? refusal : OVER);
    const view = await this.#ports.view(caller, { session: outcome.after, seq: outcome.seq });
    return { ok: true, value: view };
  }
}

function nameOf({ role, subject }: Caller): string {
  return `${role}:${subject}`;
}

function refused(code: GatewayErrorCode, detail: string): Refusal {
  return { ok: false, code, detail };
}

function unknown(): Refusal {
  return refused('ERR_SOS_NOT_FOUND', 'There is no such SOS.');
}

function absent(): Refusal {
  return refused('ERR_SOS_PANEL_ABSENT', 'No panel of yours is registered, or not the one you named.');
}
