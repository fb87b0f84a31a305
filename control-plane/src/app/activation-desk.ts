/**
 * The press itself: an activation, or the warm-up before it, becomes a session or folds into the one that she has open.
 * Nothing about its body is a reason to refuse her; what is wrong is flagged.
 */
import type { Activated } from '../contracts/sos-api.ts';
import type { AddressOfRecord, CitizenId, Instant, SessionId } from '../domain/ids.ts';
import type { Policy } from '../domain/session/policy.ts';
import { isLive } from '../domain/session/session.ts';
import type { Flag, Session } from '../domain/session/session.ts';
import { KeyedRate } from '../domain/rate/keyed-rate.ts';
import type { Clock, IdSource } from '../ports/clock.ts';
import type { ActivateRequest, Caller, GatewayResult } from '../ports/gateway.ts';
import type { PersonalFacts, SessionStore, SessionTx } from '../ports/session-store.ts';
import type { Found } from './decide.ts';
import { judgeActivation, withSessionId } from './judge-activation.ts';
import type { Judged } from './judge-activation.ts';
import type { MasterData } from './master-data.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { Presence } from './presence.ts';
import type { Outcome, SessionLoop } from './session-loop.ts';
import { isoTime } from './session-view.ts';
import { SharedTurns } from './shared-turns.ts';

export interface ActivationPorts {
  readonly loop: SessionLoop;
  readonly store: Pick<SessionStore, 'find' | 'location'>;
  readonly presence: Presence;
  readonly open: Pick<OpenSessions, 'ofCitizen'>;
  readonly clock: Clock;
  readonly masterData: MasterData;
  readonly ids: IdSource;
  readonly policy: Policy;
  readonly sipDomain: string;
}

type Named = Pick<ActivateRequest, 'citizenId' | 'deviceId' | 'location'>;

/** Of one citizen, at once. */
const MAX_LOOK_UPS = 4;

export class ActivationDesk {
  readonly #ports: ActivationPorts;
  readonly #presses = new SharedTurns<Outcome | null>();
  readonly #lookUps = new Map<CitizenId, number>();
  /** Of one device: a warm-up that stands is written down anew once a second at the most. */
  readonly #warmUps = new KeyedRate({ perSecond: 1, burst: 1 });

  constructor(ports: ActivationPorts) {
    this.#ports = ports;
  }

  activate(request: ActivateRequest): Promise<GatewayResult<Activated>> {
    return this.#begin('api.activated', request);
  }

  arm(request: ActivateRequest): Promise<GatewayResult<Activated>> {
    return this.#begin('api.armed', request);
  }

  async activateArmed(caller: Caller, id: SessionId, receivedAt: Instant): Promise<GatewayResult<Activated>> {
    const citizenId = caller.role === 'citizen' ? (caller.subject as CitizenId) : null;
    const named = await this.#named(id, citizenId);
    if (named === null) return { ok: false, code: 'ERR_SOS_NOT_FOUND', detail: 'There is no such SOS.' };
    return this.activate({
      ...named,
      clientTime: undefined,
      bodyMalformed: false,
      idempotencyKey: null,
      bodyHash: '',
      receivedAt,
    });
  }

  /**
   * Whose session this is and from where; `citizenId`: only if it is hers. Somebody who has her token may press with one
   * id after the other: while some of hers are being looked for, a press is hers whatever id it names.
   */
  async #named(id: SessionId, citizenId: CitizenId | null): Promise<Named | null> {
    if (citizenId === null) return this.#stored(id);
    const lookUps = this.#lookUps.get(citizenId) ?? 0;
    if (lookUps >= MAX_LOOK_UPS) return { citizenId, deviceId: undefined, location: undefined };
    this.#lookUps.set(citizenId, lookUps + 1);
    try {
      const found = await this.#stored(id);
      return found?.citizenId === citizenId ? found : null;
    } finally {
      const left = (this.#lookUps.get(citizenId) ?? 1) - 1;
      if (left > 0) this.#lookUps.set(citizenId, left);
      else this.#lookUps.delete(citizenId);
    }
  }

  async #stored(id: SessionId): Promise<Named | null> {
    const { store } = this.#ports;
    const [stored, location] = await Promise.all([store.find(id), store.location(id)]);
    if (!stored) return null;
    const { citizenId, deviceId } = stored.session;
    return { citizenId, deviceId, location: location ?? undefined };
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
    if (type === 'api.armed' && !this.#warmUps.take(who, this.#ports.clock.now())) {
      const standing = this.#ports.open.ofCitizen(request.citizenId);
      if (standing) return { ok: true, value: this.#activated({ before: standing, after: standing }, aor) };
    }
    const { outcome, shared } = await this.#presses.run(`${type} ${who}`, () =>
      loop.handleNew(`citizen ${request.citizenId}`, request.receivedAt, (tx) =>
        this.#find(tx, type, request, judged),
      ),
    );
    if (!outcome)
      return { ok: false, code: 'ERR_GATEWAY_UNAVAILABLE', detail: 'The activation was not taken.' };
    const { before, after } = outcome;
    if (isLive(after)) presence.begun(after, offersBefore, before === null || !isLive(before));
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
    const { zoneId } = judged.subject;
    const needsOperator = this.#needsOperator(type, request);
    const [, before, keyReused, operators, waiting] = await Promise.all([
      tx.lockCitizen(request.citizenId),
      tx.findOpen(request.citizenId),
      this.#isKeyReused(tx, request, freshId),
      needsOperator ? tx.dutyOperators(zoneId, request.receivedAt) : undefined,
      needsOperator ? tx.waiting(zoneId, request.citizenId) : 0,
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
    return { before, event, personal, ...(operators ? { duty: { operators, waiting } } : {}) };
  }

  /** Read ahead, and locked, for a new SOS. A press that folds seldom asks for one, and then reads for itself. */
  #needsOperator(type: 'api.activated' | 'api.armed', { citizenId }: ActivateRequest): boolean {
    const standing = this.#ports.open.ofCitizen(citizenId);
    return type === 'api.activated' && !(standing !== null && isLive(standing));
  }

  /** The same key with another body: she is served all the same, and it is flagged. */
  async #isKeyReused(tx: SessionTx, request: ActivateRequest, sessionId: SessionId): Promise<boolean> {
    const { citizenId, idempotencyKey, bodyHash } = request;
    if (idempotencyKey === null) return false;
    return (
      (await tx.claimIdempotencyKey(citizenId, idempotencyKey, bodyHash, sessionId)).seen === 'other-body'
    );
  }

  #activated({ before, after }: { before: Session | null; after: Session }, aor: AddressOfRecord): Activated {
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
