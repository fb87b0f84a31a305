import { expect } from 'chai';
import { Recent } from '../../../control-plane/src/app/recent.ts';
import { manualClock } from '../../support/manual-clock.ts';

describe('app/recent', () => {
  const setUp = (limit = 10) => {
    const clock = manualClock(0);
    const recent = new Recent<string, string>(clock, 1000, limit);
    let reads = 0;
    const answering = (value: string | null) => () => {
      reads += 1;
      return Promise.resolve(value);
    };
    const failing = () => {
      reads += 1;
      return Promise.reject(new Error('away'));
    };
    return { clock, recent, answering, failing, reads: () => reads };
  };

  it('serves what is fresh without reading, and reads again what is not', async () => {
    const { clock, recent, answering, reads } = setUp();
    await recent.get('a', answering('old'));
    await clock.advance(1000);
    expect(await recent.get('a', answering('new'))).to.equal('old');
    expect(reads()).to.equal(1);
    await clock.advance(1);
    expect(await recent.get('a', answering('new'))).to.equal('new');
  });

  it('serves what it kept, however old, when its source does not answer', async () => {
    const { clock, recent, answering, failing } = setUp();
    await recent.get('a', answering('kept'));
    await clock.advance(86_400_000);
    expect(await recent.get('a', failing)).to.equal('kept');
  });

  it('rejects when nothing was kept', async () => {
    const { recent, failing } = setUp();
    expect(await recent.get('a', failing).catch(() => 'rejected')).to.equal('rejected');
  });

  it('never keeps that something is absent, and forgets what is gone', async () => {
    const { clock, recent, answering, failing } = setUp();
    expect(await recent.get('a', answering(null))).to.be.null;
    expect(await recent.get('a', answering('now'))).to.equal('now');
    await clock.advance(1001);
    expect(await recent.get('a', answering(null))).to.be.null;
    expect(await recent.get('a', failing).catch(() => 'rejected')).to.equal('rejected');
    await recent.get('b', answering('b'));
    recent.forget('b');
    expect(await recent.get('b', answering('anew'))).to.equal('anew');
  });

  it('keeps no more than its limit: the oldest goes', async () => {
    const { recent, answering } = setUp(2);
    for (const key of ['a', 'b', 'c']) await recent.get(key, answering(key));
    expect(await recent.get('b', answering('read'))).to.equal('b');
    expect(await recent.get('a', answering('read'))).to.equal('read');
  });
});
