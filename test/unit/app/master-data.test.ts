import { expect } from 'chai';
import { MasterData } from '../../../control-plane/src/app/master-data.ts';
import type { CitizenId, Instant, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import type { Directory } from '../../../control-plane/src/ports/directory.ts';
import { AKRAM, citizenOf, CoreLab, PRIYA, ZONE } from '../../support/core-lab.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentLog } from '../../support/silent-log.ts';

describe('app/master-data', () => {
  const setUp = async () => {
    const lab = new CoreLab();
    await lab.fillDirectory();
    const real = lab.memory.directory;
    const world = { isDown: false, isSlow: false };
    const orDown = <T>(read: () => Promise<T>): Promise<T> =>
      world.isDown ? Promise.reject(new Error('away')) : read();
    const directory: Directory = {
      ...real,
      zones: () => orDown(() => real.zones()),
      citizen: (id) => orDown(() => real.citizen(id)),
      operator: (id) => orDown(() => real.operator(id)),
    };
    const clock = manualClock();
    const source = {
      citizen: async (id: CitizenId) => {
        await new Promise<void>((resolve) => void clock.at((clock.now() + 400) as Instant, resolve));
        return world.isSlow ? real.citizen(id) : Promise.reject(new Error('away'));
      },
    };
    const data = new MasterData(directory, clock, silentLog, source);
    await data.start();
    return { clock, data, real, world };
  };
  const north = { id: 'north' as ZoneId, name: 'North', polygon: [] };
  const zoneIds = (data: MasterData) => data.zones().map(({ id }) => id);

  it('serves zones from memory and renews them behind the answer once they are 2 s old', async () => {
    const { clock, data, real } = await setUp();
    await real.putZone(north);
    await clock.advance(2000);
    expect(zoneIds(data)).to.deep.equal([ZONE]);
    await clock.advance(1);
    expect(zoneIds(data)).to.deep.equal([ZONE]);
    await clock.advance(0);
    expect(zoneIds(data)).to.deep.equal([ZONE, 'north']);
  });

  it('FB-2 with the directory down, the last copy of zones and numbers serves', async () => {
    const { clock, data, world } = await setUp();
    await data.citizen(PRIYA);
    await data.numberOf({ role: 'operator', operatorId: AKRAM });
    world.isDown = true;
    await clock.advance(3_600_000);
    expect(zoneIds(data)).to.deep.equal([ZONE]);
    await clock.advance(0);
    expect(zoneIds(data)).to.deep.equal([ZONE]);
    expect((await data.numberOf({ role: 'citizen', citizenId: PRIYA }))?.reveal()).to.equal('+919810000001');
    expect((await data.numberOf({ role: 'operator', operatorId: AKRAM }))?.reveal()).to.equal(
      '+919810000100',
    );
  });

  it('with the directory down and nothing kept, a citizen is unknown, and served', async () => {
    const { clock, data, world } = await setUp();
    world.isDown = true;
    expect(await data.citizen(PRIYA)).to.be.null;
    const number = data.numberOf({ role: 'operator', operatorId: AKRAM });
    await clock.advance(3000);
    expect(await number).to.be.null;
  });

  it('FB-2 a number that cannot be read is asked for again, for three seconds', async () => {
    const { clock, data, world } = await setUp();
    world.isDown = true;
    const hers = data.numberOf({ role: 'citizen', citizenId: PRIYA });
    const his = data.numberOf({ role: 'operator', operatorId: AKRAM });
    await clock.advance(2000);
    world.isDown = false;
    await clock.advance(400);
    expect((await hers)?.reveal()).to.equal('+919810000001');
    expect((await his)?.reveal()).to.equal('+919810000100');
  });

  it('FB-2 a number is worth the wait for a directory that is too slow for anything else', async () => {
    const { clock, data, world } = await setUp();
    world.isDown = true;
    world.isSlow = true;
    const hers = data.numberOf({ role: 'citizen', citizenId: PRIYA });
    await clock.advance(400);
    expect((await hers)?.reveal()).to.equal('+919810000001');
  });

  it('FB-2 of a session that began while she could not be read, her phone rings unless she wishes for silence', async () => {
    const { data, real, world } = await setUp();
    world.isDown = true;
    expect(await data.citizenIfRead(PRIYA)).to.equal('unread');
    world.isDown = false;
    expect((await data.numberOf({ role: 'citizen', citizenId: PRIYA }))?.reveal()).to.equal('+919810000001');
    await data.watched().putCitizen({ ...(await real.citizen(PRIYA))!, silent: true });
    expect(await data.numberOf({ role: 'citizen', citizenId: PRIYA })).to.be.null;
    // Her next session knows of her wish from its beginning.
    data.sessionOver(PRIYA);
    expect((await data.numberOf({ role: 'citizen', citizenId: PRIYA }))?.reveal()).to.equal('+919810000001');
  });

  it('what the API changes is seen by the next activation', async () => {
    const { data } = await setUp();
    await data.citizen(PRIYA);
    await data.watched().putCitizen(citizenOf(PRIYA, { silent: true }));
    expect((await data.citizen(PRIYA))?.silent).to.be.true;
    await data.watched().putZone(north);
    expect(zoneIds(data)).to.deep.equal([ZONE, 'north']);
    await data.watched().deleteZone(north.id);
    expect(zoneIds(data)).to.deep.equal([ZONE]);
  });

  it('TEL-1 gives no number that was not verified', async () => {
    const { data, real } = await setUp();
    const id = 'sita' as CitizenId;
    await real.putCitizen(citizenOf(id, { phoneVerified: false }));
    expect(await data.numberOf({ role: 'citizen', citizenId: id })).to.be.null;
  });
});
