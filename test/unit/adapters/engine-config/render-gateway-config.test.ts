import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { outgoingEndpoint } from '../../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import {
  permittedSourcesOf,
  type GatewaySettings,
} from '../../../../control-plane/src/adapters/engine-config/gateway-settings.ts';
import {
  renderGatewayConfig,
  type GatewayConfigResult,
} from '../../../../control-plane/src/adapters/engine-config/render-gateway-config.ts';
import {
  renderTemplates,
  renderText,
} from '../../../../control-plane/src/adapters/engine-config/render-templates.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { GATEWAY_SETTINGS } from '../../../support/gateway-settings-sample.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const TEMPLATES = resolve(import.meta.dirname, '../../../../asterisk');
const REGISTERED: Trunk = {
  ...PLAIN_TRUNK,
  auth: {
    kind: 'registration',
    username: '04012345678',
    secret: 'trunks/plain/password',
    registrar: '192.0.2.10:5060',
    domain: 'ims.invalid',
    expirySeconds: 300,
  },
};

describe('adapters/engine-config/render-gateway-config', () => {
  let output: string;
  beforeEach(() => {
    output = mkdtempSync(join(tmpdir(), 'hamrahi-config-'));
  });
  afterEach(() => rmSync(output, { recursive: true, force: true }));

  const render = (changes: Partial<GatewaySettings> = {}): GatewayConfigResult =>
    renderGatewayConfig({ ...GATEWAY_SETTINGS, ...changes }, { templatesDir: TEMPLATES, outputDir: output });
  const file = (name: string): string => readFileSync(join(output, name), 'utf8');
  /** The settings of a section, comments and empty lines left out. */
  const section = (name: string, title: string, type: string): string[] =>
    file(name)
      .split(/^(?=\[)/m)
      .filter((part) => part.startsWith(`[${title}]\n`))
      .map((part) =>
        part
          .split('\n')
          .slice(1)
          .filter((line) => line !== '' && !line.startsWith(';')),
      )
      .find((lines) => type === '' || lines.includes(`type=${type}`)) ?? [];

  it('renders every template, repeatably', () => {
    const first = render();
    expect(first.ok, JSON.stringify(first)).to.equal(true);
    const bytes = readdirSync(output).map((name) => file(name));
    expect(readdirSync(output).sort()).to.deep.equal(
      readdirSync(TEMPLATES)
        .filter((name) => name.endsWith('.j2'))
        .map((name) => name.slice(0, -3))
        .sort(),
    );
    render();
    expect(readdirSync(output).map((name) => file(name))).to.deep.equal(bytes);
  });

  it('TEL-6 writes what has the ARI password for its owner alone, and the password nowhere else', () => {
    render({ trunks: [REGISTERED] });
    for (const name of readdirSync(output)) {
      const secret = ['ari.conf', 'prometheus.conf'].includes(name);
      expect(statSync(join(output, name)).mode & 0o777, name).to.equal(secret ? 0o600 : 0o640);
      if (!secret)
        expect(file(name), name)
          .to.not.include('ari-password')
          .and.not.match(/^password=/m);
    }
    expect(section('ari.conf', 'control-plane', 'user')).to.include('password=ari-password');
    expect(section('prometheus.conf', 'general', '')).to.include.members([
      'auth_username=control-plane',
      'auth_password=ari-password',
    ]);
  });

  it('keeps a file private that was not, and replaces it whole', () => {
    writeFileSync(join(output, 'ari.conf'), 'old', { mode: 0o644 });
    render();
    expect(statSync(join(output, 'ari.conf')).mode & 0o777).to.equal(0o600);
    expect(readdirSync(output).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
  });

  it('a trunk by address: aor with OPTIONS, endpoint, identify; no auth', () => {
    render({ trunks: [PLAIN_TRUNK] });
    expect(section('pjsip.conf', 'plain', 'aor')).to.include.members([
      'contact=sip:192.0.2.10:5060\\;transport=udp',
      'qualify_frequency=30',
      'qualify_timeout=3',
    ]);
    expect(section('pjsip.conf', 'plain', 'endpoint')).to.include.members([
      'context=from-trunk',
      'transport=trunk-udp',
      'allow=alaw,ulaw',
      'send_pai=yes',
      'send_connected_line=no',
      'user_eq_phone=no',
    ]);
    expect(section('pjsip.conf', 'plain', 'identify')).to.include('match=192.0.2.10');
    expect(section('pjsip.conf', 'plain', 'auth')).to.deep.equal([]);
    expect(section('pjsip.conf', 'plain', 'registration')).to.deep.equal([]);
  });

  it('a trunk with a password refers to it, and has neither that nor its registration in a file', () => {
    render({ trunks: [REGISTERED] });
    expect(section('pjsip.conf', 'plain', 'endpoint')).to.include('outbound_auth=plain');
    expect(section('pjsip.conf', 'plain', 'auth')).to.deep.equal([]);
    expect(section('pjsip.conf', 'plain', 'registration')).to.deep.equal([]);
    expect(file('pjsip.conf')).to.not.include('04012345678');
    render({ trunks: [{ ...REGISTERED, auth: { ...REGISTERED.auth, secret: null } as Trunk['auth'] }] });
    expect(section('pjsip.conf', 'plain', 'endpoint').join()).to.not.include('outbound_auth');
  });

  it('TEL-2 says anonymous nowhere, and asks for no privacy', () => {
    render({ trunks: [PLAIN_TRUNK, REGISTERED] });
    for (const name of readdirSync(output))
      expect(file(name).replace(/^;.*$/gm, ''), name).to.not.match(/anonymous|privacy/i);
  });

  it('SDES, a second host, IPv6, an outbound proxy and a From domain come through', () => {
    const trunk: Trunk = {
      ...PLAIN_TRUNK,
      hosts: [...PLAIN_TRUNK.hosts, { address: '2001:db8::5', port: 5070, priority: 20 }],
      outboundProxy: '192.0.2.99:5060',
      media: { ...PLAIN_TRUNK.media, encryption: 'sdes' },
      callerId: { ...PLAIN_TRUNK.callerId, fromDomain: 'customer.invalid', identityHeader: 'ppi' },
    };
    render({ trunks: [trunk] });
    expect(section('pjsip.conf', 'plain', 'aor')).to.include(
      'contact=sip:[2001:db8::5]:5070\\;transport=udp',
    );
    expect(section('pjsip.conf', 'plain', 'endpoint')).to.include.members([
      'outbound_proxy=sip:192.0.2.99:5060\\;lr\\;transport=udp',
      'media_encryption=sdes',
      'from_domain=customer.invalid',
      'send_pai=no',
    ]);
  });

  it('transports: IPv4 and IPv6, NAT addresses and local networks, TLS', () => {
    const [udp] = GATEWAY_SETTINGS.sip.transports;
    const tls = {
      certificateFile: '/etc/hamrahi/tls.pem',
      keyFile: '/etc/hamrahi/tls.key',
      caFile: '/etc/ssl/ca.pem',
      verifyServer: true,
    };
    const transports = [
      {
        ...udp!,
        externalMediaAddress: '203.0.113.5',
        externalSignalingAddress: '203.0.113.5',
        externalSignalingPort: 5060,
      },
      { ...udp!, name: 'trunk-udp6', address: '2001:db8::1' },
      { ...udp!, name: 'trunk-tls', protocol: 'tls' as const, port: 5061, tls },
    ];
    const sip = { ...GATEWAY_SETTINGS.sip, transports, localNetworks: ['10.0.0.0/8'] };
    render({ sip });
    expect(section('pjsip.conf', 'trunk-udp', 'transport')).to.include.members([
      'bind=192.0.2.1:5060',
      'external_media_address=203.0.113.5',
      'external_signaling_port=5060',
      'local_net=10.0.0.0/8',
    ]);
    expect(section('pjsip.conf', 'trunk-udp6', 'transport')).to.include('bind=[2001:db8::1]:5060');
    expect(section('pjsip.conf', 'trunk-udp6', 'transport').join()).to.not.include('external_');
    expect(section('pjsip.conf', 'trunk-tls', 'transport')).to.include.members([
      'protocol=tls',
      'cert_file=/etc/hamrahi/tls.pem',
      'verify_server=yes',
    ]);
  });

  it('writes no number’s way into the logs by default: warnings and errors only', () => {
    render();
    expect(section('logger.conf', 'logfiles', '')).to.deep.equal(['full => [plain]warning,error']);
    render({ log: { verbose: true } });
    expect(section('logger.conf', 'logfiles', '')[0]).to.include('verbose');
  });

  it('filters sources only when those of every trunk are known', () => {
    const hosts = [...PLAIN_TRUNK.hosts, { address: 'sbc.carrier.invalid', port: 5060, priority: 20 }];
    const unknown = { ...PLAIN_TRUNK, name: 'other', hosts, sources: [] };
    expect(permittedSourcesOf(['127.0.0.1'], [PLAIN_TRUNK])).to.deep.equal(['127.0.0.1', '192.0.2.10']);
    expect(permittedSourcesOf(['127.0.0.1'], [PLAIN_TRUNK, unknown])).to.deep.equal([]);
    render({ sip: { ...GATEWAY_SETTINGS.sip, permittedSources: ['127.0.0.1', '192.0.2.10'] } });
    expect(section('pjsip.conf', 'permitted-sources', 'acl')).to.include.members([
      'permit=127.0.0.1',
      'permit=192.0.2.10',
    ]);
    render();
    expect(section('pjsip.conf', 'permitted-sources', 'acl')).to.deep.equal([]);
  });

  it('TEL-7: has a second endpoint to dial by, alike but for its address of record', () => {
    render({ trunks: [REGISTERED] });
    const watched = section('pjsip.conf', 'plain', 'endpoint');
    expect(watched).to.include('redirect_method=uri_core');
    expect(section('pjsip.conf', outgoingEndpoint('plain'), 'endpoint')).to.deep.equal(
      watched.filter((line) => line !== 'aors=plain'),
    );
  });

  it('knows the sources of a trunk that leaves them to another one of the same carrier', () => {
    const wide = { ...PLAIN_TRUNK, sources: ['192.0.2.0/28'] };
    const second = { ...PLAIN_TRUNK, name: 'second', transport: 'tcp', sources: [] } as const;
    expect(permittedSourcesOf(['127.0.0.1'], [second, wide])).to.deep.equal(['127.0.0.1', '192.0.2.0/28']);
    expect(permittedSourcesOf(['127.0.0.1'], [second])).to.deep.equal([]);
    expect(permittedSourcesOf(['127.0.0.1'], [PLAIN_TRUNK, { ...second, hosts: [] }])).to.deep.equal([]);
  });

  it('TEL-9: writes no address that is none: a list with one in it would permit everybody', () => {
    const sources = ['192.0.2.10', '10.0.0.0/33'];
    const result = render({
      sip: { ...GATEWAY_SETTINGS.sip, permittedSources: ['abcd', '127.0.0.1'] },
      trunks: [{ ...PLAIN_TRUNK, sources }],
    });
    expect(result.ok ? [] : result.failures).to.deep.equal([
      { code: 'ERR_ENGINE_CONFIG_VALUE', detail: 'sip.permittedSources.0 is no address and no network' },
      { code: 'ERR_ENGINE_CONFIG_VALUE', detail: 'trunk plain: sources.1 is no address and no network' },
    ]);
  });

  it('writes nothing when something is wrong, and says all of it', () => {
    const result = render({
      trunks: [
        { ...REGISTERED, localTransport: 'trunk-tls' },
        { ...PLAIN_TRUNK, name: 'bare', transport: 'tcp' },
      ],
      log: { verbose: true },
      ari: { ...GATEWAY_SETTINGS.ari, user: 'x\n[evil]' },
    });
    expect(result.ok ? [] : result.failures.map(({ code, detail }) => `${code}: ${detail}`)).to.deep.equal([
      'ERR_ENGINE_CONFIG_TRANSPORT_MISSING: trunk plain leaves by "trunk-tls", which is no udp transport of this gateway',
      'ERR_ENGINE_CONFIG_TRANSPORT_MISSING: trunk bare leaves by "trunk-udp", which is no tcp transport of this gateway',
      'ERR_ENGINE_CONFIG_VALUE: ari.user holds a control character',
    ]);
    expect(readdirSync(output)).to.deep.equal([]);
  });

  it('leaves out a trunk whose account is not complete, and says so: the others go on', () => {
    const bare = {
      ...REGISTERED,
      name: 'bare',
      hosts: [],
      auth: { ...REGISTERED.auth, username: '' },
    } as Trunk;
    const nobody = {
      ...PLAIN_TRUNK,
      name: 'mute',
      callerId: { ...PLAIN_TRUNK.callerId, default: null, owned: [] },
    };
    const result = render({ trunks: [bare, PLAIN_TRUNK, nobody] });
    expect(result.ok && result.leftOut).to.deep.equal([
      { trunk: 'bare', missing: ['hosts', 'auth.username'] },
    ]);
    expect(section('pjsip.conf', 'bare', '')).to.deep.equal([]);
    for (const name of ['plain', 'mute'])
      expect(section('pjsip.conf', name, 'endpoint'), name).to.not.deep.equal([]);
  });

  it('leaves every file as it was when the folder does not take them all', () => {
    render();
    const before = readdirSync(output).map((name) => [name, file(name)]);
    rmSync(join(output, 'rtp.conf'));
    mkdirSync(join(output, 'rtp.conf', 'in-the-way'), { recursive: true });
    mkdirSync(join(output, `sorcery.conf.${process.pid}.tmp`));
    const result = render({ trunks: [PLAIN_TRUNK] });
    expect(result.ok ? [] : result.failures.map(({ code }) => code)).to.deep.equal([
      'ERR_ENGINE_CONFIG_WRITE',
    ]);
    rmSync(join(output, `sorcery.conf.${process.pid}.tmp`), { recursive: true });
    const after = readdirSync(output).filter((name) => name !== 'rtp.conf');
    expect(after.map((name) => [name, file(name)])).to.deep.equal(
      before.filter(([name]) => name !== 'rtp.conf'),
    );
  });

  it('an undefined variable is an error, and no file is written', () => {
    const templates = mkdtempSync(join(tmpdir(), 'hamrahi-templates-'));
    writeFileSync(join(templates, 'a.conf.j2'), 'fine\n');
    writeFileSync(join(templates, 'b.conf.j2'), '{{ missing }}\n');
    const result = renderTemplates({
      templatesDir: templates,
      outputDir: output,
      variables: {},
      secretFiles: [],
    });
    rmSync(templates, { recursive: true });
    expect(result).to.include({ ok: false, code: 'ERR_ENGINE_CONFIG_TEMPLATE', file: 'b.conf.j2' });
    expect(readdirSync(output)).to.deep.equal([]);
  });

  it('cuts blocks as Ansible does: the line of a tag at its start leaves nothing behind', () => {
    const text = 'a\n{% if on %}\nb\n{% endif %}\n{% for x in list %}\n{{ x }}\n{% endfor %}\nc\n';
    expect(renderText(text, { on: true, list: [1, 2] })).to.equal('a\nb\n1\n2\nc\n');
    expect(renderText(text, { on: false, list: [] })).to.equal('a\nc\n');
  });
});

describe('asterisk/*.j2: only what nunjucks and Jinja2 render alike', () => {
  const FILTERS = ['length', 'join', 'replace'];
  for (const name of readdirSync(TEMPLATES).filter((one) => one.endsWith('.j2'))) {
    it(name, () => {
      const text = readFileSync(join(TEMPLATES, name), 'utf8');
      for (const [line] of text.matchAll(/^.*\{%.*$/gm)) {
        expect(line).to.match(/^\{% (if|elif|else|endif|for|endfor)\b[^%]* ?%\}$/);
      }
      for (const [, filter] of text.matchAll(/\{[{%][^}]*?\| ?(\w+)/g)) expect(FILTERS).to.include(filter);
      expect(text).to.not.match(
        /\{[{%][^}]*\.(clear|copy|fromkeys|get|items|keys|pop|popitem|update|values)\b/,
      );
      expect(text).to.match(/[^\n]\n$/);
    });
  }
});
