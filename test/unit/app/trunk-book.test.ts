import { expect } from 'chai';
import { TrunkBook } from '../../../control-plane/src/app/trunk-book.ts';
import type { TrunkChange } from '../../../control-plane/src/domain/trunk/trunk-change.ts';
import type { TrunkProblem } from '../../../control-plane/src/domain/trunk/trunk-problem.ts';
import type { Trunk } from '../../../control-plane/src/domain/trunk/trunk.ts';
import type { TrunkReading } from '../../../control-plane/src/ports/trunks.ts';
import { keptAlerts } from '../../support/kept-alerts.ts';
import { keptLog } from '../../support/kept-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';
import { PLAIN_TRUNK } from '../../support/trunk-sample.ts';

const named = (name: string, priority: number, changes: Partial<Trunk> = {}): Trunk => ({
  ...PLAIN_TRUNK,
  ...{ name, priority },
  ...changes,
});
const FOREIGN = { ...PLAIN_TRUNK.callerId, default: '+911149999999' };
const PROBLEM: TrunkProblem = {
  ...{ code: 'ERR_TRUNK_FILE_INVALID', file: 'sip-trunks/tata.yml', line: 12 },
  ...{ path: 'numbers.requestUri', expected: 'one of e164_plus, e164' },
};

const setUp = (first: TrunkReading) => {
  const files = { reading: first, reads: 0, held: null as Promise<unknown> | null };
  const source = {
    read: async (): Promise<TrunkReading> => {
      files.reads += 1;
      await files.held;
      return files.reading;
    },
  };
  const log = keptLog();
  const alerts = keptAlerts();
  const book = new TrunkBook({ source, alerts, log, metrics: silentMetrics });
  const told: (readonly TrunkChange[])[] = [];
  book.onChange((changes) => told.push(changes));
  return { files, log, alerts, book, told };
};
const good = (...trunks: readonly Trunk[]): TrunkReading => ({ ok: true, trunks });

describe('app/trunk-book', () => {
  it('has the trunks by priority, those of one priority as the settings name them', async () => {
    const { book } = setUp(good(named('c', 20), named('b', 10), named('a', 10)));
    expect(await book.start()).to.include({ ok: true });
    expect(book.all().map(({ name }) => name)).to.deep.equal(['b', 'a', 'c']);
    expect(book.get('c')?.priority).to.equal(20);
    expect([book.has('c'), book.has('d'), book.get('d')]).to.deep.equal([true, false, undefined]);
  });

  it('has nothing to begin with where the first reading is wrong, and says what', async () => {
    const { book } = setUp({ ok: false, problems: [PROBLEM] });
    expect(await book.start()).to.deep.equal({ ok: false, problems: [PROBLEM] });
    expect(book.all()).to.deep.equal([]);
  });

  it('TEL-2: does not use a trunk whose caller id is none of its own; the others go on', async () => {
    const { book, alerts } = setUp(good(named('foreign', 1, { callerId: FOREIGN }), named('own', 2)));
    await book.start();
    expect(book.all().map(({ name }) => name)).to.deep.equal(['own']);
    expect(book.known().map(({ name }) => name)).to.deep.equal(['foreign', 'own']);
    expect(book.has('foreign'), 'its calls are known as a trunk’s').to.equal(true);
    expect(alerts.standing).to.deep.equal(['trunk-disabled foreign']);
    expect(alerts.raised[0]).to.deep.include({
      severity: 'critical',
      summary: 'Trunk foreign is not used. callerId.default is none of callerId.owned.',
    });
    expect(JSON.stringify(alerts.raised)).to.not.include('9999999');
    expect(book.entries().map(({ name, fault }) => [name, fault?.code ?? null])).to.deep.equal([
      ['foreign', 'ERR_TRUNK_CALLER_ID_NOT_OWNED'],
      ['own', null],
    ]);
  });

  it('TEL-2: starts without any trunk that can be used, and alerts; both alerts end when one can', async () => {
    const { book, alerts, files } = setUp(good(named('foreign', 1, { callerId: FOREIGN })));
    expect(await book.start()).to.include({ ok: true });
    expect(book.all()).to.deep.equal([]);
    expect(alerts.standing).to.deep.equal(['trunk-disabled foreign', 'trunks-dead trunk-files']);
    files.reading = good(named('foreign', 1));
    await book.reload();
    expect(alerts.standing).to.deep.equal([]);
  });

  it('TEL-9: takes files that were changed for the next call, and tells who listens what changed', async () => {
    const { book, files, told } = setUp(good(named('a', 10), named('b', 20)));
    await book.start();
    files.reading = good(named('b', 5), named('c', 30));
    expect(await book.reload()).to.deep.equal({
      ok: true,
      changes: [
        { trunk: 'b', change: 'changed', needs: [] },
        { trunk: 'c', change: 'added', needs: ['engine-configuration', 'firewall'] },
        { trunk: 'a', change: 'removed', needs: ['engine-configuration', 'firewall'] },
      ],
    });
    expect(book.all().map(({ name }) => name)).to.deep.equal(['b', 'c']);
    expect(told).to.have.length(1);
    await book.reload();
    expect(told, 'nothing changed').to.have.length(1);
  });

  it('TEL-9: keeps the last good ones when the files are wrong, alerts, and says each mistake in the log', async () => {
    const { book, files, alerts, log, told } = setUp(good(named('a', 10)));
    await book.start();
    files.reading = { ok: false, problems: [PROBLEM] };
    expect(await book.reload()).to.deep.equal({ ok: false, problems: [PROBLEM] });
    expect(book.all().map(({ name }) => name)).to.deep.equal(['a']);
    expect(told).to.deep.equal([]);
    expect(alerts.standing).to.deep.equal(['trunk-files-wrong trunk-files']);
    expect(alerts.raised[0]?.summary).to.equal(
      'The trunk files have 1 mistake(s), first in sip-trunks/tata.yml:12: numbers.requestUri. The last good ones are in use.',
    );
    expect(log.lines.at(-1)).to.equal(
      'error a trunk file is wrong {"place":"sip-trunks/tata.yml:12: numbers.requestUri","expected":"one of e164_plus, e164"}',
    );
    files.reading = good(named('a', 10));
    await book.reload();
    expect(alerts.standing).to.deep.equal([]);
  });

  it('ends the alert of a trunk that is gone from the files', async () => {
    const { book, files, alerts } = setUp(good(named('a', 10), named('foreign', 1, { callerId: FOREIGN })));
    await book.start();
    files.reading = good(named('a', 10));
    await book.reload();
    expect(alerts.standing).to.deep.equal([]);
  });

  it('reads once more for all who ask while it reads, and no oftener', async () => {
    const { book, files } = setUp(good(named('a', 10)));
    await book.start();
    const gate = Promise.withResolvers<undefined>();
    files.held = gate.promise;
    const first = book.reload();
    await new Promise((resolve) => setImmediate(resolve));
    const late = [book.reload(), book.reload(), book.reload()];
    files.reading = good(named('b', 10));
    gate.resolve(undefined);
    await first;
    await Promise.all(late);
    expect(files.reads).to.equal(3);
    expect(book.all().map(({ name }) => name)).to.deep.equal(['b']);
  });

  it('tells nobody any more who stopped listening', async () => {
    const { book, files, told } = setUp(good(named('a', 10)));
    await book.start();
    const stop = book.onChange(() => expect.fail('it stopped listening'));
    stop();
    files.reading = good(named('b', 10));
    await book.reload();
    expect(told).to.have.length(1);
  });
});
