/** `make bench-history`: what still has to be quick when years of sessions have ended. HISTORY_SESSIONS changes how many. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../control-plane/src/adapters/postgres/embedded.ts';
import { openDatabase } from '../../../control-plane/src/adapters/postgres/open-database.ts';
import { silentLog } from '../../support/silent-log.ts';
import { printed } from '../load/bench-table.ts';
import { DAYS, fillHistory } from './fill.ts';
import { measure } from './measure.ts';

const SESSIONS = Number(process.env['HISTORY_SESSIONS'] ?? 1_000_000);
const BYTES_EACH = 20_000;

const begun = performance.now();
const say = (line: string): void =>
  void process.stderr.write(`history: ${((performance.now() - begun) / 1000).toFixed(0)} s, ${line}\n`);

const dir = mkdtempSync(join(tmpdir(), 'hamrahi-history-'));
const { bavail, bsize } = statfsSync(dir);
if (bavail * bsize < SESSIONS * BYTES_EACH) {
  rmSync(dir, { recursive: true });
  throw new Error(`${SESSIONS} sessions need ${(SESSIONS * BYTES_EACH) / 1e9} GB in ${tmpdir()}.`);
}
const dataDir = join(dir, 'postgres');
try {
  const server = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const minutes = 30 * 60_000;
  const deadlines = { statementMs: minutes, answerMs: minutes, idleInTransactionMs: minutes };
  const database = openDatabase({ url: server.url, poolSize: 4, log: silentLog, deadlines });
  const sql = new Client({ connectionString: server.url });
  await sql.connect();
  await database.migrate();
  await fillHistory(database, sql, SESSIONS, say);
  await sql.end();
  const rows = await measure(database, { databaseUrl: server.url, postgresPid: server.pid }, dir, say);
  await database.close();
  process.stdout.write(`\n${printed(`${SESSIONS} sessions in ${DAYS} days`, rows)}`);
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
} finally {
  await removeEmbeddedPostgres(dataDir);
  rmSync(dir, { recursive: true, force: true });
}
