import { expect } from 'chai';
import { StoreState } from '../../../../control-plane/src/app/outage/store-watch.ts';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';

describe('app/outage/store-watch', () => {
  const setUp = () => {
    const clock = manualClock();
    const told: string[] = [];
    const state = new StoreState({ clock, log: silentLog, metrics: silentMetrics }, () => told.push('away'));
    const silence = (): Promise<string | Error> =>
      state
        .attempt(() => new Promise<string>(() => undefined), 200)
        .catch((error: unknown) => error as Error);
    return { clock, told, state, silence };
  };

  it('gives a store up that is silent to all', async () => {
    const { clock, told, state, silence } = setUp();
    await state.attempt(() => Promise.resolve(), 200);
    const late = silence();
    await clock.advance(250);
    expect(await late).to.be.instanceOf(StoreError);
    expect(told).to.deep.equal(['away']);
    expect(state.isAway).to.equal(true);
  });

  it('a read that is late while others are answered is late, and no more', async () => {
    const { clock, told, state, silence } = setUp();
    const late = silence();
    await clock.advance(190);
    await state.attempt(() => Promise.resolve(), 200);
    await clock.advance(60);
    expect(await late).to.have.property('code', 'ERR_STORE_UNAVAILABLE');
    expect(told).to.deep.equal([]);
  });

  it('an answer that it cannot serve is enough, whoever was answered before', async () => {
    const { told, state } = setUp();
    state.heard();
    const refused = new StoreError('ERR_STORE_UNAVAILABLE', 'read-only');
    expect(await state.attempt(() => Promise.reject(refused), 200).catch((error: unknown) => error)).to.equal(
      refused,
    );
    expect(told).to.deep.equal(['away']);
  });
});
