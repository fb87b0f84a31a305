import { expect } from 'chai';
import { SharedTurns } from '../../../control-plane/src/app/shared-turns.ts';

describe('app/shared-turns', () => {
  it('begins four of a thousand at once, and gives the others the outcome of the last', async () => {
    const turns = new SharedTurns<number>();
    const opened = Promise.withResolvers<undefined>();
    let begun = 0;
    const press = () =>
      turns.run('priya', async () => {
        begun += 1;
        const own = begun;
        await opened.promise;
        return own;
      });
    const presses = Array.from({ length: 1000 }, press);
    expect(begun).to.equal(4);
    opened.resolve(undefined);
    const outcomes = await Promise.all(presses);
    expect(outcomes.slice(0, 5)).to.deep.equal([
      { outcome: 1, shared: false },
      { outcome: 2, shared: false },
      { outcome: 3, shared: false },
      { outcome: 4, shared: false },
      { outcome: 4, shared: true },
    ]);
    expect(outcomes.filter(({ shared }) => shared)).to.have.length(996);
    expect(turns.size, 'nothing is kept').to.equal(0);
  });

  it('keeps others out of it, and forgets what failed', async () => {
    const turns = new SharedTurns<string>();
    const failing = turns.run('priya', () => Promise.reject(new Error('away')));
    const other = await turns.run('meera', () => Promise.resolve('hers'));
    expect(other).to.deep.equal({ outcome: 'hers', shared: false });
    await failing.catch(() => undefined);
    expect(turns.size).to.equal(0);
    expect((await turns.run('priya', () => Promise.resolve('again'))).outcome).to.equal('again');
  });
});
