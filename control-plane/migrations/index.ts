/** Every migration in the order in which it runs. Forward only: a mistake is mended by the next one. */
import type { Knex } from 'knex';
import * as directory from './0001-directory.ts';
import * as sessions from './0002-sessions.ts';
import * as feed from './0003-feed.ts';
import * as leases from './0004-leases.ts';
import * as ledger from './0005-ledger.ts';
import * as revocations from './0006-revocations.ts';
import * as pressToAccept from './0007-press-to-accept.ts';
import * as handOver from './0008-hand-over.ts';
import * as audit from './0009-audit.ts';
import * as queue from './0010-queue.ts';
import * as longHistory from './0011-long-history.ts';
import * as telephony from './0012-telephony.ts';
import * as webhooks from './0013-webhooks.ts';
import * as calls from './0014-calls.ts';
import * as opsAlerts from './0015-ops-alerts.ts';
import * as webhookOwners from './0016-webhook-owners.ts';

export interface Migration {
  /** Its key in the database's own list; never changed once released. */
  readonly name: string;
  up(knex: Knex): Promise<void>;
}

export const MIGRATIONS: readonly Migration[] = [
  directory,
  sessions,
  feed,
  leases,
  ledger,
  revocations,
  pressToAccept,
  handOver,
  audit,
  queue,
  longHistory,
  telephony,
  webhooks,
  calls,
  opsAlerts,
  webhookOwners,
];
