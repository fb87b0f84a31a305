import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { stringify } from 'yaml';
import {
  asteriskDirectories,
  prepareAsteriskDirectories,
} from '../../../control-plane/sandbox/asterisk-directories.ts';
import { startAsterisk } from '../../../control-plane/sandbox/asterisk-process.ts';
import { reservePort, reservePortRange } from '../../../control-plane/sandbox/free-ports.ts';
import { AsteriskDriver } from '../../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { outgoingEndpoint } from '../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import { systemClock } from '../../../control-plane/src/adapters/clock/system-clock.ts';
import { loadTrunks } from '../../../control-plane/src/adapters/engine-config/load-trunks.ts';
import { webrtcEndpointFields } from '../../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';
import type { AddressOfRecord } from '../../../control-plane/src/domain/ids.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { secretOf } from '../../../control-plane/src/domain/trunk/trunk.ts';
import { asteriskCli } from '../../support/asterisk-cli.ts';
import { hamrahi } from '../../support/cli.ts';
import { trunksDir } from '../../support/gateway-engine.ts';
import { GATEWAY_SETTINGS } from '../../support/gateway-settings-sample.ts';
import { keptLog } from '../../support/kept-log.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';
import { headerOf, openWebSocketPeer, startLine } from '../../support/sip-peer.ts';
import { openRegistrar, type SipRegistrar } from '../../support/digest-registrar.ts';
import { writeSiteOnLoopback } from '../../support/site-on-loopback.ts';
import { trunkList } from '../../support/trunk-list.ts';

const CARRIERS = ['tata', 'exotel', 'airtel', 'jio', 'vi', 'bsnl'];
/** Who of them registers, by the user name of the invented site. */
const REGISTERING = { tata: '01140000200', airtel: '+911140000220', jio: '+911140000230' } as const;
const CLIENT = 'citizen-c1-d1';
const ARI_PASSWORD = 'ari;pass "wörd" \\ {{x}}';
const passwordOf = (name: string): string => `of ${name}; "wörd" \\ {{x}}`;

