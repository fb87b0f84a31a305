/** What a gateway asks its database again and again: none of it may grow with the sessions that have ended. */
import type { Database } from '../../../control-plane/src/adapters/postgres/open-database.ts';
import type { Instant, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import { apply } from '../../contract/store-steps.ts';
import { coreOnDatabase, fakeEngine } from '../../support/core-on-database.ts';
import { activation } from '../../support/session-writes.ts';
import { timed, type Row } from '../load/bench-table.ts';
import { DAYS, QUIET_ZONE } from './fill.ts';

const TIMES = 20;
const BAR_MS = 100;
const PAGE = 100;
const MAX_OPEN = 10_000;
const OPEN = 50;
const DAY_MS = 86_400_000;

/** Sessions that are open now, beside the history. */
export async function beginSessions({ store }: Database): Promise<void> {
  for (let n = 0; n < OPEN; n += 1) {
    const zoneId = `zone${n % 3}` as ZoneId;
    await apply(store, activation({ at: Date.now() as Instant, zoneId }));
  }
}

export async function questionRows(database: Database): Promise<readonly Row[]> {
  const { store, ledger, records } = database;
  const zones = [QUIET_ZONE];
  const middle = (await store.list({ open: false, zones: null, before: null, limit: PAGE })).at(-1)!;
  const before = middle.session.id;
  const now = Date.now() as Instant;
  const long = (now - 10 * DAYS * DAY_MS) as Instant;
  const questions: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['open sessions', () => store.list({ open: true, zones: null, before: null, limit: PAGE })],
    ['open sessions of a zone', () => store.list({ open: true, zones, before: null, limit: PAGE })],
    ['all sessions, first page', () => store.list({ open: null, zones: null, before: null, limit: PAGE })],
    ['all sessions, next page', () => store.list({ open: null, zones: null, before, limit: PAGE })],
    ['ended ones of a quiet zone', () => store.list({ open: false, zones, before, limit: PAGE })],
    ['a feed’s snapshot', () => store.list({ open: true, zones, before: null, limit: 1000 })],
    ['what a start takes up', () => store.listOpen(MAX_OPEN)],
    ['timers', () => store.timers(null, MAX_OPEN)],
    ['what is to be entered', () => ledger.unjudged(now, PAGE)],
    ['retention of positions, none due', () => records.dropPersonalBefore(long, now)],
    ['retention of events, none due', () => records.dropEventsBefore(long, now)],
    ['retention of the ledger, none due', () => records.dropLedgerBefore(long, now)],
    ['what has expired', () => records.dropExpired(now)],
  ];
  const rows: Row[] = [];
  for (const [name, ask] of questions) {
    const values: number[] = [];
    for (let n = 0; n < TIMES; n += 1) values.push(await millisecondsOf(ask));
    rows.push(timed(name, values, BAR_MS));
  }
  return rows;
}

/** Retention of one day more, as it runs each day. */
export async function retentionRows({ records }: Database): Promise<readonly Row[]> {
  const now = Date.now() as Instant;
  const before = (now - (DAYS - 1) * DAY_MS) as Instant;
  return [
    timed('a day’s positions go', [await millisecondsOf(() => records.dropPersonalBefore(before, now))]),
    timed('a day’s events go', [await millisecondsOf(() => records.dropEventsBefore(before, now))]),
    timed('a day’s ledger goes', [await millisecondsOf(() => records.dropLedgerBefore(before, now))]),
  ];
}

/** A core that starts on it, and takes up what is open. */
export async function startRow(database: Database): Promise<Row> {
  const core = coreOnDatabase(database, fakeEngine());
  const tookMs = await millisecondsOf(() => core.start());
  await core.stop();
  return timed(`start of the core, ${OPEN} open`, [tookMs], 2000);
}

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
