/** Master data and tickets, whatever keeps them. */
import { expect } from 'chai';
import type { CitizenId, DeviceId, OperatorId, ZoneId } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import type {
  Citizen,
  Directory,
  DirectoryResult,
  Operator,
  RosterEntry,
} from '../../control-plane/src/ports/directory.ts';
import type { SessionStore } from '../../control-plane/src/ports/session-store.ts';
import type { TicketGrant, TicketStore } from '../../control-plane/src/ports/tickets.ts';
import { activation, after, freshId, resolved, T0, write } from '../support/session-writes.ts';
import { apply, change } from './store-steps.ts';

interface Ports {
  readonly store: SessionStore;
  readonly directory: Directory;
  readonly tickets: TicketStore;
}

export function directoryContract(name: string, open: () => Ports): void {
  describe(`Directory on ${name}`, () => {
    describe('citizens', () => citizensContract(open));
    describe('operators', () => operatorsContract(open));
    describe('zones and rosters', () => zonesContract(open));
  });
  describe(`TicketStore on ${name}`, () => ticketsContract(open));
}

const codeOf = (result: DirectoryResult) => (result.ok ? 'ok' : result.code);

function citizen(change: Partial<Citizen> = {}): Citizen {
  return {
    id: freshId('citizen'),
    phone: PhoneNumber.parse('+919876543210'),
    phoneVerified: true,
    homeZone: null,
    silent: false,
    devices: ['a1', 'b2'] as DeviceId[],
    ...change,
  };
}

function operator(change: Partial<Operator> = {}): Operator {
  return { id: freshId('op'), name: 'ASI Akram', dutyPhone: null, capacity: 1, active: true, ...change };
}

function citizensContract(open: () => Ports): void {
  it('keeps a citizen as put last, her number only as a PhoneNumber', async () => {
    const { directory } = open();
    const priya = citizen();
    expect(codeOf(await directory.putCitizen(priya))).to.equal('ok');
    const found = await directory.citizen(priya.id);
    expect(found?.phone?.reveal()).to.equal('+919876543210');
    expect(JSON.stringify(found)).to.not.include('9876543210');
    expect({ ...found, phone: null }).to.deep.equal({ ...priya, phone: null });
    await directory.putCitizen({
      ...priya,
      phone: null,
      silent: true,
      devices: ['b2', 'c3', 'b2'] as DeviceId[],
    });
    const changed = await directory.citizen(priya.id);
    expect(changed).to.deep.include({ phone: null, silent: true, devices: ['b2', 'c3'] });
    expect(await directory.citizen(freshId('citizen'))).to.equal(null);
  });

  it('refuses a home zone that does not exist', async () => {
    const result = await open().directory.putCitizen(citizen({ homeZone: freshId<ZoneId>('zone') }));
    expect(codeOf(result)).to.equal('ERR_DIRECTORY_NOT_FOUND');
  });

  it('deletes her, but not while a session of hers is open', async () => {
    const { directory, store } = open();
    const priya = citizen();
    await directory.putCitizen(priya);
    const { session } = await apply(store, activation({ citizenId: priya.id }));
    expect(codeOf(await directory.deleteCitizen(priya.id))).to.equal('ERR_DIRECTORY_IN_USE');
    await change(store, session.id, (before) => write(before, resolved(before.session)));
    expect(codeOf(await directory.deleteCitizen(priya.id))).to.equal('ok');
    expect(await directory.citizen(priya.id)).to.equal(null);
    expect(codeOf(await directory.deleteCitizen(priya.id))).to.equal('ERR_DIRECTORY_NOT_FOUND');
    expect(await store.find(session.id)).to.not.equal(null);
  });

  it('serves an activation of a citizen whom nobody has registered', async () => {
    const stranger = freshId<CitizenId>('stranger');
    await apply(open().store, activation({ citizenId: stranger }));
    expect(await open().store.transact((tx) => tx.findOpen(stranger))).to.not.equal(null);
  });
}

