import { expect } from 'chai';
import { Sealer } from '../../../control-plane/src/app/sealer.ts';
import type { AuditHead } from '../../../control-plane/src/ports/audit-log.ts';
import { keptLog } from '../../support/kept-log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

const head = (number: number): AuditHead => ({
  ...{
    number,
    at: number,
    previous: '',
    leaves: 1,
    root: '',
    keyId: '',
    hash: `hash${number}`,
    signature: '',
  },
});

/** A log that has something new as often as `changes` says. */
function lab() {
  const clock = manualClock();
  const made: AuditHead[] = [];
  const anchored: AuditHead[] = [];
  const state = { changes: 0, anchorIsDown: false, log: keptLog() };
  const sealer = new Sealer({
    audit: {
      seal: () => {
        if (state.changes === 0) return Promise.resolve(null);
        state.changes -= 1;
        made.push(head(made.length + 1));
        return Promise.resolve(made.at(-1)!);
      },
      heads: (after, limit) => Promise.resolve(made.filter(({ number }) => number > after).slice(0, limit)),
    },
    anchor: {
      last: () => Promise.resolve(anchored.at(-1)?.number ?? 0),
      append: (one) => {
        if (state.anchorIsDown) return Promise.reject(new Error('no such mount'));
        anchored.push(one);
        return Promise.resolve();
      },
    },
    intervalMs: 60_000,
    clock,
    log: state.log,
    metrics: silentMetrics,
  });
  return { clock, made, anchored, state, sealer };
}

describe('app/sealer', () => {
  it('makes a head each interval when something has changed, and none otherwise', async () => {
    const { clock, made, anchored, state, sealer } = lab();
    sealer.start();
    await clock.advance(130_000);
    expect(made).to.have.length(0);
    state.changes = 1;
    await clock.advance(60_000);
    expect(anchored).to.deep.equal([head(1)]);
  });

  it('makes one soon after a session has come to rest, and not one for each', async () => {
    const { clock, made, state, sealer } = lab();
    sealer.start();
    await clock.advance(100);
    state.changes = 1;
    for (let n = 0; n < 5; n += 1) sealer.nudge();
    await clock.advance(1000);
    expect(made).to.have.length(1);
  });

  it('catches up what the anchor missed, in order and once', async () => {
    const { clock, anchored, state, sealer } = lab();
    state.anchorIsDown = true;
    state.changes = 3;
    sealer.start();
    await clock.advance(1000);
    expect(anchored).to.deep.equal([]);
    expect(state.log.lines.join()).to.include('it is tried again');
    state.anchorIsDown = false;
    await clock.advance(60_000);
    expect(anchored.map(({ number }) => number)).to.deep.equal([1, 2, 3]);
  });

  it('writes nothing to an anchor that is ahead of the database, and says so', async () => {
    const { clock, made, anchored, state, sealer } = lab();
    anchored.push(head(7));
    state.changes = 1;
    sealer.start();
    await clock.advance(1000);
    expect([made.length, anchored.length]).to.deep.equal([1, 1]);
    expect(state.log.lines.join()).to.include('rolled back');
  });

  it('makes a last head when it stops', async () => {
    const { clock, anchored, state, sealer } = lab();
    sealer.start();
    await clock.advance(100);
    state.changes = 1;
    await sealer.stop();
    await clock.advance(200_000);
    expect(anchored).to.have.length(1);
  });
});
