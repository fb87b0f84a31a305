import { expect } from 'chai';
import { SyntheticSosWatch } from '../../../../control-plane/src/app/probes/synthetic-sos-watch.ts';
import type { ZoneId } from '../../../../control-plane/src/domain/ids.ts';
import type { Session } from '../../../../control-plane/src/domain/session/session.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';

const EVERY_MS = 60_000;

function setUp() {
  const clock = manualClock();
  const told: string[] = [];
  const watch = new SyntheticSosWatch({
    zone: 'synthetic' as ZoneId,
    everyMs: EVERY_MS,
    alerts: {
      raise: ({ kind, subject, severity }) => told.push(`raised ${kind} ${subject} ${severity}`),
      resolve: (kind, subject) => told.push(`resolved ${kind} ${subject}`),
    },
    clock,
    metrics: silentMetrics,
  });
  watch.start();
  const session = (zoneId: string, phase: string) => watch.note({ zoneId, phase } as Session);
  return { clock, told, watch, session };
}

describe('app/probes/synthetic-sos-watch', () => {
  it('TEL-8: three synthetic SOS that nobody heard in a row wake who is on call; one that is heard calls it off', async () => {
    const { clock, told, session } = setUp();
    await clock.advance(3 * EVERY_MS - 1);
    expect(told).to.deep.equal([]);
    await clock.advance(1);
    expect(told).to.deep.equal(['raised synthetic-sos probe critical']);
    session('synthetic', 'active');
    expect(told.at(-1)).to.equal('resolved synthetic-sos probe');
  });

  it('TEL-8: is content as long as they are heard, over the stream or on the telephone', async () => {
    const { clock, told, session } = setUp();
    for (const phase of ['active', 'phone-connected', 'active', 'active']) {
      await clock.advance(2 * EVERY_MS);
      session('synthetic', phase);
    }
    expect(told.filter((line) => line.startsWith('raised'))).to.deep.equal([]);
  });

  it('takes no SOS of another zone for one, nor one that only began', async () => {
    const { clock, told, session } = setUp();
    session('central', 'active');
    session('synthetic', 'connecting');
    await clock.advance(3 * EVERY_MS);
    expect(told).to.deep.equal(['raised synthetic-sos probe critical']);
  });

  it('is silent once it is stopped', async () => {
    const { clock, told, watch } = setUp();
    watch.stop();
    await clock.advance(10 * EVERY_MS);
    expect(told).to.deep.equal([]);
  });
});
