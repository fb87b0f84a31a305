import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { AsteriskDriver } from '../../../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { RegistrationPoller } from '../../../../control-plane/src/adapters/asterisk/registration-poller.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { eventually } from '../../../e2e/support/eventually.ts';
import { openRegistrar, type SipRegistrar } from '../../../support/digest-registrar.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { memorySecrets } from '../../../support/memory-secrets.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { headerOf } from '../../../support/sip-peer.ts';
import { trunkList } from '../../../support/trunk-list.ts';

const PASSWORD = 'p;ss "wörd"';
/** What a carrier calls an account, and how that stands in a URI (RFC 3261 §25.1). */
const NAMES = {
  plus: ['+911140000100', '+911140000100'],
  address: ['911140000100@ims.carrier.invalid', '911140000100%40ims.carrier.invalid'],
  semicolon: ['line;phone-context=trunk', 'line;phone-context=trunk'],
  question: ['who?subject=x', 'who?subject=x'],
  space: ['Control Room 1', 'Control%20Room%201'],
  odd: ["a&b,c$d(e)!*'~:#", "a&b,c$d(e)!*'~%3a%23"],
} as const;

describe('adapters/asterisk/trunk-account, on a real Asterisk: user names of every kind', function () {
  this.timeout(30_000);
  let engine: GatewayEngine;
  const registrars = new Map<string, SipRegistrar>();
  const stops: (() => unknown)[] = [];
  const log = keptLog();
  let newDriver: () => Promise<AsteriskDriver>;
  let driver: AsteriskDriver;
  let trunks: readonly Trunk[];

  before(async () => {
    const entries = Object.entries(NAMES);
    // a registrar answers to where the gateway's requests come from; that is known later
    const gateway = { host: '127.0.0.1', port: 9 };
    const secrets = memorySecrets();
    for (const [index, [name, [username]]] of entries.entries()) {
      const account = { username, password: PASSWORD };
      const registrar = await openRegistrar({ host: `127.0.2.${index + 1}`, account, gateway });
      registrars.set(name, registrar);
      stops.push(() => registrar.close());
      secrets.set(`trunks/${name}/password`, PASSWORD);
    }
    trunks = entries.map(([name, [username]]): Trunk => {
      const { host, port } = registrars.get(name)!;
      const base = sandboxTrunk(port);
      return {
        ...{ ...base, name, hosts: [{ address: host, port, priority: 10 }], sources: [host] },
        sip: { ...base.sip, optionsIntervalSeconds: 0 },
        auth: {
          ...{ kind: 'registration', username, secret: `trunks/${name}/password` },
          ...{ registrar: `${host}:${port}`, domain: 'ims.invalid', expirySeconds: 300 },
        },
      };
    });
    engine = await startTestEngine({ trunks });
    stops.push(() => engine.stop());
    gateway.port = engine.sipPort;
    const { book } = await trunkList(trunks);
    newDriver = async () => {
      const one = new AsteriskDriver({
        ...{ url: `${engine.httpUrl}/ari`, user: engine.settings.ari.user, app: 'hamrahi' },
        ...{ password: engine.settings.ari.password, trunks: book, accounts: { trunks: book, secrets } },
        endpointFields: () => ({ aor: [], endpoint: [] }),
        ...{ clock: systemClock(), log, metrics: silentMetrics },
      });
      stops.push(() => one.stop());
      await one.start(5_000);
      return one;
    };
    driver = await newDriver();
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  for (const [name, [username, escaped]] of Object.entries(NAMES))
    it(`TEL-9: registers as ${username}`, async () => {
      const { request } = await registrars.get(name)!.until(({ accepted }) => accepted, 3_000);
      for (const header of ['from', 'to'])
        expect(headerOf(request, header), header).to.include(`<sip:${escaped}@ims.invalid>`);
      expect(headerOf(request, 'contact'))
        .to.match(/^<sip:[^@<>" ]+@127\.0\.0\.1:\d+/)
        .and.include(`<sip:${escaped}@`);
    });

  it('TEL-8: hears of each that it stands', async () => {
    const { user, password } = engine.settings.ari;
    const standing = new Set<string>();
    const poller = new RegistrationPoller({
      ...{ url: engine.httpUrl, user, password, trunks: () => trunks, everyMs: 200 },
      told: (name, isRegistered) => {
        if (isRegistered === true) standing.add(name);
      },
      ...{ clock: systemClock(), log, metrics: silentMetrics },
    });
    stops.push(() => poller.stop());
    poller.start();
    await eventually('all registered', () => (standing.size === trunks.length ? true : null), 5_000);
  });

  it('leaves them all as they are when another process takes over', async () => {
    const before = [...registrars.values()].map(({ seen }) => seen.length);
    await driver.stop();
    await newDriver();
    // a registration that is put again registers after a second
    await delay(1_300);
    expect([...registrars.values()].map(({ seen }) => seen.length)).to.deep.equal(before);
    expect(log.lines.join('\n')).to.not.include('wörd');
  });
});
