/**
 * A process to be killed: starts the embedded PostgreSQL of the directory in its first argument, commits one row,
 * says `{"pid","url"}` on its output and lives on until its input ends.
 */
import pg from 'pg';
import { startEmbeddedPostgres } from '../../control-plane/src/adapters/postgres/embedded.ts';
import { silentLog } from './silent-log.ts';

const [dataDir = ''] = process.argv.slice(2);
const { pid, url } = await startEmbeddedPostgres({ dataDir, log: silentLog });
const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query('CREATE TABLE IF NOT EXISTS sos (word text)');
await client.query("INSERT INTO sos VALUES ('help')");
await client.end();
process.stdout.write(`${JSON.stringify({ pid, url })}\n`);
process.stdin.resume();
