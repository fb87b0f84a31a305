/** A log with sessions, heads and an anchor, built once; each attack gets a copy of its database. */
import type { Client } from 'pg';
import type { CitizenId, Instant, SessionId } from '../../control-plane/src/domain/ids.ts';
import { legIdOf } from '../../control-plane/src/domain/ids.ts';
import { openDatabase } from '../../control-plane/src/adapters/postgres/open-database.ts';
import type { Database } from '../../control-plane/src/adapters/postgres/open-database.ts';
import { auditSigner, auditVerifier, newAuditKey } from '../../control-plane/src/evidence/audit-key.ts';
import { verifyLog } from '../../control-plane/src/evidence/verify-log.ts';
import type { AuditHead } from '../../control-plane/src/ports/audit-log.ts';
import { apply, change } from '../contract/store-steps.ts';
import { activation, after as ms, freshId, resolved, write } from './session-writes.ts';
import { emptyDatabaseUrl, withClient } from './test-database.ts';
import { keptLog } from './kept-log.ts';

export const AUDIT_KEY = newAuditKey();
export const SIGNER = auditSigner(AUDIT_KEY)!;
const location = { latitude: 12.971599, longitude: 77.594566 };
const MINUTE_MS = 60_000;

export interface AuditLab {
  /** Ended, at rest, with a call and a position; then one that is open; then another that ended. */
  readonly over: SessionId;
  readonly open: SessionId;
  readonly later: SessionId;
  readonly citizen: CitizenId;
  readonly anchored: ReadonlyMap<number, string>;
  readonly heads: readonly AuditHead[];
  /** As it was before the last session ended. */
  readonly older: string;
  /** A database of its own to do anything to. */
  copy(of?: 'now' | 'older'): Promise<string>;
}

/** Six events each, at a pace of a minute, so that a head lies between any two. */
export async function auditLab(): Promise<AuditLab> {
  const url = await emptyDatabaseUrl();
  const heads: AuditHead[] = [];
  const citizen = freshId<CitizenId>('citizen');
  const work = async <T>(
    step: (database: Database, seal: (minute: number) => Promise<void>) => Promise<T>,
  ) => {
    const database = openDatabase({ url, poolSize: 2, log: keptLog() });
    try {
      await database.migrate();
      return await step(database, async (minute) => {
        const head = await database.auditLog(SIGNER).seal(ms(minute * MINUTE_MS));
        if (head) heads.push(head);
      });
    } finally {
      await database.close();
    }
  };
  const begun = async (database: Database, minute: number, citizenId: CitizenId = freshId('citizen')) => {
    const at = ms(minute * MINUTE_MS);
    return (await apply(database.store, activation({ location, citizenId, at }))).session.id;
  };
  const ids = await work(async (database, seal) => {
    const over = await begun(database, 0, citizen);
    const open = await begun(database, 0);
    await addEvents(database, over, 1);
    await addEvents(database, open, 1);
    await seal(5);
    await addEvents(database, over, 6);
    await addCall(database, over);
    await end(database, over, ms(9 * MINUTE_MS));
    await seal(9.1);
    const later = await begun(database, 20);
    await addEvents(database, later, 20);
    await seal(25);
    return { over, open, later };
  });
  const older = await copyOf(url);
  await work(async (database, seal) => {
    await end(database, ids.later, ms(26 * MINUTE_MS));
    await seal(26);
    await addEvents(database, ids.open, 26);
    await seal(40);
  });
  const anchored = new Map(heads.map((head) => [head.number, head.hash]));
  return {
    ...{ ...ids, citizen, anchored, heads, older },
    copy: (of = 'now') => copyOf(of === 'now' ? url : older),
  };
}

async function addEvents(database: Database, id: SessionId, fromMinute: number): Promise<void> {
  for (let n = 0; n < 2; n += 1) {
    const at = ms((fromMinute + n) * MINUTE_MS);
    await change(database.store, id, (before) =>
      write(before, before.session, {
        at,
        events: [{ event: { type: 'roster.changed' }, at, personal: null }],
      }),
    );
  }
}

async function addCall(database: Database, id: SessionId): Promise<void> {
  const legId = legIdOf(id, 'citizen-phone', 1);
  const at = ms(8 * MINUTE_MS);
  await change(database.store, id, (before) =>
    write(before, before.session, {
      at,
      events: [{ event: { type: 'pbx.answered', legId }, at, personal: null }],
      legs: [
        { legId, change: { state: 'answered', trunk: null, at } },
        { legId, change: { state: 'ended', at, outcome: 'completed', sipStatus: 200, q850: 16 } },
      ],
    }),
  );
}

async function end(database: Database, id: SessionId, at: Instant): Promise<void> {
  await change(database.store, id, (before) =>
    write(before, resolved(before.session, at), {
      at,
      events: [{ event: { type: 'api.resolved', by: 'operator:akram' }, at, personal: null }],
    }),
  );
}

let copies = 0;

async function copyOf(url: string): Promise<string> {
  copies += 1;
  const name = `audit_copy_${copies}`;
  const maintenance = new URL(url);
  const source = maintenance.pathname.slice(1);
  maintenance.pathname = '/postgres';
  await withClient(maintenance.href, (client: Client) =>
    client.query(`CREATE DATABASE ${name} TEMPLATE ${source}`),
  );
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

/** What `hamrahi audit verify` says of a database, a line each. */
export async function faultsOf(
  url: string,
  anchored: ReadonlyMap<number, string> | null = null,
): Promise<readonly string[]> {
  const database = openDatabase({ url, poolSize: 2, log: keptLog() });
  const verifier = auditVerifier(SIGNER.publicPem)!;
  const summary = { heads: 0, sessions: 0, events: 0, erasures: 0 };
  try {
    return await database.readLog(async (log) => {
      const found: string[] = [];
      for await (const { where, seq, what } of verifyLog(log, verifier, anchored, summary))
        found.push(`${where}${seq === null ? '' : `, event ${seq}`}: ${what}`);
      return found;
    });
  } finally {
    await database.close();
  }
}
