import { expect } from 'chai';
import type { ZoneId } from '../../../control-plane/src/domain/ids.ts';
import { AKRAM, BINA, instant, MEERA, sessionIdOf, startCoreLab, ZONE } from '../../support/core-lab.ts';

describe('app/session-feed-source', () => {
  it('begins with what is open in the zones: no warm-ups, nothing that has ended', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    await lab.gateway.arm(lab.request({ citizenId: MEERA }));
    const { feedSource } = lab.core;
    const seen = async (zones: readonly ZoneId[] | null) =>
      (await feedSource.snapshot(zones)).sessions.map(({ id }) => id);
    expect(await seen(null)).to.deep.equal([sessionIdOf(1)]);
    expect(await seen([ZONE])).to.deep.equal([sessionIdOf(1)]);
    expect(await seen(['north' as ZoneId])).to.be.empty;
    await lab.gateway.resolve({ role: 'backend', subject: 'b', tokenId: null }, sessionIdOf(1), 'over');
    expect(await seen(null)).to.be.empty;
  });

  it('nothing is missed between the snapshot and what follows it', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    const { feedSource } = lab.core;
    const { seq } = await feedSource.snapshot(null);
    await lab.activate({ citizenId: MEERA });
    const { rows, tooOld } = await feedSource.after(seq, 100);
    expect(tooOld).to.be.false;
    expect(rows.map(({ type, sessionId }) => [type, sessionId])).to.deep.equal([
      ['sos.activated', sessionIdOf(2)],
      ['sos.queued', sessionIdOf(2)],
    ]);
  });

  it('a reader that asks for more than the limit, or for what never was, gets a snapshot instead', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    const { feedSource } = lab.core;
    expect((await feedSource.after(0, 1)).tooOld).to.be.true;
    expect((await feedSource.after(0, 2)).tooOld).to.be.false;
    expect((await feedSource.after(99, 100)).tooOld).to.be.true;
  });

  it('an operator sees the zones of the roster entries that are valid now', async () => {
    const lab = await startCoreLab();
    const { directory } = lab.memory;
    const now = lab.clock.now();
    const entry = { zoneId: ZONE, duty: 'operator', priority: 1, pressToAccept: false } as const;
    await directory.putRoster(ZONE, [
      { ...entry, operatorId: AKRAM, from: now, until: instant(now + 1000) },
      { ...entry, operatorId: BINA, from: instant(now + 1), until: null },
    ]);
    const { feedSource } = lab.core;
    expect(await feedSource.zonesOf(AKRAM)).to.deep.equal([ZONE]);
    expect(await feedSource.zonesOf(BINA)).to.be.empty;
    await lab.forward(1000);
    expect(await feedSource.zonesOf(AKRAM)).to.be.empty;
    expect(await feedSource.zonesOf(BINA)).to.deep.equal([ZONE]);
  });
});
