/** Who is on duty, and that nobody is given more than he can take. */
import { expect } from 'chai';
import { legIdOf, operatorAor } from '../../control-plane/src/domain/ids.ts';
import type { CitizenId, ClientId, Instant, OperatorId, ZoneId } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import { chooseOperator } from '../../control-plane/src/domain/routing/choose-operator.ts';
import type { Live } from '../../control-plane/src/domain/session/session.ts';
import type { Directory, Operator, RosterEntry } from '../../control-plane/src/ports/directory.ts';
import type { PresenceStore, SessionStore } from '../../control-plane/src/ports/session-store.ts';
import {
  activation,
  after,
  assigned,
  freshId,
  live,
  resolved,
  T0,
  write,
} from '../support/session-writes.ts';
import { apply, change } from './store-steps.ts';

interface Ports {
  readonly store: SessionStore;
  readonly presence: PresenceStore;
  readonly directory: Directory;
}

const tab1 = 'tab1' as ClientId;

export function dutyContract(name: string, open: () => Ports): void {
  describe(`duty on ${name}`, () => {
    describe('dutyOperators', () => operatorsContract(open));
    describe('dutyPhones', () => phonesContract(open));
    describe('presence', () => presenceContract(open));
  });
}

class Station {
  readonly zone = freshId<ZoneId>('zone');
  readonly #ports: Ports;
  readonly #entries: RosterEntry[] = [];

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async begin(): Promise<this> {
    await this.#ports.directory.putZone({ id: this.zone, name: 'A zone', polygon: [] });
    return this;
  }

  async add(operator: Partial<Operator> = {}, entry: Partial<RosterEntry> = {}): Promise<OperatorId> {
    const id = operator.id ?? freshId<OperatorId>('op');
    await this.#ports.directory.putOperator({
      id,
      name: id,
      dutyPhone: null,
      capacity: 1,
      active: true,
      ...operator,
    });
    const zoneId = this.zone;
    this.#entries.push({
      zoneId,
      operatorId: id,
      duty: 'operator',
      priority: 0,
      pressToAccept: false,
      from: null,
      until: null,
      ...entry,
    });
    await this.#ports.directory.putRoster(zoneId, this.#entries);
    return id;
  }

  async comes(operatorId: OperatorId, at: Instant = T0, client: ClientId = tab1): Promise<void> {
    const aor = operatorAor(operatorId, client);
    await this.#ports.presence.setFeedPresence(operatorId, aor, true, at);
    await this.#ports.presence.setContact(aor, true, at);
  }

  duty(at: Instant = T0, zone: ZoneId | null = this.zone) {
    return this.#ports.store.transact((tx) => tx.dutyOperators(zone, at));
  }

  phones(at: Instant = T0) {
    return this.#ports.store.transact((tx) => tx.dutyPhones(this.zone, at));
  }
}