/** From the repository, a file of settings, a site's accounts and the secrets: nothing else, and no step by hand. */
describe('a new environment: every carrier of the repository on a real Asterisk', function () {
  this.timeout(40_000);
  const { runDir, remove } = makeRunDir('server');
  const stops: (() => unknown)[] = [remove];
  const root = asteriskRootDir();
  const directories = asteriskDirectories(root, runDir);
  const site = join(runDir, 'site.yml');
  const settingsFile = join(runDir, 'settings.yml');
  const registrars = new Map<string, SipRegistrar>();
  const log = keptLog();
  const secrets = memorySecrets();
  let httpPort: number;
  let ari: (path: string) => Promise<unknown>;

  const render = (...args: readonly string[]) =>
    hamrahi(
      [
        ...['trunks', 'render', ...CARRIERS, '--dir', trunksDir, '--site', site, '--settings', settingsFile],
        ...['--out', directories.etc, ...args],
      ],
      { HAMRAHI_ARI_PASSWORD: ARI_PASSWORD, LANG: 'C.UTF-8' },
    );

  before(async () => {
    prepareAsteriskDirectories(root, directories);
    const ports = await Promise.all(Array.from({ length: 4 }, () => reservePort()));
    const rtp = await reservePortRange(100);
    for (const reservation of [...ports, rtp]) stops.push(() => reservation.release());
    const [http, udp, tcp, tls] = ports.map(({ first }) => first) as [number, number, number, number];
    httpPort = http;
    const gateway = { host: '127.0.0.1', port: udp };
    for (const [index, name] of CARRIERS.entries()) {
      const username = new Map<string, string>(Object.entries(REGISTERING)).get(name);
      const account = username && name !== 'jio' ? { username, password: passwordOf(name) } : null;
      const registrar = await openRegistrar({ host: `127.0.1.${index + 1}`, gateway, account });
      registrars.set(name, registrar);
      secrets.set(`trunks/${name}/password`, passwordOf(name));
      stops.push(() => registrar.close());
    }
    writeSiteOnLoopback(site, Object.fromEntries(registrars));
    mkdirSync(join(runDir, 'tls'));
    const { trunks: _, ari: ariSettings, sip, ...rest } = GATEWAY_SETTINGS;
    const settings = {
      ...rest,
      directories,
      runAs: null,
      http: { ...GATEWAY_SETTINGS.http, port: http },
      ari: { user: ariSettings.user, app: 'hamrahi', permit: ['127.0.0.1'] },
      sip: {
        ...sip,
        ...{ webrtcMediaAddress: '127.0.0.1', webrtcExternalMediaAddress: '203.0.113.1' },
        localNetworks: ['127.0.0.0/8', 'fd00::/8'],
        permittedSources: 'trunks',
        transports: [
          transport('trunk-udp', 'udp', udp),
          transport('trunk-tcp', 'tcp', tcp),
          { ...transport('trunk-tls', 'tls', tls), tls: await certificate(join(runDir, 'tls')) },
        ],
      },
      rtp: { ...rest.rtp, first: rtp.first, last: rtp.last },
    };
    writeFileSync(settingsFile, stringify(settings));
    const rendered = await render();
    expect(rendered.exitCode, rendered.output).to.equal(0);
    expect(rendered.output).to.match(/: \d+ files, 6 trunks\.\n$/);
    const user = ariSettings.user;
    const asterisk = await startAsterisk({
      ...{ root, runDir, name: 'server' },
      ari: { host: '127.0.0.1', port: http, user, password: ARI_PASSWORD },
    });
    stops.push(() => asterisk.stop());
    ari = async (path) => {
      const authorization = `Basic ${Buffer.from(`${user}:${ARI_PASSWORD}`).toString('base64')}`;
      const response = await fetch(`http://127.0.0.1:${http}/ari${path}`, { headers: { authorization } });
      return response.json();
    };
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  it('TEL-9: starts without a warning or an error', () => {
    const text = readFileSync(join(runDir, 'log/full'), 'utf8');
    expect(text).to.include('Asterisk 22');
    expect(text).to.not.match(/WARNING|ERROR/);
  });

  it('TEL-1, TEL-9: every carrier’s endpoint is there', async () => {
    const endpoints = (await ari('/endpoints/PJSIP')) as { resource: string }[];
    const expected = CARRIERS.flatMap((name) => [name, outgoingEndpoint(name)]);
    expect(endpoints.map(({ resource }) => resource).sort()).to.deep.equal(expected.sort());
  });

  it('TEL-6: no password of a trunk is in a file; what has the ARI password is its owner’s alone', () => {
    for (const name of readdirSync(directories.etc)) {
      const file = join(directories.etc, name);
      expect(readFileSync(file, 'utf8'), name).to.not.match(/of (tata|airtel|bsnl)/);
      const isSecret = ['ari.conf', 'prometheus.conf'].includes(name);
      expect(statSync(file).mode & 0o777, name).to.equal(isSecret ? 0o600 : 0o640);
    }
  });

  it('TEL-9: every carrier that wants it sees a REGISTER within 2 s of the attachment, with the password of the secrets manager', async () => {
    const loaded = loadTrunks(trunksDir, CARRIERS, site);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const trunks = loaded.trunks.map(({ trunk }) => trunk);
    const { book } = await trunkList(trunks);
    const driver = new AsteriskDriver({
      ...{ url: `http://127.0.0.1:${httpPort}/ari`, user: GATEWAY_SETTINGS.ari.user },
      ...{
        password: new Secret(ARI_PASSWORD),
        app: 'hamrahi',
        trunks: book,
        accounts: { trunks: book, secrets },
      },
      endpointFields: (aor) => webrtcEndpointFields({ aor, permit: ['127.0.0.1'] }),
      ...{ clock: systemClock(), log, metrics: silentMetrics },
    });
    stops.push(() => driver.stop());
    await driver.start(5_000);
    expect(await driver.provisionEndpoint(CLIENT as AddressOfRecord)).to.include({ ok: true });
    for (const [name, username] of Object.entries(REGISTERING)) {
      const { request } = await registrars.get(name)!.until(({ accepted }) => accepted, 2_000);
      expect(headerOf(request, 'from'), name).to.include(`<sip:${username}@`);
      expect(headerOf(request, 'expires'), name).to.equal(name === 'tata' ? '300' : '1800');
    }
    for (const name of ['exotel', 'vi', 'bsnl']) expect(registrars.get(name)!.seen, name).to.have.length(0);
    const shown = await asteriskCli(runDir, 'pjsip show registrations');
    for (const name of Object.keys(REGISTERING))
      expect(shown, name).to.match(new RegExp(`^ ${name}\\.a/.*Registered`, 'm'));
    const auths = await asteriskCli(runDir, 'pjsip show auths');
    for (const trunk of trunks.filter((one) => secretOf(one) !== null))
      expect(auths).to.include(` ${trunk.name}/`);
    expect(log.lines.join('\n')).to.not.include('wörd');
  });

  it('TEL-9: a change of a trunk is rendered and reloaded without a restart; clients’ endpoints stay', async () => {
    const before = await asteriskCli(runDir, 'pjsip show endpoint vi');
    expect(before).to.match(/allow +: \(alaw\|ulaw\)/);
    writeFileSync(
      site,
      readFileSync(site, 'utf8').replace(/^vi:\n/m, 'vi:\n  sip: { optionsIntervalSeconds: 7 }\n'),
    );
    writeFileSync(
      site,
      readFileSync(site, 'utf8').replace(
        /media: \{ addresses: \[ 192.0.2.88\/29 \] \}/,
        'media: { codecs: [ulaw] }',
      ),
    );
    expect((await render()).exitCode).to.equal(0);
    await asteriskCli(runDir, 'module reload res_pjsip.so');
    await asteriskCli(runDir, 'module reload res_pjsip_endpoint_identifier_ip.so');
    const after = await asteriskCli(runDir, 'pjsip show endpoint vi');
    expect(after).to.match(/allow +: \(ulaw\)/);
    expect(await asteriskCli(runDir, 'pjsip show aor vi')).to.match(/qualify_frequency +: 7/);
    expect(await asteriskCli(runDir, 'pjsip show registrations'), 'accounts stay').to.match(
      / tata\.a.*Registered/,
    );
    const peer = await openWebSocketPeer(`ws://127.0.0.1:${httpPort}/ws`);
    stops.push(() => peer.close());
    const address = `sip:${CLIENT}@127.0.0.1`;
    const answer = await peer.request({
      method: 'REGISTER',
      requestUri: 'sip:127.0.0.1',
      from: address,
      to: address,
    });
    expect(startLine(answer), 'a client registers as before').to.equal('200');
  });

  it('TEL-9: nothing is written when the site’s file is wrong, and each mistake is one line', async () => {
    const before = readdirSync(directories.etc).map((name) =>
      readFileSync(join(directories.etc, name), 'utf8'),
    );
    writeFileSync(site, readFileSync(site, 'utf8').replace('trunks/bsnl/password', 'hunter2'));
    const { exitCode, output } = await render();
    expect(exitCode).to.equal(2);
    expect(output).to.match(/^\S+site\.yml:\d+: bsnl\.auth\.secret: expected a reference like .*\n$/);
    const after = readdirSync(directories.etc).map((name) =>
      readFileSync(join(directories.etc, name), 'utf8'),
    );
    expect(after).to.deep.equal(before);
  });
});

function transport(name: string, protocol: 'udp' | 'tcp' | 'tls', port: number) {
  const external = '203.0.113.1';
  return {
    ...{ name, protocol, address: '127.0.0.1', port, tls: null },
    ...{ externalMediaAddress: external, externalSignalingAddress: external, externalSignalingPort: null },
  };
}

async function certificate(folder: string) {
  const made = await generate([{ name: 'commonName', value: 'gateway.invalid' }]);
  const certificateFile = join(folder, 'sip.pem');
  const keyFile = join(folder, 'sip.key');
  writeFileSync(certificateFile, made.cert);
  writeFileSync(keyFile, made.private, { mode: 0o600 });
  return { certificateFile, keyFile, caFile: certificateFile, verifyServer: true };
}
