/** Two core nodes: the active one dies, stops or is stopped in the middle of an SOS, and the other takes over. */
import { expect } from 'chai';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import type { District } from './support/district.ts';
import { eventually } from './support/eventually.ts';
import type { Citizen } from './support/gateway.ts';
import { send } from './support/http.ts';
import { press, told } from './support/sos.ts';
import { useTwoCores, type CoreNode } from './support/two-cores.ts';

const STEPPED_CLOCK = pathToFileURL(join(import.meta.dirname, 'support/stepped-clock.ts')).href;
const NO_MEDIA = { failIce: true, iceTimeoutMs: 60_000 } as const;
const WATCHDOG_MS = 2500;
/** Two seconds of silence, and what a start of half a second on a busy machine adds. */
const TAKEN_OVER_MS = 2000 + 1500;
const FB_2_MS = 2000;
const TONE_HZ = 1300;
const MORE_PACKETS = 25;

describe('e2e: one node takes over from the other', function () {
  this.timeout(60_000);
  const cores = useTwoCores({
    HAMRAHI_WATCHDOG_MS: String(WATCHDOG_MS),
    HAMRAHI_FIRST_RETRY_MS: '1500',
    NODE_OPTIONS: `--import=${STEPPED_CLOCK}`,
    HAMRAHI_FAILPOINT: 'stop:committed/timer.watchdog:1:on-signal',
  });
  const { gateway } = cores;

  /** A citizen whose stream never comes, and whose operator is on shift. */
  const withoutStream = async (
    phone: string,
    operatorPhone = '00',
  ): Promise<{ district: District; citizen: Citizen }> => {
    const district = await gateway.district({ operators: [{ phone: operatorPhone }] });
    await gateway.panel(district.operators[0]!.id);
    return { district, citizen: await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone }) };
  };

  const killActive = async (): Promise<CoreNode> => {
    const active = await cores.active();
    await active.process.kill();
    return active;
  };

  /** Nobody serves for a moment: what is asked meanwhile is asked again. */
  const viewWhen = (
    id: string,
    what: string,
    fits: (view: SessionView) => boolean = () => true,
    deadlineMs = 10_000,
  ): Promise<SessionView> =>
    eventually(
      what,
      async () => {
        const view = await gateway.view(id).catch(() => null);
        return view !== null && fits(view) ? view : null;
      },
      deadlineMs,
    );

  const activatedAt = async (id: string): Promise<number> =>
    Date.parse((await viewWhen(id, 'anything')).activatedAt!);

  /** She and the operator have been called once each, and hear each other. */
  const onceAndTalking = async ({
    district,
    citizen,
  }: {
    district: District;
    citizen: Citizen;
  }): Promise<void> => {
    const duty = district.operators[0]!.dutyPhone;
    await Promise.all([
      heardAt(gateway, citizen.phone, phoneToneHz(duty)),
      heardAt(gateway, duty, phoneToneHz(citizen.phone!)),
    ]);
    expect(await callsTo(gateway, citizen.phone), 'calls to her').to.have.length(1);
    expect(await callsTo(gateway, duty), 'calls to the operator').to.have.length(1);
  };

  it('stands by, says so, and has the lease at once when the active node is stopped', async () => {
    const [active, standby] = [await cores.active(), await cores.standby()];
    const token = await gateway.token('citizen', 'nobody');
    const refused = await send(standby.url, token, 'POST', '/v1/sos', { body: {} });
    expect([refused.status, refused.body?.['code']]).to.deep.equal([503, 'ERR_GATEWAY_STANDBY']);
    await active.process.stop();
    const stoppedAt = performance.now();
    expect(await active.process.exited).to.equal(0);
    const holder = await eventually('the other one has the lease', async () => {
      const [lease] = await gateway.sql<{ holder: string | null }>(
        "SELECT holder FROM leases WHERE name = 'core'",
      );
      return lease?.holder ?? null;
    });
    expect(performance.now() - stoppedAt, 'without waiting for any silence').to.be.below(1000);
    expect(holder).to.equal(standby.name === 'core' ? 'first' : 'second');
    expect((await cores.active()).process).to.equal(standby.process);
  });

  it('FB-2 killed while she connects: the watchdog fires no later than two seconds and a start after it was due', async () => {
    const people = await withoutStream('00');
    const id = await press(people.citizen, people.district.location);
    await killActive();
    const call = await callTo(gateway, people.citizen.phone);
    expect(call.times.inviteAt - (await activatedAt(id))).to.be.within(
      WATCHDOG_MS - 50,
      WATCHDOG_MS + TAKEN_OVER_MS,
    );
    await viewWhen(id, 'they talk', ({ phase }) => phase === 'phone-connected', 10_000);
    await onceAndTalking(people);
  });

  it('RTC-2 killed while her stream is active: it goes on, nobody is offered anything anew, and the operator ends it', async () => {
    const district = await gateway.district();
    const operator = district.operators[0]!;
    const panel = await gateway.panel(operator.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: TONE_HZ });
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    const killed = await killActive();
    const heard = (): number => panel.heard().reduce((sum, leg) => sum + leg.packets, 0);
    const before = heard();
    expect((await cores.active()).name).not.to.equal(killed.name);
    await eventually('her voice goes on', () => (heard() > before + MORE_PACKETS ? true : null));
    const view = await viewWhen(id, 'still active', ({ phase }) => phase === 'active');
    expect(view).to.deep.include({ streaming: true, heard: true });
    await eventually('the panel is on shift at the new node', async () =>
      (await gateway.sql('SELECT FROM operator_presence WHERE operator_id = $1 AND on_shift', [operator.id]))
        .length > 0
        ? true
        : null,
    );
    await eventually(
      'the watchdog would have fired',
      async () => (Date.now() - (await activatedAt(id)) > WATCHDOG_MS + 3000 ? true : null),
      10_000,
    );
    expect((await viewWhen(id, 'anything')).phase).to.equal('active');
    expect([citizen.legs.length, panel.legs.length]).to.deep.equal([1, 1]);
    expect(await callsTo(gateway, citizen.phone)).to.be.empty;
    await panel.client.resolve(id);
    await viewWhen(id, 'resolved', ({ phase }) => phase === 'resolved');
  });

  it('FB-3 killed while both phones ring: neither is called again, and both are bridged when they answer', async () => {
    const people = await withoutStream('37', '36');
    const id = await press(people.citizen, people.district.location);
    await callTo(gateway, people.citizen.phone, ({ times }) => times.ringingAt !== null);
    await callTo(gateway, people.district.operators[0]!.dutyPhone, ({ times }) => times.ringingAt !== null);
    await killActive();
    await viewWhen(id, 'they talk', ({ phase }) => phase === 'phone-connected', 15_000);
    await onceAndTalking(people);
  });

  it('FB-3 killed just before she answers: the other node finds her waiting, and nobody calls her again', async () => {
    const people = await withoutStream('31', '36');
    const id = await press(people.citizen, people.district.location);
    await callTo(gateway, people.citizen.phone, ({ times }) => times.ringingAt !== null);
    await killActive();
    const view = await viewWhen(id, 'they talk', ({ phase }) => phase === 'phone-connected', 10_000);
    await onceAndTalking(people);
    expect(view.alerts.map(({ kind }) => kind)).to.not.include('citizen-unanswered');
  });

  it('FB-9 killed while they talk by phone: they talk on, and her hang-up is noticed', async () => {
    const people = await withoutStream('03');
    const id = await press(people.citizen, people.district.location);
    await viewWhen(id, 'they talk', ({ phase }) => phase === 'phone-connected', 15_000);
    await onceAndTalking(people);
    await killActive();
    await viewWhen(id, 'she hung up', ({ phase }) => phase === 'degraded', 15_000);
    const calls = await callsTo(gateway, people.citizen.phone);
    expect(
      calls.map(({ byeBy }) => byeBy),
      'nobody ended it but she, and nobody called again',
    ).to.deep.equal(['carrier']);
  });

  it('FB-2 stopped between a commit and its commands for three seconds: the other dials, and it does nothing more', async () => {
    const people = await withoutStream('00');
    const active = await cores.active();
    const id = await press(people.citizen, people.district.location);
    // The retry of the stream is the next timer; from there on the watchdog is.
    await viewWhen(id, 'degraded', ({ phase }) => phase === 'degraded');
    active.process.signal('SIGUSR2');
    await viewWhen(id, 'they talk, by the other node', ({ phase }) => phase === 'phone-connected', 15_000);
    expect((await cores.active()).name).not.to.equal(active.name);
    active.process.signal('SIGCONT');
    expect(await active.process.exited, 'exit code').to.equal(3);
    expect(cores.logged(active, 'ERR_NODE_FENCED')).to.have.length(1);
    await onceAndTalking(people);
    expect((await viewWhen(id, 'anything')).phase).to.equal('phone-connected');
    const owners = await gateway.sql<{ owner_node: string }>(
      'SELECT owner_node FROM sessions WHERE id = $1',
      [id],
    );
    expect(owners).to.deep.equal([{ owner_node: active.name === 'core' ? 'second' : 'first' }]);
  });

  it('stopped for three seconds while nobody else is there: it goes on where it was', async () => {
    const [active, standby] = [await cores.active(), await cores.standby()];
    await standby.process.stop();
    const people = await withoutStream('00');
    const id = await press(people.citizen, people.district.location);
    active.process.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    active.process.signal('SIGCONT');
    const call = await callTo(gateway, people.citizen.phone);
    expect(call.times.inviteAt - (await activatedAt(id))).to.be.below(3000 + FB_2_MS);
    await viewWhen(id, 'they talk', ({ phase }) => phase === 'phone-connected', 10_000);
    await onceAndTalking(people);
    expect(cores.logged(active, 'ERR_NODE_FENCED').length, 'of earlier tests').to.be.at.most(1);
    expect((await cores.active()).process).to.equal(active.process);
  });

  it('FB-2 a step of the clock of its machine moves no deadline that runs, costs no lease, and is told', async () => {
    const people = await withoutStream('00');
    const active = await cores.active();
    const id = await press(people.citizen, people.district.location);
    active.process.signal('SIGWINCH');
    const call = await callTo(gateway, people.citizen.phone);
    expect(call.times.inviteAt - (await activatedAt(id))).to.be.within(
      WATCHDOG_MS - 50,
      WATCHDOG_MS + FB_2_MS,
    );
    await eventually('it is told', () => (cores.logged(active, 'ERR_CLOCK_STEP').length === 1 ? true : null));
    const stepMs = Number(/"stepMs":([\d.]+)/.exec(cores.logged(active, 'ERR_CLOCK_STEP')[0] ?? '')?.[1]);
    expect(stepMs, 'as far as it was measured').to.be.closeTo(3_600_000, 1000);
    // What lives by the clock, such as everybody's tokens, does not end with it.
    await viewWhen(id, 'they talk', ({ phase }) => phase === 'phone-connected');
    expect((await cores.active()).process).to.equal(active.process);
  });
});
