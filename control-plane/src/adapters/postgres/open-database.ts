/** The database of the gateway: every port that PostgreSQL serves, over one URL. */
import type { Knex } from 'knex';
import type { Directory } from '../../ports/directory.ts';
import type { Fence } from '../../ports/lease.ts';
import type { Log } from '../../ports/log.ts';
import type { AuditLog } from '../../ports/audit-log.ts';
import type { AuditSigner } from '../../evidence/audit-key.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { LedgerReports } from '../../ports/ledger-report.ts';
import type { OpsAlertStore } from '../../ports/ops-alerts.ts';
import type { RecordKeeping } from '../../ports/record-keeping.ts';
import type { RevocationStore } from '../../ports/revocations.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { PresenceStore, SessionStore } from '../../ports/session-store.ts';
import type { TicketStore } from '../../ports/tickets.ts';
import type { DeliveryQueue, WebhookEndpointStore } from '../../ports/webhook-store.ts';
import type { CallStore } from '../../ports/call-store.ts';
import type { TryHistory } from '../../ports/trunk-health.ts';
import { PostgresAuditLog } from './audit-log.ts';
import { PostgresCallStore } from './call-store.ts';
import { DEFAULT_DEADLINES, openPool } from './connections.ts';
import type { Deadlines } from './connections.ts';
import { PostgresDeliveryQueue } from './delivery-queue.ts';
import { postgresDirectory } from './directory.ts';
import { FeedReader } from './feed-reader.ts';
import { readLog } from './log-source.ts';
import type { SnapshotReader } from './log-source.ts';
import { migrate, pendingMigrations } from './migrate.ts';
import { openKnex } from './knex-connections.ts';
import { PostgresLedger } from './ledger.ts';
import { PostgresLedgerReports } from './ledger-report.ts';
import { PostgresOpsAlerts } from './ops-alerts.ts';
import { PostgresPresence } from './presence.ts';
import { PostgresRecordKeeping } from './record-keeping.ts';
import { RenewablePool } from './renewable-pool.ts';
import { PostgresRevocations } from './revocations.ts';
import { SessionQueries } from './session-queries.ts';
import { SessionTransaction } from './session-transaction.ts';
import { PostgresTickets } from './tickets.ts';
import { PostgresTryHistory } from './try-history.ts';
import { transact } from './transact.ts';
import { PostgresWebhookEndpoints } from './webhook-endpoints.ts';

export interface DatabaseOptions {
  /** `postgres://…`, password and all: never logged. */
  readonly url: string;
  /** Connections for sessions' transactions; half as many more serve everything else. */
  readonly poolSize: number;
  readonly log: Log;
  readonly deadlines?: Partial<Deadlines>;
  /** The lease under which `store` and `presence` write. Absent: one that nobody takes, for a database of one's own. */
  readonly fence?: () => Fence;
  /** Told when a write was refused because the lease is another node's. */
  readonly onFenced?: () => void;
}

/** Nobody takes it over. */
const UNCONTESTED: Fence = { lease: 'uncontested', node: 'nobody', epoch: 0 };

export interface Database {
  readonly store: SessionStore;
  /** The same connections and statements, for transactions that are never committed: they need no lease. */
  readonly rehearsal: SessionStore;
  readonly calls: CallStore;
  readonly presence: PresenceStore;
  readonly directory: Directory;
  readonly tickets: TicketStore;
  readonly records: RecordKeeping;
  readonly ledger: Ledger;
  readonly revocations: RevocationStore;
  readonly reports: LedgerReports;
  readonly webhookEndpoints: WebhookEndpointStore;
  readonly deliveryQueue: DeliveryQueue;
  readonly opsAlerts: OpsAlertStore;
  readonly tries: TryHistory;
  /** Makes heads with this key. */
  auditLog(signer: AuditSigner): AuditLog;
  /** The log as one snapshot, to be checked or exported. */
  readLog<T>(work: (log: SnapshotReader) => Promise<T>): Promise<T>;
  /** Brings the schema up to date; several nodes may do so at once. */
  migrate(): Promise<void>;
  /** What `migrate` would do, in order; a node whose list is not empty is not ready. */
  pendingMigrations(): Promise<readonly string[]>;
  /** Lets running transactions end, then closes every connection. */
  close(): Promise<void>;
}

/** Connects when first used, so that a gateway can start while its database is away. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, poolSize, log, deadlines: given, onFenced } = options;
  const fence = options.fence ?? (() => UNCONTESTED);
  const deadlines = { ...DEFAULT_DEADLINES, ...given };
  const pool = new RenewablePool(() => openPool(url, poolSize, deadlines, log));
  const callPool = new RenewablePool(() =>
    openPool(url, Math.max(2, Math.ceil(poolSize / 4)), deadlines, log),
  );
  const others = openKnex(url, Math.max(2, Math.ceil(poolSize / 2)), deadlines, log);
  const { knex } = others;
  const renew = (): void => {
    pool.renew();
    callPool.renew();
    others.renew();
  };
  return {
    store: tellingWhenFenced({ ...sessionStore(pool, knex, fence), renew }, onFenced),
    rehearsal: { ...sessionStore(pool, knex, () => UNCONTESTED), renew },
    calls: new PostgresCallStore(callPool, knex, fence, (work) => telling(work, onFenced)),
    presence: new PostgresPresence(knex, fence),
    directory: postgresDirectory(knex),
    tickets: new PostgresTickets(knex),
    records: new PostgresRecordKeeping(knex),
    ledger: new PostgresLedger(knex),
    revocations: new PostgresRevocations(knex),
    reports: new PostgresLedgerReports(knex),
    webhookEndpoints: new PostgresWebhookEndpoints(knex),
    deliveryQueue: new PostgresDeliveryQueue(knex, fence),
    opsAlerts: new PostgresOpsAlerts(knex),
    tries: new PostgresTryHistory(knex),
    auditLog: (signer) => new PostgresAuditLog(knex, signer),
    readLog: (work) => readLog(knex, work),
    migrate: () => migrate(url, deadlines, log),
    pendingMigrations: () => pendingMigrations(knex),
    close: async () => {
      await Promise.all([pool.end(), callPool.end(), others.end()]);
    },
  };
}

function tellingWhenFenced(store: SessionStore, onFenced?: () => void): SessionStore {
  return { ...store, transact: (work) => telling(store.transact(work), onFenced) };
}

async function telling<T>(work: Promise<T>, onFenced: () => void = () => undefined): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ERR_STORE_FENCED') onFenced();
    throw error;
  }
}

function sessionStore(pool: RenewablePool, knex: Knex, fence: () => Fence): Omit<SessionStore, 'renew'> {
  const queries = new SessionQueries(knex);
  const feed = new FeedReader(knex);
  return {
    transact: (work) => transact(pool, (run) => work(new SessionTransaction(run, fence))),
    find: (sessionId) => queries.find(sessionId),
    listOpen: (limit) => queries.listOpen(limit),
    list: (filter) => queries.list(filter),
    location: (sessionId) => queries.location(sessionId),
    timers: (until, limit) => queries.timers(until, limit),
    events: (sessionId, limit) => queries.events(sessionId, limit),
    feedAfter: (seq, limit) => feed.after(seq, limit),
    feedHead: () => feed.head(),
    feedFloor: () => feed.floor(),
    ping: (deadlineMs) => queries.ping(deadlineMs),
  };
}
