/**
 * The press itself: an activation, or the warm-up before it, becomes a session or folds into the one that she has open.
 * Nothing about its body is a reason to refuse her; what is wrong is flagged.
 */
import type { Activated } from '../contracts/sos-api.ts';
import type { AddressOfRecord, SessionId } from '../domain/ids.ts';
import type { Policy } from '../domain/session/policy.ts';
import { isLive } from '../domain/session/session.ts';
import type { Flag } from '../domain/session/session.ts';
import type { IdSource } from '../ports/clock.ts';
import type { ActivateRequest, GatewayResult } from '../ports/gateway.ts';
import type { PersonalFacts, SessionTx } from '../ports/session-store.ts';
import type { Found } from './decide.ts';
import { judgeActivation, withSessionId } from './judge-activation.ts';
import type { Judged } from './judge-activation.ts';
import type { MasterData } from './master-data.ts';
import type { Presence } from './presence.ts';
import type { Outcome, SessionLoop } from './session-loop.ts';
import { isoTime } from './session-view.ts';
import { SharedTurns } from './shared-turns.ts';

export interface ActivationPorts {
  readonly loop: SessionLoop;
  readonly presence: Presence;
  readonly masterData: MasterData;
  readonly ids: IdSource;
  readonly policy: Policy;
  readonly sipDomain: string;
}

export class ActivationDesk {
  readonly #ports: ActivationPorts;
  readonly #presses = new SharedTurns<Outcome | null>();

  constructor(ports: ActivationPorts) {
    this.#ports = ports;
  }

  activate(request: ActivateRequest): Promise<GatewayResult<Activated>> {
    return this.#begin('api.activated', request);
  }

  arm(request: ActivateRequest): Promise<GatewayResult<Activated>> {
    return this.#begin('api.armed', request);
  }

  async #begin(
    type: 'api.activated' | 'api.armed',
    request: ActivateRequest,
  ): Promise<GatewayResult<Activated>> {
    const { loop, masterData, presence, policy } = this.#ports;
    const citizen = await masterData.citizenIfRead(request.citizenId);
    const offersBefore = presence.offers;
    const judged = judgeActivation(request, citizen, masterData.zones(), presence.contacts, policy);
    // A device that is hers, or connected as hers, has turns of its own: invented names do not use up those of her phone.
    const { aor, deviceId } = judged.subject;
    const isRegistered = citizen !== null && citizen !== 'unread' && citizen.devices.includes(deviceId);
    const who = isRegistered || presence.contacts.has(aor) ? aor : request.citizenId;
    const { outcome, shared } = await this.#presses.run(`${type} ${who}`, () =>
      loop.handleNew(`citizen ${request.citizenId}`, request.receivedAt, (tx) =>
        this.#find(tx, type, request, judged),
      ),
    );
    if (!outcome)
      return { ok: false, code: 'ERR_GATEWAY_UNAVAILABLE', detail: 'The activation was not taken.' };
    if (isLive(outcome.after)) presence.begun(outcome.after, offersBefore);
    const activated = this.#activated(outcome, judged.subject.aor);
    return { ok: true, value: shared ? { ...activated, folded: activated.activatedAt !== null } : activated };
  }

  async #find(
    tx: SessionTx,
    type: 'api.activated' | 'api.armed',
    request: ActivateRequest,
    judged: Judged,
  ): Promise<Found> {
    const freshId = this.#ports.ids.sessionId();
    // Sent together and performed in this order: each round trip is on the path from SOS to sound.
    const [, before, keyReused, onDuty] = await Promise.all([
      tx.lockCitizen(request.citizenId),
      tx.findOpen(request.citizenId),
      this.#isKeyReused(tx, request, freshId),
      type === 'api.activated' ? tx.dutyOperators(judged.subject.zoneId, request.receivedAt) : undefined,
    ]);
    const sessionId = before?.session.id ?? freshId;
    const flags: Flag[] = [...judged.subject.flags];
    if (request.bodyMalformed) flags.push('body-malformed');
    if (keyReused) flags.push('idempotency-key-reused');
    const subject = withSessionId({ ...judged.subject, flags }, sessionId);
    const personal: PersonalFacts = judged.personal;
    const contactOnline = this.#ports.presence.contacts.has(subject.aor);
    const event =
      type === 'api.armed' ? ({ type, subject } as const) : ({ type, subject, contactOnline } as const);
    return { before, event, personal, ...(onDuty ? { onDuty } : {}) };
  }

  /** The same key with another body: she is served all the same, and it is flagged. */
  async #isKeyReused(tx: SessionTx, request: ActivateRequest, sessionId: SessionId): Promise<boolean> {
    const { citizenId, idempotencyKey, bodyHash } = request;
    if (idempotencyKey === null) return false;
    return (
      (await tx.claimIdempotencyKey(citizenId, idempotencyKey, bodyHash, sessionId)).seen === 'other-body'
    );
  }

  #activated({ before, after }: Outcome, aor: AddressOfRecord): Activated {
    const live = 'activatedAt' in after ? after.activatedAt : null;
    return {
      id: after.id,
      phase: after.phase,
      activatedAt: live === null ? null : isoTime(live),
      folded: before !== null && before.phase !== 'arming',
      flags: [...after.flags],
      sipUri: `sip:${aor}@${this.#ports.sipDomain}`,
    };
  }
}
