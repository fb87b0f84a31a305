/** The core of a node, put together: loop, timers, presence, engine events, feed. `main.ts` gives it its adapters. */
import type { Instant, LegId, OperatorId, ZoneId } from '../domain/ids.ts';
import type { Policy } from '../domain/session/policy.ts';
import { isLive } from '../domain/session/session.ts';
import type { Session } from '../domain/session/session.ts';
import type { Clock, IdSource } from '../ports/clock.ts';
import type { ClientSockets } from '../ports/client-sockets.ts';
import type { Telephony } from '../ports/telephony.ts';
import type { TrunkHealth } from '../ports/trunk-health.ts';
import type { Trunk } from '../domain/trunk/trunk.ts';
import { PhoneLines } from './lines/phone-lines.ts';
import { SyntheticCalls } from './probes/synthetic-calls.ts';
import { SyntheticSosWatch } from './probes/synthetic-sos-watch.ts';
import type { SyntheticCallSettings } from './probes/synthetic-calls.ts';
import type { Directory } from '../ports/directory.ts';
import type { FeedSource, Gateway } from '../ports/gateway.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { LeaseCheck } from '../ports/lease.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { PbxDriver, PbxEvent } from '../ports/pbx-driver.ts';
import type { Journal } from '../ports/journal.ts';
import type { AlertMinders, OpsAlerts } from '../ports/ops-alerts.ts';
import type { AuditLog, HeadAnchor } from '../ports/audit-log.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { RecordKeeping } from '../ports/record-keeping.ts';
import type { Revocations, RevocationStore } from '../ports/revocations.ts';
import type { PresenceStore, SessionStore } from '../ports/session-store.ts';
import type { TicketStore } from '../ports/tickets.ts';
import { Books } from './books.ts';
import { FeedDispatcher } from './feed-dispatcher.ts';
import { HearingWatch } from './hearing-watch.ts';
import { HeldAlert } from './held-alert.ts';
import { keepHouse } from './housekeeping.ts';
import type { Retention } from './housekeeping.ts';
import { ListenerWatch } from './listener-watch.ts';
import { MasterData } from './master-data.ts';
import { MilestoneMetrics } from './milestone-metrics.ts';
import { OpenSessions } from './open-sessions.ts';
import { endure } from './outage/endure.ts';
import { sessionEventOf } from './pbx-events.ts';
import { Performer } from './perform.ts';
import { Presence } from './presence.ts';
import { Reconciler } from './reconciler.ts';
import { RevocationGuard } from './revocation-guard.ts';
import { logSession } from './session-log.ts';
import { Sealer } from './sealer.ts';
import { SessionAlerts } from './session-alerts.ts';
import { SessionAccess } from './session-access.ts';
import { SessionFeedSource } from './session-feed-source.ts';
import { SessionLoop } from './session-loop.ts';
import { SosGateway } from './sos-gateway.ts';
import { takeBack } from './take-back.ts';
import { TimerWheel } from './timer-wheel.ts';
import { TokenRevocations } from './token-revocations.ts';
import { untilTaken } from './until-taken.ts';

const MAX_OPEN = 10_000;
const MAX_TIMERS = 100_000;
const ENGINE_START_MS = 15_000;
/** Two readings 100 ms apart, and the way to the engine and back. */
const RECOUNT_MS = 300;
const DUE_AGAIN_MS = 1000;
/** Asterisk that is started anew is back in two or three seconds. */
const ENGINE_AWAY_MS = 5000;
const ENGINE_AWAY = {
  kind: 'engine-away',
  subject: 'engine',
  severity: 'critical',
  summary: 'Asterisk cannot be reached: no call can be placed.',
} as const;

const UNWATCHED: TrunkHealth = {
  report: () => undefined,
  qualified: () => undefined,
  engineLost: () => undefined,
  stateOf: () => 'up',
  p95PostDialDelayMs: () => null,
};

const NOBODY_ON_CALL: OpsAlerts = { raise: () => undefined, resolve: () => undefined };

