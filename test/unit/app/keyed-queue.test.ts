import { expect } from 'chai';
import { KeyedQueue } from '../../../control-plane/src/app/keyed-queue.ts';

describe('app/keyed-queue', () => {
  it('runs work of one key in order, of different keys side by side', async () => {
    const queue = new KeyedQueue<string>();
    const gate = Promise.withResolvers<undefined>();
    const done: string[] = [];
    const first = queue.run('a', async () => {
      await gate.promise;
      done.push('a1');
    });
    const second = queue.run('a', () => Promise.resolve(done.push('a2')));
    await queue.run('b', () => Promise.resolve(done.push('b1')));
    expect(done).to.deep.equal(['b1']);
    gate.resolve(undefined);
    await Promise.all([first, second]);
    expect(done).to.deep.equal(['b1', 'a1', 'a2']);
  });

  it('begins work of an idle key in the same turn', () => {
    const queue = new KeyedQueue<string>();
    let begun = false;
    void queue.run('a', () => {
      begun = true;
      return Promise.resolve();
    });
    expect(begun).to.be.true;
  });

  it('a failure is told to who asked, and does not hold back what follows', async () => {
    const queue = new KeyedQueue<string>();
    const failing = queue.run('a', () => Promise.reject(new Error('broken')));
    const next = queue.run('a', () => Promise.resolve('fine'));
    expect(await failing.catch((error: unknown) => (error as Error).message)).to.equal('broken');
    expect(await next).to.equal('fine');
  });

  it('keeps nothing of a key whose work is done, and is idle then', async () => {
    const queue = new KeyedQueue<string>();
    void queue.run('a', () => Promise.resolve());
    expect(queue.size).to.equal(1);
    await queue.idle();
    expect(queue.size).to.equal(0);
  });
});
