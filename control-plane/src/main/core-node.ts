/** A core node, wired by hand: database, engine, HTTP, feed, and the listener that edges attach to. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AnchorFile } from '../adapters/anchor/anchor-file.ts';
import { AsteriskDriver } from '../adapters/asterisk/asterisk-driver.ts';
import { RegistrationPoller } from '../adapters/asterisk/registration-poller.ts';
import { JwtAuthenticator } from '../adapters/auth/jwt-authenticator.ts';
import { IssuerKeys, sharedSecret } from '../adapters/auth/key-source.ts';
import { randomIds } from '../adapters/clock/system-clock.ts';
import {
  startCoreLinkServer,
  type CoreLinkServer,
  type SocketNotice,
} from '../adapters/edge-link/core-link-server.ts';
import { webrtcEndpointFields } from '../adapters/engine-config/webrtc-endpoint.ts';
import { FEED_PATH, PanelFeed } from '../adapters/feed/panel-feed.ts';
import { startHttp, type HttpServer } from '../adapters/http/start-http.ts';
import { FileJournal } from '../adapters/journal/file-journal.ts';
import type { PrometheusMetrics } from '../adapters/metrics/prometheus-metrics.ts';
import { processFailpoints } from '../adapters/failpoints/process-failpoints.ts';
import { worldPlans } from '../adapters/numbering/world-plans.ts';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { CORE_LEASE, PostgresLease } from '../adapters/postgres/lease.ts';
import { openDatabase, type Database } from '../adapters/postgres/open-database.ts';
import { HttpWebhookSender } from '../adapters/webhook/http-sender.ts';
import { SealedSecrets } from '../adapters/webhook/sealed-secrets.ts';
import { createCalls, type CallService, type CallsPorts } from '../app/calls/create-calls.ts';
import { HeldAlert } from '../app/held-alert.ts';
import { LeaseKeeper } from '../app/lease-keeper.ts';
import type { OpsAlertDesk } from '../app/ops-alert-desk.ts';
import { TrunkMonitor } from '../app/trunk-monitor.ts';
import { createCore, type Core, type CorePorts } from '../app/core.ts';
import type { TrunkBook } from '../app/trunk-book.ts';
import { rehearse } from '../app/rehearse.ts';
import { createWebhooks, type WebhookService } from '../app/webhooks/create-webhooks.ts';
import type { Config, CoreConfig } from '../config/config.ts';
import type { AddressOfRecord, CallId, Instant, LegId, ZoneId } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';
import { auditSigner } from '../evidence/audit-key.ts';
import type { Trunk } from '../domain/trunk/trunk.ts';
import { ownsCallerId } from '../domain/trunk/caller-id.ts';
import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log } from '../ports/log.ts';
import type { OpsAlerts } from '../ports/ops-alerts.ts';
import type { Revocations } from '../ports/revocations.ts';
import { StoreError } from '../ports/session-store.ts';
import type { Webhooks } from '../ports/webhooks.ts';
import { admit, callerOf } from './admission.ts';
import { startAlerting } from './alerting.ts';
import { secretsOf, startSecretSource } from './secret-source.ts';
import { followPasswords, monitoredOf, openTrunks } from './trunks.ts';

const POOL_SIZE = 16;
const MEGABYTE = 1_048_576;
const JOURNAL_RESERVED_BYTES = 8 * MEGABYTE;
const CLOSE_DEADLINE_MS = 3000;
/** A slow database must not keep a node from serving that holds the lease. */
const REHEARSAL_MS = 1500;
const START_RETRY_MS = 500;
const ALERTS_TOLD_WITHIN_MS = 2000;
const ALERT_AFTER_MS = 5000;
const PAGES = resolve(import.meta.dirname, '../../public');

export interface NodePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: PrometheusMetrics;
  /** Absent: the log alone is told. */
  readonly alerts?: OpsAlerts;
}

