/** The database goes while people need help: on real Asterisk, PostgreSQL and carrier, from press to voice. */
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts';
import { callTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { press, told } from './support/sos.ts';

const NEVER_MS = 60_000;
const NO_MEDIA = { failIce: true, iceTimeoutMs: NEVER_MS } as const;
const BACK_MS = 10_000;

interface FeedSeqs {
  readonly session_seq: string;
  readonly type: string;
}

describe('e2e: the database is away', function () {
  this.timeout(60_000);
  let proxy: CuttableProxy;
  // Before the gateway's own, which asks the database what was left open.
  afterEach(async () => {
    proxy.refuse(false);
    await isBack();
  });
  const gateway = useGateway({
    env: { HAMRAHI_WATCHDOG_MS: '3000', HAMRAHI_FIRST_RETRY_MS: '1500' },
    detour: async (links) => {
      const { hostname, port } = new URL(links.databaseUrl);
      proxy = await startCuttableProxy({ host: hostname, port: Number(port) });
      const url = new URL(links.databaseUrl);
      url.port = String(proxy.port);
      return { ...links, databaseUrl: url.href };
    },
  });
  after(() => proxy.stop());

  const ready = async (): Promise<Record<string, unknown>> =>
    (await gateway.send(null, 'GET', '/readyz')).body ?? {};
  function isBack(): Promise<unknown> {
    return eventually(
      'the database has everything',
      async () => {
        const body = await ready();
        return JSON.stringify(body).includes('"entries":0') && body['degraded'] === false ? true : null;
      },
      BACK_MS,
    );
  }
  const phaseOf = async (id: string): Promise<string | undefined> =>
    (await gateway.sql<{ phase: string }>('SELECT phase FROM sessions WHERE id = $1', [id]))[0]?.phase;
  const goAway = (): void => {
    proxy.refuse(true);
    proxy.cut();
  };
  const feedOf = async (id: string): Promise<string[]> => {
    const rows = await gateway.sql<FeedSeqs>(
      'SELECT session_seq, type FROM feed WHERE session_id = $1 ORDER BY seq',
      [id],
    );
    return rows.map(({ session_seq: seq, type }) => `${seq} ${type}`);
  };

  it('RTC-1 RTC-2 RTC-6 an SOS while it is away is heard, and the record is whole when it is back', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location);
    goAway();
    const id = await press(citizen, district.location);
    const active = await told(panel, id, 'sos.active');
    expect(active.event.seq).to.equal(0);
    expect(active.event.data.session).to.include({ phase: 'active', streaming: true, heard: true });
    expect(active.event.data.session.location).to.include({ latitude: district.location.latitude });
    expect(await phaseOf(id)).to.be.oneOf([undefined, 'arming']);
    const health = await ready();
    expect(health).to.include({ ready: true, degraded: true });
    expect(await gateway.metric('hamrahi_store_away')).to.equal(1);
    expect(await gateway.metric('hamrahi_journal_entries')).to.be.greaterThan(0);
    expect(panel.client.cards.map((card) => card.id)).to.include(id);

    proxy.refuse(false);
    await isBack();
    expect(await gateway.view(id)).to.include({ phase: 'active' });
    const offer = (await gateway.timeline(id)).verdicts.find((verdict) => verdict.id === 'RTC-1');
    expect(offer).to.include({ ok: true });
    const provisional = panel.events
      .filter(({ event }) => event.sessionId === id && event.seq === 0)
      .map(({ event }) => `${event.sessionSeq} ${event.type}`);
    expect(await feedOf(id)).to.include.members(provisional);
    await eventually('the panel was told each with its number', () => {
      const numbered = panel.events.filter(({ event }) => event.sessionId === id && event.seq > 0);
      const names = new Set(numbered.map(({ event }) => `${event.sessionSeq} ${event.type}`));
      return provisional.every((name) => names.has(name)) ? true : null;
    });
  });

  it('FB-2 FB-3 FB-9 PostgreSQL crashes before the deadline: both phones are called and bridged', async () => {
    const district = await gateway.district();
    const [operator] = district.operators;
    const panel = await gateway.panel(operator!.id);
    const citizen = await gateway.armedCitizen(district.location, NO_MEDIA);
    const id = await press(citizen, district.location);
    await gateway.sandbox.database.crash();
    const initiated = await told(panel, id, 'phone-fallback-active');
    expect(initiated.event.seq).to.equal(0);
    await Promise.all([callTo(gateway, citizen.phone), callTo(gateway, operator!.dutyPhone)]);
    await told(panel, id, 'phone-connected');
    await Promise.all([
      heardAt(gateway, citizen.phone, phoneToneHz(operator!.dutyPhone)),
      heardAt(gateway, operator!.dutyPhone, phoneToneHz(citizen.phone!)),
    ]);
    await gateway.sandbox.database.restart();
    await isBack();
    const { phase, fallback } = await gateway.view(id);
    expect(phase).to.equal('phone-connected');
    expect(fallback).to.include({ mode: 'both', reason: 'timeout' });
    expect(await feedOf(id)).to.satisfy((rows: string[]) =>
      ['phone-fallback-active', 'phone-connected'].every((type) => rows.some((row) => row.endsWith(type))),
    );
  });

  it('FB-2 killed while it is away: the next process waits for it, tells it first, and rings nobody twice', async () => {
    const district = await gateway.district();
    const [operator] = district.operators;
    await gateway.panel(operator!.id);
    const citizen = await gateway.armedCitizen(district.location, NO_MEDIA);
    goAway();
    const id = await press(citizen, district.location);
    await gateway.sandbox.controlPlane().kill();
    // Started during the outage it says what it waits for, serves nobody, and begins by itself.
    const restarted = gateway.sandbox.restartControlPlane();
    await eventually('it says that it waits for its database', async () => {
      const answer = await gateway.send(null, 'GET', '/readyz').catch(() => null);
      const checks = JSON.stringify(answer?.body);
      return answer?.status === 503 && checks.includes('the database does not answer') ? true : null;
    });
    expect((await gateway.send(null, 'GET', '/healthz')).status).to.equal(200);
    expect((await gateway.send(null, 'POST', '/v1/sos')).body).to.include({ code: 'ERR_GATEWAY_STANDBY' });
    expect(await phaseOf(id)).to.be.oneOf([undefined, 'arming']);
    proxy.refuse(false);
    await restarted;
    expect(await phaseOf(id)).to.be.oneOf([
      'connecting',
      'degraded',
      'phone-fallback-active',
      'phone-connected',
    ]);
    await gateway.viewWhen(id, 'both phones talk', ({ phase }) => phase === 'phone-connected', 20_000);
    const calls = await gateway.sql<{ kind: string }>(
      `SELECT kind FROM legs WHERE session_id = $1 AND kind = 'citizen-phone'`,
      [id],
    );
    expect(calls).to.have.length(1);
  });
});