function operatorsContract(open: () => Ports): void {
  it('RTC-5: knows the active operators whose roster entry holds now, in id order, with their lowest priority', async () => {
    const station = await new Station(open()).begin();
    const always = await station.add({ id: freshId('b') }, { priority: 5 });
    await station.add({ id: always }, { priority: 3, from: after(-1000), until: after(1000) });
    const soon = await station.add({ id: freshId('a') }, { from: after(0), until: after(100), priority: 9 });
    await station.add({ active: false });
    await station.add({}, { duty: 'supervisor' });
    const duty = async (at: Instant) =>
      (await station.duty(at)).map(({ operatorId, priority }) => [operatorId, priority]);
    expect(await duty(after(-0.001))).to.deep.equal([[always, 3]]);
    expect(await duty(after(0))).to.deep.equal([
      [soon, 9],
      [always, 3],
    ]);
    expect(await duty(after(100))).to.deep.equal([[always, 3]]);
    expect(await duty(after(5000))).to.deep.equal([[always, 5]]);
    const everywhere = await station.duty(after(0), null);
    expect(everywhere.map((one) => one.operatorId)).to.include.members([soon, always]);
    expect(await new Station(open()).duty()).to.deep.equal([]);
  });

  it('RTC-5: takes him for present whose panel is on shift and registered at the same address', async () => {
    const { presence } = open();
    const station = await new Station(open()).begin();
    const id = await station.add();
    const aor = async () => (await station.duty())[0]?.aor;
    const [first, second] = [operatorAor(id, tab1), operatorAor(id, 'tab2' as ClientId)];
    expect(await aor()).to.equal(null);
    await presence.setFeedPresence(id, first, true, T0);
    expect(await aor()).to.equal(null);
    await presence.setContact(second, true, T0);
    expect(await aor()).to.equal(null);
    await presence.setContact(first, true, T0);
    expect(await aor()).to.equal(first);
    await presence.setFeedPresence(id, second, true, after(10));
    expect(await aor()).to.equal(second);
    await presence.setContact(second, false, after(20));
    expect(await aor()).to.equal(first);
    await presence.setFeedPresence(id, first, false, after(30));
    expect(await aor()).to.equal(null);
  });

  it('RTC-5: counts his open sessions and how long he has been idle', async () => {
    const { store } = open();
    const station = await new Station(open()).begin();
    const id = await station.add({ capacity: 3 });
    const facts = async () => {
      const [one] = await station.duty();
      return one && [one.load, one.idleSince, one.capacity];
    };
    expect(await facts()).to.deep.equal([0, 0, 3]);
    await station.comes(id, after(100));
    expect(await facts()).to.deep.equal([0, after(100), 3]);
    const { session } = await apply(store, activation({ operatorId: id }));
    await apply(store, activation({ operatorId: id }));
    expect(await facts()).to.deep.equal([2, after(100), 3]);
    await change(store, session.id, (before) => write(before, resolved(before.session, after(700))));
    expect(await facts()).to.deep.equal([1, after(700), 3]);
  });

  it('TEL-10: counts a session that is being handed to him once, until it is his, or is not', async () => {
    const { store } = open();
    const station = await new Station(open()).begin();
    const [from, to] = [await station.add(), await station.add()];
    const loads = async () => {
      const duty = await station.duty();
      return [from, to].map((id) => duty.find(({ operatorId }) => operatorId === id)?.load);
    };
    const { session } = await apply(store, activation({ operatorId: from }));
    const legId = legIdOf(session.id, 'operator-app', 2);
    const handOver = { to: { role: 'operator', operatorId: to }, legId, since: T0 } as const;
    const become = (next: Live) => change(store, session.id, (before) => write(before, next));
    await become({ ...live(session), handOver });
    expect(await loads()).to.deep.equal([1, 1]);
    await become({ ...assigned(session, to), handOver });
    expect(await loads()).to.deep.equal([0, 1]);
    await become({ ...assigned(session, from), handOver: null });
    expect(await loads()).to.deep.equal([1, 0]);
  });

  it('RTC-5: counts who waits in the zone, but for her who asks and whoever has an operator or has ended', async () => {
    const { store } = open();
    const station = await new Station(open()).begin();
    const operatorId = await station.add();
    const { zone } = station;
    const waiting = (citizenId: CitizenId, zoneId: ZoneId | null = zone) =>
      store.transact((tx) => tx.waiting(zoneId, citizenId));
    const stranger = freshId<CitizenId>('citizen');
    const first = await apply(store, activation({ zoneId: zone }));
    const second = await apply(store, activation({ zoneId: zone }));
    await apply(store, activation({ zoneId: zone, operatorId }));
    await apply(store, activation({ zoneId: freshId<ZoneId>('elsewhere') }));
    expect(await waiting(stranger)).to.equal(2);
    expect(await waiting(first.session.citizenId)).to.equal(1);
    const before = await waiting(stranger, null);
    const nowhere = await apply(store, activation({ zoneId: null }));
    expect(await waiting(stranger, null), 'those of no zone wait apart').to.equal(before + 1);
    expect(await waiting(stranger)).to.equal(2);
    await change(store, first.session.id, (one) => write(one, resolved(one.session)));
    await change(store, second.session.id, (one) => write(one, assigned(one.session, operatorId)));
    await change(store, nowhere.session.id, (one) => write(one, resolved(one.session)));
    expect(await waiting(stranger)).to.equal(0);
    expect(await waiting(stranger, null)).to.equal(before);
  });

  it('RTC-5: gives no operator more than his capacity, when eight are activated at once', async () => {
    const { store } = open();
    const station = await new Station(open()).begin();
    const operators = [await station.add({ capacity: 2 }), await station.add({ capacity: 3 })];
    for (const id of operators) await station.comes(id);
    const chosen = await Promise.all(
      Array.from({ length: 8 }, () =>
        store.transact(async (tx) => {
          const fresh = activation({ zoneId: station.zone });
          await tx.lockCitizen(fresh.after.citizenId);
          const choice = chooseOperator(await tx.dutyOperators(station.zone, T0), []);
          await tx.apply(choice ? { ...fresh, after: assigned(fresh.after, choice.operatorId) } : fresh);
          return choice?.operatorId ?? null;
        }),
      ),
    );
    const count = (id: OperatorId | null) => chosen.filter((one) => one === id).length;
    expect([count(operators[0]!), count(operators[1]!), count(null)]).to.deep.equal([2, 3, 3]);
  });
}