export interface CorePorts {
  readonly store: SessionStore;
  readonly presence: PresenceStore;
  readonly records: RecordKeeping;
  readonly ledger: Ledger;
  /** Absent: no heads are made. */
  readonly sealing?: {
    readonly audit: AuditLog;
    readonly anchor: HeadAnchor | null;
    readonly intervalMs: number;
  };
  /** Absent: everything is kept for good. */
  readonly retention?: Retention;
  readonly revocations: RevocationStore;
  readonly tickets: TicketStore;
  /** What is decided while the store is away. */
  readonly journal: Journal;
  /** What was journaled longer ago than this begins no session at a start. Absent: an hour. */
  readonly journalMaxAgeMs?: number;
  readonly directory: Directory;
  readonly pbx: PbxDriver;
  readonly lease: LeaseCheck;
  readonly sockets: ClientSockets;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly policy: Policy;
  /** The trunks that may be used, asked for each call. */
  readonly trunks: () => readonly Trunk[];
  /** Absent: every trunk counts as up. */
  readonly trunkHealth?: TrunkHealth;
  /** Whoever is on call is told here. Absent: nobody is. */
  readonly alerts?: OpsAlerts;
  /** Absent: no synthetic calls are placed. */
  readonly syntheticCalls?: SyntheticCallSettings;
  /** Zone of synthetic SOS. Absent: there are none. */
  readonly syntheticZone?: ZoneId | null;
  /** A synthetic SOS is expected so often. Absent: nobody waits for one. */
  readonly syntheticSosEveryMs?: number | null;
  readonly sipDomain: string;
  readonly failpoints?: Failpoints;
  /** Told of each change after its commit, before its commands run; must cost nothing. */
  readonly committed?: () => void;
}