function operatorsContract(open: () => Ports): void {
  it('keeps operators and lists them in id order, page by page', async () => {
    const { directory } = open();
    const prefix = freshId<string>('zz');
    const ids = ['B', 'a', 'c'].map((letter) => `${prefix}_${letter}` as OperatorId);
    for (const id of ids.toReversed())
      await directory.putOperator(operator({ id, dutyPhone: PhoneNumber.parse('+14155550100') }));
    await directory.putOperator(operator({ id: ids[1]!, capacity: 4, active: false }));
    expect(await directory.operators(prefix as OperatorId, 2)).to.deep.include.members([
      operator({ id: ids[1]!, capacity: 4, active: false }),
    ]);
    const page = async (from: string) =>
      (await directory.operators(from as OperatorId, 2)).map((one) => one.id);
    expect(await page(prefix)).to.deep.equal([ids[0], ids[1]]);
    expect(await page(ids[1]!)).to.deep.equal([ids[2]]);
    expect((await directory.operators(null, 1)).length).to.equal(1);
    expect((await directory.operator(ids[0]!))?.dutyPhone?.reveal()).to.equal('+14155550100');
    expect(await directory.operator(freshId('op'))).to.equal(null);
  });

  it('deletes an operator whom no roster and no open session names', async () => {
    const { directory, store } = open();
    const akram = operator();
    const zone = freshId<ZoneId>('zone');
    await directory.putOperator(akram);
    await directory.putZone({ id: zone, name: 'Z', polygon: [] });
    await directory.putRoster(zone, [entry(zone, akram.id)]);
    expect(codeOf(await directory.deleteOperator(akram.id))).to.equal('ERR_DIRECTORY_IN_USE');
    await directory.putRoster(zone, []);
    const { session } = await apply(store, activation({ operatorId: akram.id }));
    expect(codeOf(await directory.deleteOperator(akram.id))).to.equal('ERR_DIRECTORY_IN_USE');
    await change(store, session.id, (before) => write(before, resolved(before.session)));
    expect(codeOf(await directory.deleteOperator(akram.id))).to.equal('ok');
    expect(codeOf(await directory.deleteOperator(akram.id))).to.equal('ERR_DIRECTORY_NOT_FOUND');
  });
}

function entry(zoneId: ZoneId, operatorId: OperatorId, change: Partial<RosterEntry> = {}): RosterEntry {
  return {
    zoneId,
    operatorId,
    duty: 'operator',
    priority: 0,
    pressToAccept: false,
    from: null,
    until: null,
    ...change,
  };
}

