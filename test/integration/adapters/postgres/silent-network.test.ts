import { expect } from 'chai';
import { openDatabase } from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import type {
  Database,
  DatabaseOptions,
} from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import type { SessionId } from '../../../../control-plane/src/domain/ids.ts';
import { rejection } from '../../../contract/store-steps.ts';
import { startCuttableProxy } from '../../../support/cuttable-proxy.ts';
import type { CuttableProxy } from '../../../support/cuttable-proxy.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { testDatabase } from '../../../support/test-database.ts';
import type { TestDatabase } from '../../../support/test-database.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000' as SessionId;
const ANSWER_MS = 1_000;
/** A connection that has died answers not even then. */
const PATIENCE_MS = 5_000;

describe('adapters/postgres over a network that has died without a word', function () {
  this.timeout(20_000);
  let database: TestDatabase;
  let proxy: CuttableProxy;
  let through: Database;

  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  beforeEach(async () => {
    const { hostname, port } = new URL(database.url);
    proxy = await startCuttableProxy({ host: hostname, port: Number(port) });
  });
  afterEach(async () => {
    await proxy.stop();
    await through.close();
  });

  /** Two connections for reads, both open. */
  async function open(options: Partial<DatabaseOptions> = {}): Promise<void> {
    const url = new URL(database.url);
    url.port = String(proxy.port);
    through = openDatabase({ url: url.href, poolSize: 4, log: keptLog(), ...options });
    await twoReads();
  }

  const twoReads = () => Promise.all([through.store.find(NOBODY), through.store.feedHead()]);

  it('never uses a connection again on which an answer did not come', async () => {
    await open({ deadlines: { answerMs: ANSWER_MS } });
    proxy.freeze('all');
    const lost = await Promise.all([1, 2].map(() => rejection(through.store.find(NOBODY))));
    for (const error of lost) expect(error).to.have.property('code', 'ERR_STORE_UNAVAILABLE');
    await twoReads();
    await twoReads();
  });

  it('reads over fresh connections once the old ones are in doubt', async () => {
    await open();
    proxy.freeze('all');
    through.store.renew();
    expect(await through.store.ping(PATIENCE_MS)).to.equal(true);
    await twoReads();
  });

  it('leaves connections behind that are all in use, and whose answers do not come', async () => {
    await open({ deadlines: { answerMs: 2 * ANSWER_MS } });
    proxy.freeze('all');
    const lost = [1, 2].map(() => rejection(through.store.find(NOBODY)));
    const waiting = rejection(through.store.find(NOBODY));
    await new Promise((resolve) => setImmediate(resolve));
    through.store.renew();
    expect(await through.store.ping(PATIENCE_MS)).to.equal(true);
    for (const error of await Promise.all([...lost, waiting]))
      expect(error).to.have.property('code', 'ERR_STORE_UNAVAILABLE');
  });
});