export interface Core {
  readonly gateway: Gateway;
  readonly feedSource: FeedSource;
  /** The directory for the API: a change of zones is seen by the next activation. */
  readonly directory: Directory;
  readonly revocations: Revocations;
  readonly tickets: TicketStore;
  /** The engine with its trunks, for other calls than those of an SOS. */
  readonly telephony: Telephony;
  readonly isStoreAway: () => boolean;
  /** A leg of a synthetic call that is under way. */
  readonly isSynthetic: (legId: LegId) => boolean;
  /** For alerts that an earlier process left. */
  readonly minders: AlertMinders;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Operators whose capacity a session takes up: who has it, and who is to take it over. */
function holdersOf(session: Session | null): readonly OperatorId[] {
  if (session === null || !isLive(session)) return [];
  const { assignment, handOver } = session;
  return [
    ...(assignment?.state === 'assigned' ? [assignment.operatorId] : []),
    ...(handOver ? [handOver.to.operatorId] : []),
  ];
}

export function createCore(ports: CorePorts): Core {
  const { clock, log, metrics, alerts = NOBODY_ON_CALL } = ports;
  const engineAway = new HeldAlert(alerts, ENGINE_AWAY, clock, ENGINE_AWAY_MS);
  const sessionAlerts = new SessionAlerts(alerts, ports.syntheticZone ?? null);
  const trunkHealth = ports.trunkHealth ?? UNWATCHED;
  const pbx = new PhoneLines({ ...ports, health: trunkHealth, alerts });
  const syntheticCalls =
    ports.syntheticCalls &&
    new SyntheticCalls({
      ...ports,
      settings: ports.syntheticCalls,
      telephony: pbx,
      isSosOpen: () => open.hasLive,
      alerts,
    });
  const { syntheticZone, syntheticSosEveryMs } = ports;
  const sosWatch =
    syntheticZone && syntheticSosEveryMs
      ? new SyntheticSosWatch({
          ...ports,
          zone: syntheticZone,
          everyMs: syntheticSosEveryMs,
          alerts,
        })
      : null;
  const failpoints = ports.failpoints && { failpoints: ports.failpoints };
  const wheel = new TimerWheel(clock);
  const feed = new FeedDispatcher(ports.store, clock, log);
  const open = new OpenSessions();
  const enduring = endure(ports, feed, {
    diverged: (diverged) => presence.background(reconciler.diverged(diverged), 'diverged'),
    doubtful: (id) =>
      presence.background(loop.handle(id, { type: 'record.doubtful' }, clock.now()), 'record.doubtful'),
    forgotten: (session) => {
      open.forget(session.id);
      wheel.forget(session.id);
      sessionAlerts.forget(session.id);
      presence.background(reconciler.forgotten(session), 'forgotten');
    },
  });
  const { store } = enduring;
  const masterData = new MasterData(enduring.directory, clock, log, ports.directory);
  const loop: SessionLoop = new SessionLoop({
    store,
    wheel,
    feed,
    performer: () => performer,
    clock,
    log,
    metrics,
    ...failpoints,
  });
  const presence = new Presence({
    loop,
    open,
    store: enduring.presence,
    pbx,
    sockets: ports.sockets,
    clock,
    log,
    metrics,
  });
  const performer = new Performer({
    pbx,
    masterData,
    removeEndpoint: (aor) => presence.sessionOver(aor),
    clock,
    log,
    metrics,
    ...failpoints,
    dialFailed: (legId, outcome) => {
      onPbxEvent({ type: 'leg.ended', legId, at: clock.now(), outcome, sipStatus: null, q850: null });
    },
  });
  const reconciler = new Reconciler({
    pbx,
    store,
    loop,
    performer,
    setAside: () => store.setAside,
    background: (work, name) => presence.background(work, name),
    clock,
    log,
    metrics,
    ...failpoints,
  });
  const feedSource = new SessionFeedSource({ ...ports, store, feed, directory: enduring.directory });
  const access = new SessionAccess({ store, masterData, feedSource });
  const hearing = new HearingWatch(clock, (sessionId, legId) => {
    const work = loop.handle(sessionId, { type: 'panel.silent', legId }, clock.now());
    presence.background(work, 'panel.silent');
  });
  const books = new Books(ports);
  const milestones = new MilestoneMetrics(metrics);
  const sealer = ports.sealing ? new Sealer({ ...ports.sealing, clock, log, metrics }) : null;
  const revocations = new TokenRevocations({ store: ports.revocations, clock, log, metrics });
  const guard = new RevocationGuard({ ...ports, revocations, loop, open, presence });
  revocations.watch(() => presence.background(guard.look(), 'revocations'));
  const listeners = new ListenerWatch({ open, feedSource, loop, presence, clock });
  const gateway = new SosGateway({
    ...ports,
    store,
    journal: store,
    loop,
    open,
    presence,
    masterData,
    hearing,
    books,
    feedSource,
    access,
    guard,
  });

  function onPbxEvent(event: PbxEvent): void {
    ports.failpoints?.passed('engine-told', event.type);
    const mapped = sessionEventOf(event);
    if (mapped) {
      presence.background(loop.handle(mapped.sessionId, mapped.event, event.at), event.type);
      return;
    }
    if (event.type === 'contact.online') presence.contactChanged(event.aor, true);
    else if (event.type === 'contact.offline') presence.contactChanged(event.aor, false);
    else if (event.type === 'engine.back') {
      engineAway.end();
      presence.contactsAre(event.snapshot.contacts);
      reconciled = reconciler.attached(event.snapshot, event.at);
      presence.background(reconciled, 'reconcile');
    } else if (event.type === 'engine.lost') {
      engineAway.begin();
      trunkHealth.engineLost();
      log.error('The engine is out of reach; calls that stand go on without us.');
    } else if (event.type === 'engine.replaced')
      presence.background(takeBack(ports, ENGINE_START_MS), 'take-back');
    else if (event.type === 'call.unexpected') {
      metrics.count('hamrahi_core_unexpected_calls_total', { source: event.source });
      log.warn('A call that nobody ordered was refused.', { source: event.source });
    }
  }

  let stopHousekeeping: () => void = () => undefined;
  let reconciled: Promise<void> = Promise.resolve();

  wheel.onDue((sessionId, timer, dueAt) => {
    ports.failpoints?.passed('timer-fired', `timer.${timer}`);
    const at = clock.now();
    metrics.observe('hamrahi_core_timer_lateness_ms', at - dueAt, { timer });
    const stale = (): boolean => !wheel.isCurrent(sessionId, timer, dueAt);
    const work = loop.handle(sessionId, { type: 'timer.due', timer }, at, stale).catch((error: unknown) => {
      // No deadline is ever given up: what the store did not take in time is due again.
      if (!stale()) wheel.set(sessionId, timer, (clock.now() + DUE_AGAIN_MS) as Instant);
      throw error;
    });
    presence.background(work, `timer ${timer}`);
  });
  loop.watch((outcome) => {
    const { after } = outcome;
    const before = open.note(after);
    ports.committed?.();
    milestones.note(outcome);
    sosWatch?.note(after);
    if ('endedAt' in after && after.legs.length === 0) sealer?.nudge();
    if ('endedAt' in after && before !== null) masterData.sessionOver(after.citizenId);
    hearing.note(after);
    sessionAlerts.note(after);
    logSession(log, before, after);
    metrics.gauge('hamrahi_core_open_sessions', open.size);
    const holding = holdersOf(after);
    if (holdersOf(before).some((operatorId) => !holding.includes(operatorId))) presence.capacityFreed();
  });

  async function start(): Promise<void> {
    // All that the store alone knows. One that goes away once more is waited for again: nobody is served by an exit.
    const steps = [
      () => masterData.start(),
      () => revocations.start(),
      () => enduring.presence.clear(),
      () => feed.start(),
      () => enduring.start(MAX_OPEN),
    ];
    for (const step of steps) await untilTaken(ports, Number.POSITIVE_INFINITY, step);
    for (const { session } of await store.listOpen(MAX_OPEN)) {
      open.note(session);
      hearing.note(session);
      sessionAlerts.note(session);
    }
    pbx.onEvent(onPbxEvent);
    engineAway.begin();
    await pbx.start(ENGINE_START_MS);
    // The engine is asked before anything is dialled again: what it has was queued before the first overdue timer.
    await reconciled;
    await setTimers();
    hearing.start();
    listeners.start();
    stopHousekeeping = keepHouse(ports.records, clock, log, ports.retention);
    books.start();
    sealer?.start();
    syntheticCalls?.start();
    sosWatch?.start();
  }

  /** An overdue watchdog waits until packets that may flow have been counted. */
  async function setTimers(): Promise<void> {
    const earliest = (clock.now() + RECOUNT_MS) as Instant;
    for (const { sessionId, timer, dueAt } of await store.timers(null, MAX_TIMERS)) {
      const recount = timer === 'watchdog' && dueAt < earliest && open.hasAnsweredCitizen(sessionId);
      wheel.set(sessionId, timer, recount ? earliest : dueAt);
    }
  }

  async function stop(): Promise<void> {
    stopHousekeeping();
    enduring.stop();
    hearing.stop();
    listeners.stop();
    revocations.stop();
    wheel.stop();
    presence.stop();
    sosWatch?.stop();
    await syntheticCalls?.stop();
    engineAway.stop();
    await books.stop();
    await loop.idle();
    await performer.idle();
    await sealer?.stop();
    await pbx.stop();
  }

  return {
    gateway,
    feedSource,
    directory: masterData.watched(() => {
      presence.capacityFreed();
      listeners.look();
    }),
    tickets: enduring.tickets,
    telephony: pbx,
    isStoreAway: () => store.state.isAway,
    minders: {
      // Over with the next call that is answered. What trunk files say is told anew at each start.
      'trunks-dead': ({ subject }) => subject === 'all',
      'synthetic-call': (alert) => syntheticCalls?.minds(alert) === true,
      // The next one that comes through, or the next that is missed, says more.
      'synthetic-sos': () => sosWatch !== null,
    },
    isSynthetic: (legId) => syntheticCalls?.isOwn(legId) === true,
    revocations,
    start,
    stop,
  };
}
