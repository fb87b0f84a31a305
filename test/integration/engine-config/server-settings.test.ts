import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import {
  asteriskDirectories,
  prepareAsteriskDirectories,
} from '../../../control-plane/sandbox/asterisk-directories.ts';
import { startAsterisk } from '../../../control-plane/sandbox/asterisk-process.ts';
import { reservePort, reservePortRange } from '../../../control-plane/sandbox/free-ports.ts';
import type {
  GatewaySettings,
  SipTransportSettings,
} from '../../../control-plane/src/adapters/engine-config/gateway-settings.ts';
import { loadTrunks } from '../../../control-plane/src/adapters/engine-config/load-trunks.ts';
import { renderGatewayConfig } from '../../../control-plane/src/adapters/engine-config/render-gateway-config.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { GATEWAY_SETTINGS } from '../../support/gateway-settings-sample.ts';
import { trunksDir } from '../../support/gateway-engine.ts';
import { asteriskRootDir, makeRunDir, repositoryTop } from '../../support/sandbox-roots.ts';
import { headerOf, openUdpPeer, type SipPeer } from '../../support/sip-peer.ts';

const PASSWORD = 'p;ss "wörd" \\ {{x}}';

/** Tata's and Exotel's trunks, with the account of a test, beside the sandbox's: UDP, TCP and TLS at once. */
describe('engine-config: a server’s settings with every trunk of the repository', function () {
  this.timeout(30_000);
  const { runDir, remove } = makeRunDir('server');
  const stops: (() => unknown)[] = [remove];
  let carrier: SipPeer;

  before(async () => {
    const root = asteriskRootDir();
    const directories = asteriskDirectories(root, runDir);
    prepareAsteriskDirectories(root, directories);
    const [http, udp, tcp, tls, rtp] = await Promise.all([
      ...Array.from({ length: 4 }, () => reservePort()),
      reservePortRange(100),
    ]);
    for (const reservation of [http, udp, tcp, tls, rtp]) stops.push(() => reservation!.release());
    carrier = await openUdpPeer('127.0.0.2', { host: '127.0.0.1', port: udp!.first });
    stops.push(() => carrier.close());
    carrier.answer = (request) => {
      if (request.cseq.method !== 'REGISTER') return ['200 OK'];
      if (headerOf(request, 'authorization') !== undefined) return ['200 OK'];
      return ['401 Unauthorized\r\nWWW-Authenticate: Digest realm="ims", nonce="n1", algorithm=MD5'];
    };
    const loaded = loadTrunks(trunksDir, ['sandbox', 'tata', 'exotel'], accounts(carrier.port));
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const settings: GatewaySettings = {
      ...GATEWAY_SETTINGS,
      directories,
      runAs: null,
      http: { ...GATEWAY_SETTINGS.http, port: http.first },
      sip: {
        ...GATEWAY_SETTINGS.sip,
        webrtcMediaAddress: '127.0.0.1',
        webrtcExternalMediaAddress: '203.0.113.1',
        localNetworks: ['127.0.0.0/8', 'fd00::/8'],
        transports: [
          transport('trunk-udp', 'udp', udp!.first),
          transport('trunk-tcp', 'tcp', tcp!.first),
          { ...transport('trunk-tls', 'tls', tls!.first), tls: await certificate(directories.etc) },
        ],
      },
      rtp: { ...GATEWAY_SETTINGS.rtp, first: rtp!.first, last: rtp!.last },
      trunks: loaded.trunks.map(({ trunk }) => trunk),
    };
    const rendered = renderGatewayConfig(
      settings,
      (reference) => (reference === 'trunks/tata/password' ? new Secret(PASSWORD) : undefined),
      { templatesDir: join(repositoryTop, 'asterisk'), outputDir: directories.etc },
    );
    expect(rendered.ok, JSON.stringify(rendered)).to.equal(true);
    const ari = { host: '127.0.0.1', port: http.first, user: 'control-plane', password: 'ari-password' };
    const asterisk = await startAsterisk({ root, runDir, name: 'server', ari });
    stops.push(() => asterisk.stop());
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  it('TEL-9 starts without a warning or an error', () => {
    const log = readFileSync(join(runDir, 'log/full'), 'utf8');
    expect(log).to.include('Asterisk 22');
    expect(log).to.not.match(/WARNING|ERROR/);
  });

  it('registers with the carrier, and answers its challenge with the password as the secrets manager has it', async () => {
    const register = await carrier.untilRequest(
      (request) => request.cseq.method === 'REGISTER' && headerOf(request, 'authorization') !== undefined,
    );
    expect(register.start.kind === 'request' && register.start.uri).to.equal(
      `sip:127.0.0.2:${carrier.port};transport=udp`,
    );
    expect(headerOf(register, 'from')).to.include('<sip:04012345678@ims.invalid>');
    expect(headerOf(register, 'expires')).to.equal('300');
    const authorization = headerOf(register, 'authorization') ?? '';
    const field = (name: string): string => new RegExp(`${name}="?([^",]*)`).exec(authorization)?.[1] ?? '';
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    expect(field('response')).to.equal(
      md5(`${md5(`04012345678:ims:${PASSWORD}`)}:n1:${md5(`REGISTER:${field('uri')}`)}`),
    );
  });
});

function accounts(carrierPort: number): Record<string, Record<string, unknown>> {
  const host = { address: '127.0.0.2', port: carrierPort, priority: 10 };
  const callerId = { default: '+914012345678', owned: ['+914012345678'], fromDomain: 'customer.invalid' };
  const registrar = `127.0.0.2:${carrierPort}`;
  const auth = { username: '04012345678', registrar, domain: 'ims.invalid' };
  return {
    sandbox: { hosts: [{ ...host, port: 9 }], sources: ['127.0.0.4'], sip: { optionsIntervalSeconds: 0 } },
    tata: { hosts: [host], sources: ['127.0.0.2'], callerId, auth },
    exotel: {
      hosts: [{ ...host, port: 9 }],
      sources: ['127.0.0.5'],
      callerId,
      sip: { optionsIntervalSeconds: 0 },
    },
  };
}

function transport(
  name: string,
  protocol: SipTransportSettings['protocol'],
  port: number,
): SipTransportSettings {
  const external = '203.0.113.1';
  return {
    name,
    protocol,
    address: '127.0.0.1',
    port,
    externalMediaAddress: external,
    externalSignalingAddress: external,
    externalSignalingPort: null,
    tls: null,
  };
}

async function certificate(folder: string): Promise<NonNullable<SipTransportSettings['tls']>> {
  const made = await generate([{ name: 'commonName', value: 'gateway.invalid' }]);
  const certificateFile = join(folder, 'sip.pem');
  const keyFile = join(folder, 'sip.key');
  writeFileSync(certificateFile, made.cert);
  writeFileSync(keyFile, made.private, { mode: 0o600 });
  return { certificateFile, keyFile, caFile: certificateFile, verifyServer: true };
}
