import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SessionId } from '../../../control-plane/src/domain/ids.ts';
import { commitProxy } from '../../support/commit-proxy.ts';
import type { CommitFault } from '../../support/commit-proxy.ts';
import { BACKEND } from '../../support/core-lab.ts';
import { startCuttableProxy } from '../../support/cuttable-proxy.ts';
import { OutageLab, rowName, WATCHDOG_MS } from '../../support/outage-lab.ts';
import { startSlowProxy } from '../../support/slow-proxy.ts';
import { withClient } from '../../support/test-database.ts';

interface Fault {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** What a fault does to the way to the database, or to the database itself. */
type Trouble = (
  lab: () => OutageLab,
  closers: (() => Promise<unknown>)[],
) => {
  readonly urlOf: (real: string) => Promise<string>;
  readonly fault: Fault;
};

const RTC_1_MS = 500;

function soon(change: () => unknown): Promise<void> {
  change();
  return Promise.resolve();
}

function through(port: number, real: string): string {
  const url = new URL(real);
  url.port = String(port);
  return url.href;
}

function networkFault(begin: (proxy: Cuttable) => void, end: (proxy: Cuttable) => void): Trouble {
  return (_, closers) => {
    let proxy: Cuttable;
    return {
      urlOf: async (real) => {
        const { hostname, port } = new URL(real);
        proxy = await startCuttableProxy({ host: hostname, port: Number(port) });
        closers.push(() => proxy.stop());
        return through(proxy.port, real);
      },
      fault: {
        begin: () => soon(() => begin(proxy)),
        end: () => soon(() => end(proxy)),
      },
    };
  };
}
type Cuttable = Awaited<ReturnType<typeof startCuttableProxy>>;

function commitFault(kind: CommitFault): Trouble {
  return (_, closers) => {
    let proxy: Awaited<ReturnType<typeof commitProxy>>;
    return {
      urlOf: async (real) => {
        proxy = await commitProxy(real);
        closers.push(() => proxy.close());
        return proxy.url;
      },
      fault: {
        begin: () => soon(() => (proxy.fault = kind)),
        end: () => soon(() => (proxy.fault = 'none')),
      },
    };
  };
}

const slow: Trouble = (_, closers) => {
  let proxy: Awaited<ReturnType<typeof startSlowProxy>>;
  return {
    urlOf: async (real) => {
      const { hostname, port } = new URL(real);
      proxy = await startSlowProxy({ host: hostname, port: Number(port) });
      closers.push(() => proxy.stop());
      return through(proxy.port, real);
    },
    fault: {
      begin: () => soon(() => (proxy.delayMs = 2000)),
      end: () => soon(() => (proxy.delayMs = 0)),
    },
  };
};

/** The database's own refusals, on every connection that it has and will have. */
function databaseFault(begin: string, ...end: readonly string[]): Trouble {
  return (lab) => {
    const run = (statements: readonly string[]): Promise<void> =>
      withClient(lab().truth.url, async (client) => {
        const database = new URL(lab().truth.url).pathname.slice(1);
        for (const statement of statements) await client.query(statement.replaceAll(':database', database));
        await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'hamrahi'`,
        );
      });
    return {
      urlOf: (real) => Promise.resolve(real),
      fault: { begin: () => run([begin]), end: () => run(end) },
    };
  };
}

const FULL = `
  CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
  CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION full_disk();`;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'refuses connections': networkFault(
    (proxy) => {
      proxy.refuse(true);
      proxy.cut();
    },
    (proxy) => proxy.refuse(false),
  ),
  'is behind a network that died without a word (half-open)': networkFault(
    (proxy) => proxy.freeze('all'),
    () => undefined,
  ),
  'does what it is told, and its answers never come': networkFault(
    (proxy) => proxy.freeze('answers'),
    () => undefined,
  ),
  'commits, and the answer is lost': commitFault('answer-lost'),
  'loses the commit': commitFault('commit-lost'),
  'answers a commit with silence': commitFault('mute'),
  'takes two seconds for every answer': slow,
  'lets nobody write (25006)': databaseFault(
    'ALTER DATABASE :database SET default_transaction_read_only = on',
    'SET default_transaction_read_only = off',
    'ALTER DATABASE :database RESET default_transaction_read_only',
  ),
  'has a full disk (53100)': databaseFault(
    FULL,
    'DROP TRIGGER full_disk ON sessions; DROP FUNCTION full_disk()',
  ),
};

describe('app: the database is away, on real PostgreSQL', () => {
  for (const [name, trouble] of Object.entries(TROUBLES)) {
    describe(`it ${name}`, function () {
      this.timeout(40_000);
      const closers: (() => Promise<unknown>)[] = [];
      let lab: OutageLab;
      let fault: Fault;

      before(async () => {
        const made = trouble(() => lab, closers);
        ({ fault } = made);
        lab = await OutageLab.open(made.urlOf);
      });
      after(async () => {
        await lab.close();
        for (const close of closers.splice(0)) await close();
      });

      it('RTC-1 FB-2 FB-3 serves an SOS from press to bridge, and has the whole record afterwards', async () => {
        const [before, during] = [await lab.citizen(), await lab.citizen()];
        const standing = await lab.press(before);
        await fault.begin();
        const pressed = await lab.press(during);
        expect(pressed.tookMs).to.be.lessThan(RTC_1_MS);
        await lab.until('her app is called', () => lab.legs('citizen-app', pressed.id) === 1, RTC_1_MS);
        for (const { id } of [standing, pressed])
          await lab.until('both phones stand in one bridge', () => lab.isBridged(id), WATCHDOG_MS + 2500);
        const provisional = lab.told.filter(({ seq }) => seq === 0);
        await fault.end();
        await lab.untilBack();
        for (const { id } of [standing, pressed]) await assertWhole(lab, id);
        const rows = [...(await lab.feedOf(standing.id)), ...(await lab.feedOf(pressed.id))];
        expect(rows).to.include.members(provisional.map(rowName));
        const numbered = await lab.numbered(rows.length);
        expect(numbered.map(rowName)).to.have.members(rows);
        expect(numbered.map(({ seq }) => seq)).to.deep.equal(
          numbered.map(({ seq }) => seq).toSorted((a, b) => a - b),
        );
        expect(new Set(rows).size, 'a row stands there twice').to.equal(rows.length);
        await lab.until('the journal is erased', () => isErased(lab));
        expect(lab.log.lines.join('\n')).not.to.match(/\+91981|28\.6139/);
      });
    });
  }
});

describe('app: a stranger keeps one session locked, on real PostgreSQL', function () {
  this.timeout(40_000);
  let lab: OutageLab;
  before(async () => (lab = await OutageLab.open((real) => Promise.resolve(real))));
  after(() => lab.close());

  it('FB-2 FB-3 she is served all the same, all others by the database, and it has the record when the lock goes', async () => {
    const [hers, others] = [await lab.citizen(), await lab.citizen()];
    const locked = await lab.press(hers);
    await withClient(lab.truth.url, async (stranger) => {
      await stranger.query('BEGIN');
      await stranger.query('SELECT FROM sessions WHERE id = $1 FOR UPDATE', [locked.id]);
      await lab.until('both her phones stand in one bridge', () => lab.isBridged(locked.id), 5000);
      await lab.until('the database serves again', async () => (await lab.core.gateway.health()).database);
      const other = await lab.press(others);
      expect((await lab.truth.store.find(other.id))?.session.phase).to.equal('connecting');
      await lab.until('the others are bridged', () => lab.isBridged(other.id), WATCHDOG_MS + 2500);
      expect((await lab.truth.store.find(other.id))?.session.phase).to.equal('phone-connected');
      // What the node shows of her is what it knows, not what the locked row says.
      const listed = await lab.core.gateway.list(BACKEND, true, null, 10);
      const shown = listed.ok ? listed.value.find(({ id }) => id === locked.id) : null;
      expect(shown?.phase).to.equal('phone-connected');
      expect((await lab.truth.store.find(locked.id))?.session.phase).not.to.equal('phone-connected');
      const health = await lab.core.gateway.health();
      expect(health.database, 'one lock took the database away again').to.equal(true);
      expect(health.journal.entries).to.be.greaterThan(0);
      await stranger.query('ROLLBACK');
      await lab.untilBack();
      await assertWhole(lab, locked.id);
      await assertWhole(lab, other.id);
    });
    await lab.until('the journal is erased', () => isErased(lab));
    // From now on she is the database's again.
    const result = await lab.core.gateway.resolve(BACKEND, locked.id, 'false alarm');
    expect(result).to.have.property('ok', true);
    expect((await lab.truth.store.find(locked.id))?.session.phase).to.equal('resolved');
  });
});

/** A journal that the database has holds nothing of anybody. */
function isErased(lab: OutageLab): boolean {
  return readFileSync(join(lab.directory, 'lab.jsonl')).every((byte) => byte === 0);
}

async function assertWhole(lab: OutageLab, id: SessionId): Promise<void> {
  const stored = await lab.truth.store.find(id);
  expect(stored?.session.phase).to.equal('phone-connected');
  // A last stamp may be written between the two readings.
  const chain = await lab.truth.records.verify(id);
  expect(chain).to.include({ whole: true });
  expect(chain)
    .to.have.property('events')
    .that.is.at.least(stored?.seq ?? Number.NaN);
  expect(await lab.truth.store.location(id)).to.include({ latitude: 28.6139 });
  const events = await lab.truth.store.events(id, 1000);
  const once = events.filter(({ event }) => event.type === 'api.activated' || event.type === 'timer.due');
  expect(once.map(({ event }) => ('timer' in event ? event.timer : event.type))).to.deep.equal([
    'api.activated',
    'retry',
    'watchdog',
  ]);
  expect(lab.legs('citizen-phone', id), 'her phone was dialled once').to.equal(1);
}
