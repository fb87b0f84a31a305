import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { readGatewaySettings } from '../../../../control-plane/src/adapters/engine-config/gateway-settings-file.ts';
import { problemText } from '../../../../control-plane/src/domain/trunk/trunk-problem.ts';
import { GATEWAY_SETTINGS } from '../../../support/gateway-settings-sample.ts';
import { schemaMistakes } from '../../../support/schema-mistakes.ts';
import { blockLineOf } from '../../../support/yaml-lines.ts';

const FILE = resolve(import.meta.dirname, '../../../../asterisk/gateway-settings.schema.json');
const SCHEMA = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>;

const { trunks: _, ari, sip, ...rest } = GATEWAY_SETTINGS;
const [udp] = sip.transports;
/** Among the sources permitted below. */
const RELAY = '192.0.2.1';
/** Every field filled in. */
const FULL = {
  ...rest,
  ari: { user: ari.user, app: ari.app, permit: ari.permit },
  sip: {
    ...sip,
    webrtcExternalMediaAddress: '203.0.113.5',
    transports: [
      {
        ...{ ...udp, protocol: 'tls', externalMediaAddress: '203.0.113.5' },
        ...{ externalSignalingAddress: '203.0.113.5', externalSignalingPort: 5061 },
        tls: {
          certificateFile: '/etc/a.pem',
          keyFile: '/etc/a.key',
          caFile: '/etc/ca.pem',
          verifyServer: true,
        },
      },
    ],
    localNetworks: ['10.0.0.0/8'],
    permittedSources: [RELAY],
  },
  rtp: {
    ...rest.rtp,
    stunServer: 'stun.example:3478',
    iceHostCandidates: [{ local: '10.0.0.1', advertised: '203.0.113.5' }],
  },
};
const block = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
const problemsOf = (text: string): readonly string[] => {
  const read = readGatewaySettings('settings.yml', text, RELAY);
  return read.ok ? [] : read.problems.map(problemText);
};

describe('adapters/engine-config/gateway-settings-file', () => {
  it('reads YAML and JSON alike, and the word trunks for the permitted sources', () => {
    const byTrunks = { ...FULL, sip: { ...FULL.sip, permittedSources: 'trunks' } };
    for (const settings of [FULL, byTrunks])
      for (const text of [block(settings), JSON.stringify(settings, null, 2)])
        expect(readGatewaySettings('settings.yml', text, RELAY)).to.deep.equal({ ok: true, settings });
  });

  it('TEL-9: takes the example as it stands', () => {
    const example = resolve(FILE, '../gateway-settings.example.yml');
    expect(problemsOf(readFileSync(example, 'utf8'))).to.deep.equal([]);
  });

  it('TEL-6: has no place for the ARI password, and does not repeat one that was put there', () => {
    const text = block({ ...FULL, ari: { ...FULL.ari, password: 'hunter2' } });
    expect(problemsOf(text)).to.deep.equal([
      `settings.yml:${blockLineOf(text, ['ari', 'password'])}: ari.password: expected no such field (secrets are named by a reference, and kept in the secrets manager)`,
    ]);
  });

  const mistakes = schemaMistakes(SCHEMA, FULL);
  for (const field of new Set(mistakes.map((one) => one.field))) {
    it(`TEL-9: ${field}: one line with file, line and what is expected`, () => {
      for (const { what, sample } of mistakes.filter((one) => one.field === field)) {
        const text = block(sample);
        const read = readGatewaySettings('settings.yml', text, RELAY);
        const problems = read.ok ? [] : read.problems;
        expect(problems.map(problemText), what).to.have.length(1);
        expect(problems[0]?.path, what).to.equal(field);
        expect(problems[0]?.line, what).to.equal(blockLineOf(text, field.split('.')));
        expect(problems[0]?.expected, what).to.match(/\w/).and.not.include('no such thing!');
      }
    });
  }

  it('TEL-9: permits no network so wide that the list would refuse nobody, and says why', () => {
    for (const wide of ['0.0.0.0/0', '10.0.0.0/8', '::/0', 'fd00::/8']) {
      const text = block({ ...FULL, sip: { ...FULL.sip, permittedSources: [RELAY, wide] } });
      const line = blockLineOf(text, ['sip', 'permittedSources', '1']);
      expect(problemsOf(text), wide).to.deep.equal([
        `settings.yml:${line}: sip.permittedSources.1: expected an address, or a network of at least /16 (IPv4) or /48 (IPv6): whoever is in it is let in as the carrier`,
      ]);
    }
  });

  it('TEL-9: permits no list of sources that would shut out every client, and names the address that it lacks', () => {
    const listed = (...permittedSources: readonly string[]): string =>
      block({ ...FULL, sip: { ...FULL.sip, permittedSources } });
    for (const enough of [[], ['192.0.2.0/24'], ['198.51.100.7', RELAY]])
      expect(problemsOf(listed(...enough)), enough.join()).to.deep.equal([]);
    const text = listed('198.51.100.7');
    expect(problemsOf(text)).to.deep.equal([
      `settings.yml:${blockLineOf(text, ['sip', 'permittedSources'])}: sip.permittedSources: expected the relay among them (HAMRAHI_RELAY_ADDRESS, 192.0.2.1): every client speaks from there`,
    ]);
  });

  it('finds what contradicts each other, and broken YAML', () => {
    const transports = [
      { ...FULL.sip.transports[0], name: 'webrtc' },
      { ...FULL.sip.transports[0], protocol: 'udp' },
    ];
    const wrong = { ...FULL, rtp: { ...FULL.rtp, last: FULL.rtp.first }, sip: { ...FULL.sip, transports } };
    expect(problemsOf(block(wrong)).map((line) => line.replace(/^settings\.yml:\d+: /, ''))).to.have.members([
      'rtp.last: expected more than rtp.first',
      'sip.transports.0.name: expected each name once, and not webrtc',
      'sip.transports.1.tls: expected certificate and key for protocol tls, and null for the others',
    ]);
    expect(problemsOf('a: [')).to.have.length(1);
  });
});
