/** RTC-5 on real PostgreSQL: thirty women wait in two zones, and operators come free in any order. */
import { expect } from 'chai';
import type { Core } from '../../../control-plane/src/app/core.ts';
import { systemClock } from '../../../control-plane/src/adapters/clock/system-clock.ts';
import { operatorAor } from '../../../control-plane/src/domain/ids.ts';
import type {
  CitizenId,
  ClientId,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../../control-plane/src/domain/ids.ts';
import type { Caller } from '../../../control-plane/src/ports/gateway.ts';
import { coreOnDatabase, fakeEngine } from '../../support/core-on-database.ts';
import { testDatabase } from '../../support/test-database.ts';
import type { TestDatabase } from '../../support/test-database.ts';
import { eventually } from '../../e2e/support/eventually.ts';

const NORTH = 'north' as ZoneId;
const SOUTH = 'south' as ZoneId;
const WEST = 'west' as ZoneId;
const ROUNDS = 12;
const SESSIONS = 30;
const BACKEND: Caller = { role: 'backend', subject: 'backend', tokenId: null, issuedAt: null };
/** Who has how much room where; one of them has duty in both zones. */
const OPERATORS: readonly {
  readonly id: string;
  readonly capacity: number;
  readonly zones: readonly ZoneId[];
}[] = [
  { id: 'n1', capacity: 2, zones: [NORTH] },
  { id: 'n2', capacity: 1, zones: [NORTH] },
  { id: 's1', capacity: 1, zones: [SOUTH] },
  { id: 's2', capacity: 3, zones: [SOUTH] },
  { id: 'both', capacity: 4, zones: [NORTH, SOUTH] },
  { id: 'w1', capacity: 1, zones: [WEST] },
];
const isOfWest = ({ zones }: (typeof OPERATORS)[number]): boolean => zones.includes(WEST);
const ROOM = OPERATORS.filter((one) => !isOfWest(one)).reduce((sum, { capacity }) => sum + capacity, 0);
const SETTLED_MS = 20_000;

describe('app: the queue on PostgreSQL', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let core: Core;
  const clock = systemClock();
  const pbx = fakeEngine();
  const ids: SessionId[] = [];

  before(async () => {
    database = await testDatabase();
    const { directory } = database;
    for (const [index, id] of [NORTH, SOUTH, WEST].entries())
      await directory.putZone({ id, name: id, polygon: index === 0 ? null : square(60 + 10 * index) });
    for (const { id, capacity } of OPERATORS)
      await directory.putOperator({
        id: id as OperatorId,
        name: id,
        dutyPhone: null,
        capacity,
        active: true,
      });
    for (const zoneId of [NORTH, SOUTH, WEST]) await directory.putRoster(zoneId, rosterOf(zoneId));
    core = coreOnDatabase(database, pbx);
    await core.start();
    for (const { id } of OPERATORS.filter(isOfWest)) await comes(id);
  });
  after(async () => {
    await core.stop();
    await database.close();
  });

  const loads = () =>
    database.sql<{ operator: string; load: number }>(
      `SELECT operator_id AS operator, count(*)::integer AS load FROM sessions
       WHERE open AND operator_id IS NOT NULL GROUP BY operator_id`,
    );
  const assigned = () =>
    database.sql<{ id: SessionId }>(`SELECT id FROM sessions WHERE open AND operator_id IS NOT NULL`);

  it('RTC-5 gives each of 30 queued sessions to one operator, the oldest of a zone first, and nobody more than he can take', async () => {
    for (let index = 0; index < SESSIONS; index += 1) ids.push(await press(index));
    expect(await assigned(), 'nobody is there yet').to.be.empty;

    const arriving = shuffled(OPERATORS.filter((one) => !isOfWest(one))).map(async ({ id }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
      await comes(id);
    });
    await Promise.all(arriving);
    await eventually(
      'every room is taken',
      async () => ((await assigned()).length === ROOM ? true : null),
      SETTLED_MS,
    );

    for (let done = 0; done < SESSIONS;) {
      const ending = shuffled(await assigned()).slice(0, 1 + Math.floor(Math.random() * 4));
      await Promise.all(ending.map(({ id }) => core.gateway.resolve(BACKEND, id, 'over')));
      done += ending.length;
      expectWithinCapacity(await loads());
      const [open] = await database.sql<{ north: number; south: number; assigned: number }>(
        `SELECT count(*) FILTER (WHERE zone_id = 'north')::integer AS north,
           count(*) FILTER (WHERE zone_id = 'south')::integer AS south,
           count(*) FILTER (WHERE operator_id IS NOT NULL)::integer AS assigned FROM sessions WHERE open`,
      );
      if (done < SESSIONS && open?.assigned === 0)
        await eventually(
          'somebody has the next',
          async () => ((await assigned()).length > 0 ? true : null),
          SETTLED_MS,
        );
    }

    const told = await database.sql<{ id: SessionId; zone: ZoneId; times: number; first: number }>(
      `SELECT s.id, s.zone_id AS zone, count(*)::integer AS times, min(extract(epoch FROM e.at))::float8 AS first
       FROM sessions s JOIN session_events e ON e.session_id = s.id AND e.type = 'roster.assigned'
       GROUP BY s.id, s.zone_id`,
    );
    expect(told.map(({ times }) => times)).to.deep.equal(Array.from({ length: SESSIONS }, () => 1));
    for (const zone of [NORTH, SOUTH]) {
      const own = told.filter((one) => one.zone === zone).toSorted((a, b) => a.first - b.first);
      const waited = ids.filter((id) => own.some((one) => one.id === id));
      expect(
        own.map(({ id }) => id),
        `${zone}: who waited longest came first`,
      ).to.deep.equal(waited);
    }
  });

  it('RTC-5 of two who press at once one gets the only operator, and the other waits', async () => {
    const both = await Promise.all([pressInWest('one'), pressInWest('other')]);
    const [first, second] = await eventually('one has him', async () => {
      const owners = await ownersOf(both);
      return owners.filter((owner) => owner !== null).length > 0 ? owners : null;
    });
    expect([first, second].filter((owner) => owner === 'w1')).to.have.length(1);
    await Promise.all(both.map((id) => core.gateway.resolve(BACKEND, id, 'over')));
  });

  it('RTC-5 nobody who presses while an operator comes free goes before the one who waits for him', async () => {
    const overtaken: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const first = await pressInWest('first');
      const waiting = await pressInWest('waiting');
      expect(await ownersOf([first, waiting])).to.deep.equal(['w1', null]);
      const freed = core.gateway.resolve(BACKEND, first, 'over');
      const later = Array.from({ length: 6 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index * 2));
        return pressInWest(`later${index}`);
      });
      await freed;
      const pressed = [waiting, ...(await Promise.all(later))];
      const owners = await eventually('somebody has him', async () => {
        const found = await ownersOf(pressed);
        return found.some((owner) => owner !== null) ? found : null;
      });
      if (owners[0] === 'w1') {
        // Who comes next is she who waits longest now; the one before her was ended without having had anybody.
        await core.gateway.resolve(BACKEND, pressed[1]!, 'over');
        await core.gateway.resolve(BACKEND, waiting, 'over');
        await eventually('the next', async () => (await ownersOf(pressed.slice(2, 3)))[0] ?? null);
      } else {
        overtaken.push(`round ${round} by ${owners.indexOf('w1')}`);
      }
      await Promise.all(pressed.map((id) => core.gateway.resolve(BACKEND, id, 'over')));
    }
    expect(overtaken).to.deep.equal([]);
  });

  async function comes(id: string): Promise<void> {
    const aor = operatorAor(id as OperatorId, 'panel1' as ClientId);
    await core.gateway.deviceAdmitted(aor);
    pbx.register(aor);
    await core.gateway.shift(id as OperatorId, aor, true);
  }

  async function ownersOf(sessions: readonly SessionId[]): Promise<readonly (string | null)[]> {
    const rows = await database.sql<{ id: SessionId; operator: string | null }>(
      `SELECT id, operator_id AS operator FROM sessions WHERE open`,
    );
    return sessions.map((id) => rows.find((row) => row.id === id)?.operator ?? null);
  }

  const press = (index: number): Promise<SessionId> =>
    pressAt(`citizen${String(index)}`, index % 2 === 0 ? undefined : { latitude: 10.5, longitude: 70.5 });
  const pressInWest = (name: string): Promise<SessionId> =>
    pressAt(`west_${name}`, { latitude: 10.5, longitude: 80.5 });

  async function pressAt(citizen: string, location: object | undefined): Promise<SessionId> {
    const result = await core.gateway.activate({
      citizenId: citizen as CitizenId,
      deviceId: 'phone1',
      location,
      clientTime: undefined,
      bodyMalformed: false,
      idempotencyKey: null,
      bodyHash: '',
      receivedAt: clock.now(),
    });
    if (!result.ok) throw new Error(result.code);
    return result.value.id as SessionId;
  }
});

function expectWithinCapacity(loads: readonly { readonly operator: string; readonly load: number }[]): void {
  for (const { operator, load } of loads)
    expect(load, operator).to.be.at.most(OPERATORS.find(({ id }) => id === operator)?.capacity ?? 0);
}

function rosterOf(zoneId: ZoneId) {
  return OPERATORS.filter(({ zones }) => zones.includes(zoneId)).map(({ id }) => ({
    zoneId,
    operatorId: id as OperatorId,
    duty: 'operator' as const,
    priority: 0,
    pressToAccept: false,
    from: null,
    until: null,
  }));
}

/** A degree wide and high. */
function square(west: number): [number, number][][] {
  return [
    [
      [west, 10],
      [west + 1, 10],
      [west + 1, 11],
      [west, 11],
      [west, 10],
    ],
  ];
}

function shuffled<T>(list: readonly T[]): readonly T[] {
  return list
    .map((one) => ({ one, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ one }) => one);
}