function zonesContract(open: () => Ports): void {
  it('keeps polygons as they are, and one catch-all at most', async () => {
    const { directory } = open();
    const polygon = [
      [
        [77.1, 12.5],
        [77.9, 12.5],
        [77.5, 13.25],
        [77.1, 12.5],
      ],
    ] as const;
    const id = freshId<ZoneId>('zone');
    await directory.putZone({ id, name: 'Draft', polygon: [] });
    await directory.putZone({ id, name: 'Central', polygon });
    expect((await directory.zones()).find((zone) => zone.id === id)).to.deep.equal({
      id,
      name: 'Central',
      polygon,
    });
    const rest = freshId<ZoneId>('rest');
    expect(codeOf(await directory.putZone({ id: rest, name: 'Rest', polygon: null }))).to.equal('ok');
    expect(codeOf(await directory.putZone({ id: rest, name: 'The rest', polygon: null }))).to.equal('ok');
    const other = await directory.putZone({ id: freshId<ZoneId>('rest'), name: 'Other', polygon: null });
    expect(codeOf(other)).to.equal('ERR_DIRECTORY_CONFLICT');
    const ids = (await directory.zones()).map((zone) => zone.id);
    expect(ids).to.deep.equal(ids.toSorted());
    expect(codeOf(await directory.deleteZone(rest))).to.equal('ok');
  });

  it('replaces a roster as a whole or not at all', async () => {
    const { directory } = open();
    const zone = freshId<ZoneId>('zone');
    const akram = operator();
    expect(codeOf(await directory.putRoster(zone, []))).to.equal('ERR_DIRECTORY_NOT_FOUND');
    await directory.putZone({ id: zone, name: 'Z', polygon: [] });
    await directory.putOperator(akram);
    const shifts = [
      entry(zone, akram.id, { from: null, until: T0 }),
      entry(zone, akram.id, { from: T0, until: after(8 * 3_600_000) }),
      entry(zone, akram.id, { duty: 'supervisor', priority: 7, pressToAccept: true }),
    ];
    expect(codeOf(await directory.putRoster(zone, shifts))).to.equal('ok');
    expect(await directory.roster(zone)).to.deep.equal(shifts);
    const twice = [entry(zone, akram.id), entry(zone, akram.id, { priority: 1 })];
    expect(codeOf(await directory.putRoster(zone, twice))).to.equal('ERR_DIRECTORY_CONFLICT');
    const unknown = [entry(zone, freshId<OperatorId>('op'))];
    expect(codeOf(await directory.putRoster(zone, unknown))).to.equal('ERR_DIRECTORY_NOT_FOUND');
    expect(await directory.roster(zone)).to.deep.equal(shifts);
    expect(await directory.roster(null)).to.deep.include.members(shifts);
  });

  it('asks about the roster that stands before it is replaced, two writers one after the other', async () => {
    const { directory } = open();
    const zone = freshId<ZoneId>('zone');
    const [akram, bina] = [operator(), operator()];
    await directory.putZone({ id: zone, name: 'Z', polygon: [] });
    for (const one of [akram, bina]) await directory.putOperator(one);
    await directory.putRoster(zone, [entry(zone, akram.id)]);
    const seen: (readonly RosterEntry[])[] = [];
    const no = await directory.putRoster(zone, [], (standing) => {
      seen.push(standing);
      return 'not yours';
    });
    expect(no).to.deep.include({ ok: false, code: 'ERR_DIRECTORY_FOREIGN', detail: 'not yours' });
    expect(seen).to.deep.equal([[entry(zone, akram.id)]]);
    expect(await directory.roster(zone)).to.deep.equal([entry(zone, akram.id)]);
    // Each takes the other's place, and no more: of two at once only one finds what it expects.
    const ifAkram = (standing: readonly RosterEntry[]) =>
      standing.some(({ operatorId }) => operatorId === akram.id) ? null : 'gone already';
    const both = await Promise.all([
      directory.putRoster(zone, [entry(zone, bina.id)], ifAkram),
      directory.putRoster(zone, [entry(zone, bina.id)], ifAkram),
    ]);
    expect(both.map(codeOf).toSorted()).to.deep.equal(['ERR_DIRECTORY_FOREIGN', 'ok']);
  });

  it('deletes a zone that nothing refers to', async () => {
    const { directory, store } = open();
    const zone = freshId<ZoneId>('zone');
    const akram = operator();
    await directory.putOperator(akram);
    await directory.putZone({ id: zone, name: 'Z', polygon: [] });
    await directory.putRoster(zone, [entry(zone, akram.id)]);
    const inUse = async () => codeOf(await directory.deleteZone(zone));
    expect(await inUse()).to.equal('ERR_DIRECTORY_IN_USE');
    await directory.putRoster(zone, []);
    const priya = citizen({ homeZone: zone });
    await directory.putCitizen(priya);
    expect(await inUse()).to.equal('ERR_DIRECTORY_IN_USE');
    await directory.deleteCitizen(priya.id);
    const { session } = await apply(store, activation({ zoneId: zone }));
    expect(await inUse()).to.equal('ERR_DIRECTORY_IN_USE');
    await change(store, session.id, (before) => write(before, resolved(before.session)));
    expect(await inUse()).to.equal('ok');
    expect(await inUse()).to.equal('ERR_DIRECTORY_NOT_FOUND');
  });
}

function ticketsContract(open: () => Ports): void {
  const grant: TicketGrant = {
    role: 'operator',
    subject: 'akram',
    purpose: 'sip',
    deviceId: 'tab1',
    tokenId: 'jti-1',
    issuedAt: T0,
  };

  it('redeems a ticket once, for its purpose and in its time', async () => {
    const { tickets } = open();
    const ticket = await tickets.issue(grant, after(30_000));
    expect(ticket).to.match(/^[\w-]{22,}$/);
    expect(await tickets.redeem(ticket, 'feed', T0)).to.equal(null);
    expect(await tickets.redeem(`${ticket}x`, 'sip', T0)).to.equal(null);
    expect(await tickets.redeem(ticket, 'sip', after(30_000))).to.equal(null);
    expect(await tickets.redeem(ticket, 'sip', after(29_999))).to.deep.equal(grant);
    expect(await tickets.redeem(ticket, 'sip', T0)).to.equal(null);
  });

  it('gives one of two at once nothing', async () => {
    const { tickets } = open();
    const bare: TicketGrant = { ...grant, purpose: 'feed', deviceId: null, tokenId: null, issuedAt: null };
    const ticket = await tickets.issue(bare, after(30_000));
    const both = await Promise.all([tickets.redeem(ticket, 'feed', T0), tickets.redeem(ticket, 'feed', T0)]);
    expect(both.filter((one) => one !== null)).to.deep.equal([bare]);
  });
}