export interface CoreNode {
  /** Where edges attach. */
  readonly internal: { readonly url: string; readonly secret: string };
  /** `true` once it serves, for which it may wait for long; `false` when it was stopped before. Rejects when it cannot. */
  readonly serving: Promise<boolean>;
  /** Where this node tells whoever is on call; it works whatever else does not. */
  readonly alerts: OpsAlerts;
  /** Resolves when another node has taken over: this process has to end, at once. */
  readonly fenced: Promise<undefined>;
  /** Reads the trunk files anew; what is wrong with them is told by log and alert. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Listens at once and stands by; serves when the lease is its own. */
export async function startCoreNode(
  config: Config,
  core: CoreConfig,
  edgeSecret: Secret,
  ports: NodePorts,
): Promise<CoreNode> {
  const { clock, log, metrics } = ports;
  const stops: (() => Promise<unknown>)[] = [];
  const alerts = startAlerting(config, core, ports);
  stops.push(() => alerts.close(ALERTS_TOLD_WITHIN_MS));
  const { database, keeper } = await openStore(config, core, ports, stops);
  const trunks = await openTrunks(core, { alerts, log, metrics });
  const secretPorts = { alerts, clock, log, metrics };
  const { source: secrets } = await startSecretSource(core.secrets, secretsOf(trunks.known()), secretPorts);
  stops.push(() => secrets.stop());
  followPasswords(trunks, secrets, log);
  const journal = new FileJournal({
    directory: resolve(core.journal.directory),
    name: config.nodeId,
    maxBytes: core.journal.maxMb * MEGABYTE,
    reservedBytes: JOURNAL_RESERVED_BYTES,
    log,
  });
  stops.push(() => journal.close());
  const pbx = new AsteriskDriver({
    url: `${core.engine.ariUrl}/ari`,
    user: core.engine.ariUser,
    password: core.engine.ariPassword,
    app: core.engine.ariApp,
    trunks,
    accounts: { trunks, secrets },
    endpointFields: (aor) => webrtcEndpointFields({ aor, permit: [core.engine.relayAddress] }),
    mediaLostAfterMs: core.policy.mediaLostMs,
    permit: keeper,
    clock,
    log,
    metrics,
  });
  const webhooks = webhooksOf(core, database, alerts, ports);
  stops.push(() => webhooks.stop());
  const monitor = new TrunkMonitor({
    trunks: monitoredOf(trunks),
    alerts,
    history: database.tries,
    clock,
    log,
    metrics,
  });
  trunks.onChange(() => monitor.follow(monitoredOf(trunks)));
  const registrations = new RegistrationPoller({
    url: core.engine.ariUrl,
    user: core.engine.ariUser,
    password: core.engine.ariPassword,
    trunks: () => trunks.known(),
    told: (trunk, isRegistered, at) => monitor.registered(trunk, isRegistered, at),
    clock,
    log,
    metrics,
  });
  stops.push(() => {
    registrations.stop();
    monitor.stop();
    return Promise.resolve();
  });
  const links: { server: CoreLinkServer | null } = { server: null };
  const gatewayCore = createCore({
    ...database,
    journal,
    journalMaxAgeMs: core.journal.maxAgeMs,
    pbx,
    lease: keeper,
    sockets: { close: (aor, code, reason) => links.server?.closeClient(aor, code, reason) },
    clock,
    ids: randomIds,
    log,
    metrics,
    ...sealingOf(core, database, log),
    retention: core.records.kept,
    committed: () => webhooks.nudge(),
    policy: core.policy,
    trunks: () => trunks.all(),
    trunkHealth: monitor,
    alerts,
    syntheticZone: core.synthetic.zone as ZoneId | null,
    syntheticSosEveryMs: core.synthetic.sosEveryMs,
    ...(core.synthetic.call ? { syntheticCalls: core.synthetic.call } : {}),
    sipDomain: core.clients.sipDomain,
    ...failpointsOf(config),
  });
  stops.push(() => gatewayCore.stop());
  const calls = callsOf(config, core, ports, {
    ...gatewayCore,
    store: database.calls,
    trunks: () => trunks.all(),
    outboxWritten: () => webhooks.nudge(),
  });
  stops.push(() => calls.stop());
  let serves = false;
  let stopped = false;
  const standsBy = (): boolean => !serves || keeper.state !== 'active';
  const authenticator = authenticatorOf(core, gatewayCore.revocations, ports);
  links.server = await startCoreLinkServer({
    listen: core.internal?.listen ?? { host: '127.0.0.1', port: 0 },
    secret: edgeSecret.reveal(),
    onAdmit: (credential) =>
      admit(
        {
          authenticator,
          tickets: gatewayCore.tickets,
          revocations: gatewayCore.revocations,
          gateway: gatewayCore.gateway,
          clock,
          upstreamUrl: core.engine.sipWsUrl,
          sipDomain: core.clients.sipDomain,
        },
        credential,
      ),
    onStamp: ({ legId, kind, status, at }) =>
      gatewayCore.gateway.stamped(legId as LegId, kind, status ?? null, at as Instant),
    onSocket: (notice) => socketChanged(gatewayCore, notice, log),
    standsBy,
    clock,
    log,
    metrics,
  });
  const { server } = links;
  stops.push(() => server.stop());
  const { http, feed } = await serve(
    config,
    core,
    ports,
    { ...gatewayCore, webhooks: webhooks.api, calls: calls.calls, alerts, trunks },
    authenticator,
    standsBy,
  );
  stops.push(
    () => http.close(CLOSE_DEADLINE_MS),
    () => feed.close(CLOSE_DEADLINE_MS),
  );
  const beginServing = async (): Promise<boolean> => {
    if (!(await migrated(database, ports, alerts, () => stopped))) return false;
    // Beside the waiting: sessions that are open already do not wait for it, clients do.
    const rehearsed = rehearse({
      store: database.rehearsal,
      clock,
      ids: randomIds,
      policy: core.policy,
      log,
    });
    if (!(await keeper.acquire())) return false;
    // Not waited for: nobody's SOS is late because of what was told before.
    void alerts.keepIn(database.opsAlerts, {
      ...gatewayCore.minders,
      'trunk-down': (alert) => monitor.minds(alert),
      'webhook-failing': (alert) => webhooks.minds(alert),
      // Over with the next one that is opened.
      'secret-unwrap': () => core.secrets.kind === 'vault' && core.secrets.isWrapped,
    });
    void monitor.start();
    // It may have stood by for long.
    await trunks.reload();
    await gatewayCore.start();
    webhooks.start();
    calls.start();
    registrations.start();
    await Promise.race([rehearsed, within(clock, REHEARSAL_MS)]);
    serves = true;
    log.info('core node ready', { http: http.port, internal: server.port, trunks: trunks.all().length });
    return true;
  };
  return {
    internal: { url: `ws://127.0.0.1:${server.port}/edge-link`, secret: edgeSecret.reveal() },
    serving: beginServing(),
    alerts,
    fenced: keeper.fenced,
    reload: async () => {
      await trunks.reload();
    },
    stop: async () => {
      serves = false;
      stopped = true;
      for (const stop of stops.reverse()) await stop();
    },
  };
}

/** Telephone calls of the backend, beside the SOS: on the same trunks, in the same database, on what the SOS leaves them. */
function callsOf(
  config: Config,
  { calls: { countries, numbers, ...settings } }: CoreConfig,
  { clock, log, metrics }: NodePorts,
  links: Pick<CallsPorts, 'store' | 'telephony' | 'isStoreAway' | 'isSynthetic' | 'outboxWritten'> & {
    readonly trunks: () => readonly Trunk[];
  },
): CallService {
  const { store, telephony, isStoreAway, isSynthetic, outboxWritten, trunks } = links;
  return createCalls({
    store,
    telephony,
    ...(isSynthetic ? { isSynthetic } : {}),
    ...(outboxWritten ? { outboxWritten } : {}),
    plans: worldPlans,
    settings: { ...settings, numbers: { countries, numbers } },
    ownsCallerId: (number) => trunks().some((trunk) => ownsCallerId(trunk, number)),
    isStoreAway,
    newId: () => randomUUID() as CallId,
    clock,
    log,
    metrics,
    ...failpointsOf(config),
  });
}

/** Crash tests alone have one. */
function failpointsOf({ failpoint }: Config): { readonly failpoints?: Failpoints } {
  return failpoint ? { failpoints: processFailpoints(failpoint) } : {};
}

/** Without a key the log is chained and nobody has signed it: whoever rules the database can write it anew. */
function sealingOf({ records }: CoreConfig, database: Database, log: Log): Pick<CorePorts, 'sealing'> {
  if (records.auditKey === null) {
    log.warn('no head is signed over the log: HAMRAHI_AUDIT_KEY is not set');
    return {};
  }
  const signer = auditSigner(records.auditKey.reveal());
  if (signer === null) throw new Error('HAMRAHI_AUDIT_KEY is no Ed25519 private key');
  const anchor = records.anchorFile === null ? null : new AnchorFile(records.anchorFile);
  return { sealing: { audit: database.auditLog(signer), anchor, intervalMs: records.auditIntervalMs } };
}

function webhooksOf(
  { webhooks }: CoreConfig,
  { webhookEndpoints, deliveryQueue }: Database,
  alerts: OpsAlerts,
  { clock, log, metrics }: NodePorts,
): WebhookService {
  return createWebhooks({
    endpoints: webhookEndpoints,
    queue: deliveryQueue,
    sender: new HttpWebhookSender({ ...webhooks, clock }),
    secrets: new SealedSecrets(webhooks.dataKey),
    alerts,
    kept: webhooks.kept,
    newId: randomUUID,
    chance: Math.random,
    clock,
    log,
    metrics,
  });
}

function socketChanged(core: Core, { type, aor: text, token }: SocketNotice, log: Log): void {
  const aor = text as AddressOfRecord;
  if (type === 'lost') core.gateway.deviceLost(aor);
  else if (type === 'closed') core.gateway.deviceLeft(aor);
  else
    void core.gateway.deviceAdmitted(aor, token && callerOf(aor, token)).then((placed) => {
      if (!placed.ok) log.warn('a connected device has no endpoint', { code: placed.code });
    });
}

async function openStore(
  config: Config,
  core: CoreConfig,
  { clock, log, metrics }: NodePorts,
  stops: (() => Promise<unknown>)[],
): Promise<{ readonly database: Database; readonly keeper: LeaseKeeper }> {
  let url: string;
  if (core.database.kind === 'embedded') {
    const embedded = await startEmbeddedPostgres({ dataDir: resolve(core.database.directory), log });
    stops.push(() => embedded.stop());
    ({ url } = embedded);
  } else {
    url = core.database.url.reveal();
  }
  const node = config.nodeId;
  const lease = new PostgresLease({ url, node, log });
  stops.push(() => lease.close());
  const keeper = new LeaseKeeper({ store: lease, lease: CORE_LEASE, node, clock, log, metrics });
  const database = openDatabase({
    url,
    poolSize: POOL_SIZE,
    log,
    fence: () => keeper.fence,
    onFenced: () => keeper.lose(),
  });
  stops.push(() => database.close());
  // The last thing that it does for the others, once nothing of it can act any more.
  stops.push(() => keeper.stop());
  return { database, keeper };
}

/**
 * A node serves with its database or not yet: what stands in it (sessions, roster, numbers) is nowhere else. `false` when
 * it was stopped before. What is there already is not locked, so that each look has the database's short deadlines.
 */
async function migrated(
  database: Database,
  { clock, log }: NodePorts,
  alerts: OpsAlerts,
  isStopped: () => boolean,
): Promise<boolean> {
  const away = new HeldAlert(alerts, NO_START, clock, ALERT_AFTER_MS);
  while (!isStopped()) {
    try {
      if ((await database.pendingMigrations()).length > 0) await database.migrate();
      away.end();
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      away.begin();
      log.error('The database is away: the node waits for it, and serves nobody until then.', {
        code: 'ERR_STORE_AWAY',
        reason: error.message,
      });
    }
    await delay(START_RETRY_MS);
  }
  away.stop();
  return false;
}

const NO_START = {
  kind: 'database-away',
  subject: 'database',
  severity: 'critical',
  summary:
    'The database is away, and a node that has just been started waits for it: it serves nobody until then.',
} as const;

function authenticatorOf(
  core: CoreConfig,
  revocations: Revocations,
  { clock, log, metrics }: NodePorts,
): JwtAuthenticator {
  const { keys, issuer, audience } = core.jwt;
  if (keys.kind === 'hs256')
    return new JwtAuthenticator({ keys: sharedSecret(keys.secret), issuer, audience, clock, revocations });
  const issuerKeys = new IssuerKeys({ url: keys.url, clock, log, metrics });
  // Fetched ahead, so that the first SOS does not wait for them; a failure is told by the first token.
  void issuerKeys.refresh();
  return new JwtAuthenticator({ keys: issuerKeys, issuer, audience, clock, revocations });
}

async function serve(
  config: Config,
  core: CoreConfig,
  { clock, log, metrics }: NodePorts,
  {
    gateway,
    feedSource,
    directory,
    tickets,
    revocations,
    webhooks,
    calls,
    alerts,
    trunks,
  }: Core &
    Pick<CallService, 'calls'> & {
      readonly webhooks: Webhooks;
      readonly alerts: OpsAlertDesk;
      readonly trunks: TrunkBook;
    },
  authenticator: JwtAuthenticator,
  standsBy: () => boolean,
): Promise<{ readonly http: HttpServer; readonly feed: PanelFeed }> {
  const feed = new PanelFeed({
    gateway,
    source: feedSource,
    tickets,
    revocations,
    alerts,
    authenticator,
    clock,
    log,
    metrics,
    limits: core.feed,
    syntheticZone: core.synthetic.zone as ZoneId | null,
  });
  feed.start();
  const http = await startHttp({
    listen: core.http.listen,
    tls: config.tls && {
      cert: readFileSync(config.tls.certFile, 'utf8'),
      key: readFileSync(config.tls.keyFile, 'utf8'),
    },
    gateway,
    calls,
    directory,
    tickets,
    revocations,
    webhooks,
    alerts,
    trunks,
    clients: core.clients,
    metricsToken: core.http.metricsToken,
    exposition: () => metrics.exposition(),
    staticDir: PAGES,
    authenticator,
    standsBy,
    clock,
    log,
    metrics,
    rateLimits: core.http.rateLimits,
    corsOrigins: core.http.corsOrigins,
    maxConnections: core.http.maxConnections,
    upgrades: new Map([[FEED_PATH, feed.upgrade]]),
  });
  return { http, feed };
}

function within(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.at((clock.now() + ms) as Instant, resolve));
}
