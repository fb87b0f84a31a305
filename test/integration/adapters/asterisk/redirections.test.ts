import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { AsteriskDriver } from '../../../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { phoneDialOrder } from '../../../../control-plane/src/adapters/asterisk/dial-order.ts';
import { outgoingEndpoint } from '../../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import type { LegId } from '../../../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import type { PbxEvent } from '../../../../control-plane/src/ports/pbx-driver.ts';
import { eventually } from '../../../e2e/support/eventually.ts';
import { ariRequest, channelsOf, untilNoChannels } from '../../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { openUdpPeer, type SipPeer } from '../../../support/sip-peer.ts';

const NUMBER = PhoneNumber.parse('+919876543210')!;
const SESSION = '0199a1b2-0000-7000-8000-0000000000';
const APP = 'hamrahi';

/** A carrier, or whoever passes for it, answers 302: it may choose nothing at our cost. */
describe('adapters/asterisk: a carrier that sends us elsewhere', function () {
  this.timeout(30_000);
  let engine: GatewayEngine & { readonly runDir: string };
  let rogue: SipPeer;
  /** Whom it would like to have called, and another carrier. */
  let other: SipPeer;
  let trunk: Trunk;
  let legs = 0;
  const stops: (() => unknown)[] = [];

  before(async () => {
    const gateway = { host: '127.0.0.1', port: 9 };
    rogue = await openUdpPeer('127.0.3.1', gateway);
    other = await openUdpPeer('127.0.3.2', gateway);
    stops.push(
      () => rogue.close(),
      () => other.close(),
    );
    const trunkAt = (name: string, { host, port }: SipPeer): Trunk => {
      const base = sandboxTrunk(port);
      const sip = { ...base.sip, optionsIntervalSeconds: 0 };
      return { ...base, name, sip, hosts: [{ address: host, port, priority: 1 }], sources: [host] };
    };
    trunk = trunkAt('rogue', rogue);
    engine = await startTestEngine({ trunks: [trunk, trunkAt('other', other)], verboseLog: false });
    stops.push(() => engine.stop());
    gateway.port = engine.sipPort;
    other.answer = ({ cseq }) => (cseq.method === 'INVITE' ? ['180 Ringing', '200 OK'] : []);
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const contacts = (): Readonly<Record<string, string>> => {
    const address = `127.0.3.2:${other.port}`;
    const escaped = encodeURIComponent(`sip:+919812300000@${address}`);
    return {
      'a number at another host': `sip:+919812300000@${address}`,
      'a number of its own': `sip:+919812300000@127.0.3.1:${rogue.port}`,
      'another trunk': `sip:PJSIP%2Fother%2F${escaped}@127.0.3.1:${rogue.port}`,
      'the same trunk, by the name that we dial': `sip:PJSIP%2F%40dial%40rogue.out%2F${escaped}@127.0.3.1:${rogue.port}`,
      'whoever waits to be commanded': `sip:Local%2F${APP}%40answered-phone@127.0.3.1:${rogue.port}`,
    };
  };
  const sendOn = (contact: string): void => {
    rogue.answer = ({ cseq }) => (cseq.method === 'INVITE' ? [`302 Moved\r\nContact: <${contact}>`] : []);
  };
  const nextLeg = (): LegId => `${SESSION}${String((legs += 1)).padStart(2, '0')}.citizen-phone.1` as LegId;
  /** INVITEs that arrived anywhere. */
  const invites = (): number =>
    [rogue, other].flatMap(({ requests }) => requests).filter(({ cseq }) => cseq.method === 'INVITE').length;
  const refusedByEngine = (): number =>
    readFileSync(join(engine.runDir, 'log/full'), 'utf8').split("endpoint 'rogue.out' was not found").length -
    1;

  for (const what of [
    'a number at another host',
    'a number of its own',
    'another trunk',
    'the same trunk, by the name that we dial',
    'whoever waits to be commanded',
  ]) {
    it(`TEL-7: dials nothing while nobody commands: ${what}`, async () => {
      sendOn(contacts()[what]!);
      const order = phoneDialOrder(
        { legId: nextLeg(), number: NUMBER, trunk: trunk.name, ringTimeoutMs: 10_000 },
        trunk,
        outgoingEndpoint(trunk.name),
        APP,
      );
      if (!order.ok) throw new Error(order.code);
      const [before, refused] = [invites(), refusedByEngine()];
      const { channelId, ...parameters } = order.value;
      const { status } = await ariRequest(engine, 'POST', `/channels/${channelId}`, parameters);
      expect(status).to.equal(200);
      await eventually('the engine refuses itself', () => (refusedByEngine() > refused ? true : null), 3_000);
      await untilNoChannels(engine);
      expect(invites() - before, 'our own alone').to.equal(1);
    });
  }

  let commander: AsteriskDriver | null = null;
  stops.push(() => commander?.stop());
  /** One after the other: two would take the application from each other whenever the engine restarts. */
  const command = async () => {
    await commander?.stop();
    const log = keptLog();
    const events: PbxEvent[] = [];
    const { user, password } = engine.settings.ari;
    const driver = new AsteriskDriver({
      ...{ url: `${engine.httpUrl}/ari`, user, password, app: APP, trunks: new Map([[trunk.name, trunk]]) },
      endpointFields: () => ({ aor: [], endpoint: [] }),
      ...{ clock: systemClock(), log, metrics: silentMetrics },
    });
    driver.onEvent((event) => events.push(event));
    commander = driver;
    await driver.start(15_000);
    return { driver, events, log };
  };

  it('TEL-7: the leg ends with 302, and nothing else is dialled, while we command', async () => {
    const { driver, events, log } = await command();
    expect(log.lines.join('\n')).to.not.include('is older');
    for (const [what, contact] of Object.entries(contacts())) {
      sendOn(contact);
      const legId = nextLeg();
      const before = invites();
      const dialled = await driver.dialPhone({
        legId,
        number: NUMBER,
        trunk: trunk.name,
        ringTimeoutMs: 10_000,
      });
      expect(dialled, what).to.include({ ok: true });
      const ended = await eventually(
        'the end of the leg',
        () => events.find((event) => event.type === 'leg.ended' && event.legId === legId) ?? null,
        3_000,
      );
      expect(ended, what).to.include({ outcome: 'unreachable', sipStatus: 302 });
      await delay(100);
      expect(invites() - before, what).to.equal(1);
      expect(await channelsOf(engine), what).to.deep.equal([]);
    }
    expect(events.filter(({ type }) => type === 'call.unexpected')).to.deep.equal([]);
  });

  it('TEL-7: calls go on where the engine’s pjsip.conf is older, and it is said', async () => {
    const file = join(engine.runDir, 'etc/pjsip.conf');
    const sections = readFileSync(file, 'utf8').split(/^(?=\[)/m);
    writeFileSync(file, sections.filter((section) => !section.startsWith('[dial@')).join(''));
    await engine.restart();
    rogue.answer = ({ cseq }) => (cseq.method === 'INVITE' ? ['180 Ringing'] : ['200 OK']);
    const { driver, events, log } = await command();
    expect(log.lines.filter((line) => line.includes('is older'))).to.have.length(1);
    const legId = nextLeg();
    const order = { legId, number: NUMBER, trunk: trunk.name, ringTimeoutMs: 10_000 };
    expect(await driver.dialPhone(order)).to.include({ ok: true });
    const isRinging = (event: PbxEvent): boolean => event.type === 'leg.ringing' && event.legId === legId;
    await eventually('it rings', () => (events.some(isRinging) ? true : null), 3_000);
    await driver.hangup(legId, 'normal');
  });
});
