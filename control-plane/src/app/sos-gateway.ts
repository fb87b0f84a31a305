/** The use cases around one SOS, as HTTP, feed and edge call them. */
import type { Timeline } from '../contracts/sos-api.ts';
import type { SessionView } from '../contracts/session-view.ts';
import type { AddressOfRecord, Instant, LegId, OperatorId, SessionId, ZoneId } from '../domain/ids.ts';
import { parseLegId } from '../domain/ids.ts';
import { KeyedRate } from '../domain/rate/keyed-rate.ts';
import type { Deed } from '../domain/rights/session-rights.ts';
import type { ToldNews } from '../domain/session/event.ts';
import type { AlertKind, Session } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { Caller, FeedSource, Gateway, GatewayErrorCode, GatewayResult } from '../ports/gateway.ts';
import type { PbxDriver } from '../ports/pbx-driver.ts';
import type { PersonalFacts, SessionStore, StoredSession } from '../ports/session-store.ts';
import { ActivationDesk } from './activation-desk.ts';
import type { ActivationPorts } from './activation-desk.ts';
import { DeviceDesk } from './device-desk.ts';
import type { HearingWatch } from './hearing-watch.ts';
import type { Books } from './books.ts';
import type { RevocationGuard } from './revocation-guard.ts';
import type { SessionAccess } from './session-access.ts';
import { StaffDesk } from './staff-desk.ts';
import type { SessionLoop } from './session-loop.ts';
import { citizenViewOf, isoTime, viewOf } from './session-view.ts';

const MAX_MILESTONES = 500;
/** A stamp carries its own time: it may be stored later than it was taken. */
const STAMP_DELAY_MS = 30;
/** Of one person and session. No more can be of use: while her phone rings it is refused anyhow, and that takes longer. */
const REDIALS = { perSecond: 0.2, burst: 10 };

export interface GatewayPorts extends ActivationPorts {
  readonly store: SessionStore;
  readonly journal: { readonly journalEntries: number; readonly isDurable: boolean };
  readonly pbx: PbxDriver;
  readonly hearing: HearingWatch;
  readonly books: Books;
  readonly feedSource: Pick<FeedSource, 'zonesOf'>;
  readonly access: SessionAccess;
  readonly guard: Pick<RevocationGuard, 'admitted' | 'left'>;
  readonly clock: Clock;
  /** Of synthetic sessions: lists leave them out unless they are asked for. */
  readonly syntheticZone?: ZoneId | null;
}

function failed(
  code: GatewayErrorCode,
  detail: string,
): { readonly ok: false; readonly code: GatewayErrorCode; readonly detail: string } {
  return { ok: false, code, detail };
}