function phonesContract(open: () => Ports): void {
  it('FB-3, FB-7: calls operators in roster order and supervisors last, each of them once', async () => {
    const station = await new Station(open()).begin();
    const dutyPhone = PhoneNumber.parse('+919812345678');
    const second = await station.add({ dutyPhone }, { priority: 2 });
    const first = await station.add({ dutyPhone }, { priority: 1 });
    const chief = await station.add({ dutyPhone }, { duty: 'supervisor', priority: 0 });
    await station.add({ dutyPhone: null }, { priority: 0 });
    await station.add({ dutyPhone, active: false }, { priority: 0 });
    await station.add({ dutyPhone }, { priority: 0, until: after(-1) });
    await station.add({ id: second, dutyPhone }, { duty: 'supervisor', priority: 9 });
    expect(await station.phones()).to.deep.equal([
      { role: 'operator', operatorId: first },
      { role: 'operator', operatorId: second },
      { role: 'supervisor', operatorId: chief },
    ]);
  });

  it('FB-7: tells whose duty phone must press 1, by the entry that holds now', async () => {
    const station = await new Station(open()).begin();
    const dutyPhone = PhoneNumber.parse('+919812345678');
    const asked = await station.add({ dutyPhone }, { priority: 1, pressToAccept: true });
    const plain = await station.add({ dutyPhone }, { priority: 2 });
    await station.add({ id: plain, dutyPhone }, { priority: 2, until: after(-1), pressToAccept: true });
    expect(await station.phones()).to.deep.equal([
      { role: 'operator', operatorId: asked, acceptance: 'press-1' },
      { role: 'operator', operatorId: plain },
    ]);
  });
}

function presenceContract(open: () => Ports): void {
  it('lets the later of two reports stand, in whichever order they come', async () => {
    const { presence } = open();
    const aor = operatorAor(freshId('op'), tab1);
    expect(await presence.contactOnline(aor)).to.equal(false);
    await presence.setContact(aor, true, after(10));
    await presence.setContact(aor, false, after(5));
    expect(await presence.contactOnline(aor)).to.equal(true);
    await presence.setContact(aor, false, after(10));
    expect(await presence.contactOnline(aor)).to.equal(false);
  });

  it('knows nobody after a clear', async () => {
    const { presence } = open();
    const station = await new Station(open()).begin();
    const id = await station.add();
    await station.comes(id);
    await presence.clear();
    expect(await presence.contactOnline(operatorAor(id, tab1))).to.equal(false);
    expect((await station.duty())[0]?.aor).to.equal(null);
  });
}