export class SosGateway implements Gateway {
  readonly #ports: GatewayPorts;
  readonly #access: SessionAccess;
  readonly #redials = new KeyedRate(REDIALS);
  readonly activate: Gateway['activate'];
  readonly arm: Gateway['arm'];
  readonly activateArmed: Gateway['activateArmed'];
  readonly transfer: Gateway['transfer'];
  readonly join: Gateway['join'];
  readonly listen: Gateway['listen'];
  readonly stopListening: Gateway['stopListening'];
  readonly deviceExpected: Gateway['deviceExpected'];
  readonly deviceAdmitted: Gateway['deviceAdmitted'];
  readonly deviceLost: Gateway['deviceLost'];
  readonly deviceLeft: Gateway['deviceLeft'];

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
    this.#access = ports.access;
    const activation = new ActivationDesk(ports);
    this.activate = (request) => activation.activate(request);
    this.arm = (request) => activation.arm(request);
    this.activateArmed = (...args) => activation.activateArmed(...args);
    const devices = new DeviceDesk(ports);
    this.deviceExpected = (...args) => devices.deviceExpected(...args);
    this.deviceAdmitted = (...args) => devices.deviceAdmitted(...args);
    this.deviceLost = (aor) => devices.deviceLost(aor);
    this.deviceLeft = (aor) => devices.deviceLeft(aor);
    const desk = new StaffDesk({
      ...ports,
      access: this.#access,
      view: (caller, stored) => this.#view(caller, stored),
    });
    this.transfer = (...args) => desk.transfer(...args);
    this.join = (...args) => desk.join(...args);
    this.listen = (...args) => desk.listen(...args);
    this.stopListening = (...args) => desk.stopListening(...args);
  }

  async release(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>> {
    return this.#act(
      caller,
      'press',
      id,
      { type: 'api.released' },
      'Only a warm-up can be released; once activated, an operator ends it.',
    );
  }

  async resolve(caller: Caller, id: SessionId, reason: string | null): Promise<GatewayResult<SessionView>> {
    if (caller.role === 'citizen') return failed('ERR_SOS_PHASE', 'Only an operator ends an SOS.');
    if (caller.role === 'backend' && reason === null)
      return failed('ERR_SOS_REASON_REQUIRED', 'A backend ends an SOS with a reason.');
    const by = `${caller.role}:${caller.subject}`;
    // Free text may name somebody: it stands beside the chain, where it can be erased.
    const personal = reason === null ? null : { location: null, claimed: { reason } };
    return this.#act(
      caller,
      'resolve',
      id,
      { type: 'api.resolved', by },
      'This SOS has ended already.',
      personal,
    );
  }

  async redial(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>> {
    const access = await this.#access.open(caller, 'redial', id);
    if (!access.ok) return access;
    if (isSpokenWithByAnother(caller, access.stored.session))
      return failed(
        'ERR_SOS_PHASE',
        'Another operator has her on the telephone; who has her calls her anew.',
      );
    const by = `${caller.role}:${caller.subject}`;
    if (!this.#redials.take(`${id} ${by}`, this.#ports.clock.now()))
      return failed('ERR_GATEWAY_BUSY', 'You have her phone called too often.');
    return this.#act(
      caller,
      'redial',
      id,
      { type: 'api.redial-requested', by },
      'Her phone cannot be called now: the stream is live or connecting, or her profile forbids it.',
    );
  }

  async view(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>> {
    const access = await this.#access.open(caller, 'see', id);
    if (!access.ok) return access;
    return { ok: true, value: await this.#view(caller, access.stored) };
  }

  async timeline(caller: Caller, id: SessionId): Promise<GatewayResult<Timeline>> {
    const access = await this.#access.open(caller, 'see', id);
    if (!access.ok) return access;
    const { session } = access.stored;
    const activatedAt = 'activatedAt' in session ? session.activatedAt : null;
    const { milestones, verdicts } = await this.#ports.books.of(session);
    return {
      ok: true,
      value: {
        id,
        activatedAt: activatedAt === null ? null : isoTime(activatedAt),
        milestones: milestones
          .slice(0, MAX_MILESTONES)
          .map(({ name, at, ms }) => ({ name, at: isoTime(at), ms })),
        verdicts: [...verdicts],
      },
    };
  }

  async list(
    caller: Caller,
    open: boolean | null,
    before: SessionId | null,
    limit: number,
    withSynthetic = false,
  ): Promise<GatewayResult<readonly SessionView[]>> {
    const operatorId = caller.role === 'operator' ? (caller.subject as OperatorId) : null;
    if (operatorId !== null && !(await this.#ports.masterData.isActive(operatorId)))
      return { ok: true, value: [] };
    const zones = operatorId === null ? null : await this.#ports.feedSource.zonesOf(operatorId);
    const except = withSynthetic ? null : (this.#ports.syntheticZone ?? null);
    const stored = await this.#ports.store.list({ open, zones, operatorId, except, before, limit });
    return { ok: true, value: await Promise.all(stored.map((one) => this.#view(caller, one))) };
  }

  async heard(operatorId: OperatorId, sessionId: SessionId, legId: LegId, packets: number): Promise<void> {
    if (packets <= 0 || parseLegId(legId)?.sessionId !== sessionId) return;
    // Told each second: what the session knows needs no transaction.
    if (this.#ports.hearing.reported(sessionId, legId)) return;
    await this.#ports.loop.handle(
      sessionId,
      { type: 'panel.heard', legId, operatorId },
      this.#ports.clock.now(),
    );
  }

  async acknowledgeAlert(
    caller: Caller,
    sessionId: SessionId,
    kind: AlertKind,
  ): Promise<GatewayResult<SessionView>> {
    return this.#act(
      caller,
      'acknowledge',
      sessionId,
      { type: 'panel.alert-acknowledged', kind, by: caller.subject as OperatorId },
      'This SOS has ended already.',
    );
  }

  shift(operatorId: OperatorId, aor: AddressOfRecord, onShift: boolean): Promise<void> {
    return this.#ports.presence.shift(operatorId, aor, onShift);
  }

  stamped(
    legId: LegId,
    kind: 'offer-sent' | 'answer-received' | 'refused',
    status: number | null,
    at: Instant,
  ): void {
    const leg = parseLegId(legId);
    if (!leg || kind === 'refused') return;
    const event =
      kind === 'offer-sent'
        ? ({ type: 'edge.offer-sent', legId } as const)
        : ({ type: 'edge.answer-received', legId, status } as const);
    const { loop, presence } = this.#ports;
    presence.background(
      this.#afterTheRush().then(() => loop.handle(leg.sessionId, event, at)),
      event.type,
    );
  }

  panelTold(sessionId: SessionId, news: ToldNews, at: Instant): void {
    const { loop, presence } = this.#ports;
    presence.background(
      this.#afterTheRush().then(() => loop.handle(sessionId, { type: 'panel.told', news }, at)),
      'panel.told',
    );
  }

  async health(): ReturnType<Gateway['health']> {
    const { pbx, store, journal } = this.#ports;
    const database = await store.ping(1000);
    return {
      engine: pbx.attached,
      database,
      journal: { entries: journal.journalEntries, durable: journal.isDurable },
    };
  }

  /** What is only written down lets the machine carry the calls first. */
  #afterTheRush(): Promise<void> {
    const { clock } = this.#ports;
    return new Promise(
      (resolve) => void clock.at((clock.now() + STAMP_DELAY_MS) as Instant, () => resolve()),
    );
  }

  async #act(
    caller: Caller,
    deed: Deed,
    id: SessionId,
    event: Parameters<SessionLoop['handle']>[1],
    refusal: string,
    personal: PersonalFacts | null = null,
  ): Promise<GatewayResult<SessionView>> {
    const { loop, clock } = this.#ports;
    const access = await this.#access.open(caller, deed, id);
    if (!access.ok) return access;
    const outcome = await loop.handle(id, event, clock.now(), undefined, personal);
    if (!outcome) return failed('ERR_SOS_NOT_FOUND', 'There is no such SOS.');
    if (outcome.verdict === 'refused') return failed('ERR_SOS_PHASE', refusal);
    return { ok: true, value: await this.#view(caller, { session: outcome.after, seq: outcome.seq }) };
  }

  async #view(caller: Caller, stored: StoredSession): Promise<SessionView> {
    const view = viewOf(stored.session, stored.seq, await this.#ports.store.location(stored.session.id));
    return caller.role === 'citizen' ? citizenViewOf(view) : view;
  }
}

/** Who looks on from the zone must not cut a talk that somebody else has with her. */
function isSpokenWithByAnother(caller: Caller, session: Session): boolean {
  if (caller.role !== 'operator' || session.phase !== 'phone-connected') return false;
  if (session.bridgedWith === null) return false;
  // Who had her when the phones were called: what answered in his place may be a machine.
  const [first] = session.fallback.chain;
  if (first && first.role !== 'citizen' && first.operatorId === caller.subject) return false;
  return session.assignment?.state !== 'assigned' || session.assignment.operatorId !== caller.subject;
}
