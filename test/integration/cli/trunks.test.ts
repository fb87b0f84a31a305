import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { hamrahi } from '../../support/cli.ts';
import { trunksDir } from '../../support/gateway-engine.ts';
import { GATEWAY_SETTINGS } from '../../support/gateway-settings-sample.ts';
import { SAMPLE_SITE } from '../../support/site-on-loopback.ts';

describe('hamrahi trunks', function () {
  this.timeout(60_000);
  let folder: string;
  const file = (name: string): string => join(folder, name);
  const write = (name: string, text: string): string => {
    writeFileSync(file(name), text);
    return file(name);
  };
  const env = { HAMRAHI_TRUNKS_DIR: trunksDir, HAMRAHI_TRUNKS_SITE_FILE: SAMPLE_SITE };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hamrahi-cli-trunks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe('validate', () => {
    it('TEL-9: finds every trunk of the repository good, and says what an account still has to bring', async () => {
      const { exitCode, output } = await hamrahi(['trunks', 'validate', '--dir', trunksDir]);
      expect(exitCode, output).to.equal(0);
      const lines = output.trimEnd().split('\n');
      expect(lines.map((line) => line.split(':')[0])).to.deep.equal(
        readdirSync(trunksDir)
          .filter((name) => name.endsWith('.yml'))
          .map((name) => name.slice(0, -4))
          .sort(),
      );
      expect(lines).to.include('sandbox: good. It can be used.');
      expect(lines).to.include('vi: good. The account is not complete: hosts, callerId.default.');
    });

    it('takes directory, site and names from the settings of the gateway, and options before them', async () => {
      const named = await hamrahi(['trunks', 'validate'], { ...env, HAMRAHI_TRUNKS: 'vi,tata' });
      expect([named.exitCode, named.output]).to.deep.equal([
        0,
        'vi: good. It can be used.\ntata: good. It can be used.\n',
      ]);
      const other = write('empty.yml', '');
      const over = await hamrahi(['trunks', 'validate', 'bsnl', '--site', other], env);
      expect([over.exitCode, over.output]).to.deep.equal([
        0,
        'bsnl: good. The account is not complete: hosts, callerId.default.\n',
      ]);
    });

    it('TEL-9: ends with 2 and one line for each mistake, of the file that is wrong', async () => {
      for (const name of ['tata', 'vi']) copyFileSync(join(trunksDir, `${name}.yml`), file(`${name}.yml`));
      const tata = readFileSync(file('tata.yml'), 'utf8');
      writeFileSync(file('tata.yml'), tata.replace('channels: 30', 'channels: many'));
      const site = write('site.yaml', 'vi:\n  sources: [here]\n  password: hunter2\n');
      const { exitCode, output } = await hamrahi(['trunks', 'validate', '--dir', folder, '--site', site]);
      const line = tata.slice(0, tata.indexOf('channels:')).split('\n').length;
      expect([exitCode, output]).to.deep.equal([
        2,
        `${file('tata.yml')}:${line}: capacity.channels: expected a whole number from 1 to 10000\n` +
          `${site}:2: vi.sources.0: expected an IPv4 or IPv6 address, or a network as address/prefix\n` +
          `${site}:3: vi.password: expected no such field (secrets are named by a reference, and kept in the secrets manager)\n`,
      ]);
    });

    it('ends with 2 for a trunk, a directory or a site that is not there', async () => {
      const said = async (...args: readonly string[]) => {
        const { exitCode, output } = await hamrahi(['trunks', 'validate', ...args]);
        return [exitCode, output];
      };
      const [trunk, directory, site, option] = await Promise.all([
        said('nobody', '--dir', trunksDir),
        said('--dir', '/nowhere'),
        said('vi', '--dir', trunksDir, '--site', '/nowhere.yml'),
        said('--colour'),
      ]);
      expect(trunk).to.deep.equal([
        2,
        `${join(trunksDir, 'nobody.yml')}: expected a trunk file of this name\n`,
      ]);
      expect(directory).to.deep.equal([2, '/nowhere has no trunk files.\n']);
      expect(site).to.deep.equal([2, '/nowhere.yml: expected a file that can be read\n']);
      expect(option[0]).to.equal(2);
    });
  });

  describe('show', () => {
    it('TEL-9: shows each field with its value, how sure it is and where that is known from', async () => {
      const { exitCode, output } = await hamrahi(['trunks', 'show', 'vi'], env);
      expect(exitCode, output).to.equal(0);
      const lines = output.split('\n');
      expect(lines.slice(0, 3)).to.deep.equal([
        'vi: Vi SIP trunk on a private handoff, authorised by address',
        'It can be used.',
        '',
      ]);
      const fields = (name: string) => lines.find((line) => line.startsWith(`${name} `))?.split(/ {2,}/);
      expect(fields('numbers.from')).to.deep.equal(['numbers.from', 'e164_plus', 'reported', 'SIPAUTO: +91']);
      expect(fields('sources')?.slice(1, 3)).to.deep.equal(['192.0.2.80', 'documented']);
      expect(fields('hosts')?.[2]).to.equal('site');
      expect(fields('hosts')?.[3]).to.match(/trunks-site\.yml:\d+$/);
      expect(lines.at(-2)).to.match(/^Fields: 1 documented, \d+ reported, \d+ assumed, 4 site\.$/);
    });

    it('says why a trunk is not used', async () => {
      const { output } = await hamrahi(['trunks', 'show', 'vi', '--dir', trunksDir]);
      expect(output).to.include('It is not used. The account is not complete: hosts, callerId.default.');
    });

    it('gives the same as JSON', async () => {
      const { output } = await hamrahi(['trunks', 'show', 'airtel', '--json', '--dir', trunksDir]);
      const shown = JSON.parse(output) as {
        trunk: { name: string };
        evidence: object;
        fault: { code: string };
      };
      expect(shown.trunk.name).to.equal('airtel');
      expect(shown.evidence).to.have.deep.property('priority', {
        mark: 'assumed',
        source: "order among the site's trunks",
      });
      expect(shown.fault.code).to.equal('ERR_TRUNK_NOT_PROVISIONED');
    });
  });

  describe('render', () => {
    const { trunks: _, ari, ...rest } = GATEWAY_SETTINGS;
    const [udp] = GATEWAY_SETTINGS.sip.transports;
    const tls = {
      certificateFile: '/etc/a.pem',
      keyFile: '/etc/a.key',
      caFile: '/etc/ca.pem',
      verifyServer: true,
    };
    const settings = {
      ...rest,
      ari: { user: ari.user, app: ari.app, permit: ari.permit },
      sip: {
        ...rest.sip,
        permittedSources: 'trunks',
        transports: [udp, { ...udp, name: 'trunk-tls', protocol: 'tls', port: 5061, tls }],
      },
    };
    const secret = { HAMRAHI_ARI_PASSWORD: 'a-password-of-tests' };
    const render = (args: readonly string[], more: Record<string, string> = secret) =>
      hamrahi(['trunks', 'render', '--settings', file('settings.yml'), '--out', file('out'), ...args], {
        ...env,
        ...more,
      });
    beforeEach(() => void write('settings.yml', stringify(settings)));

    it('TEL-9: writes the configuration of this site’s trunks, with every carrier’s address permitted', async () => {
      const { exitCode, output } = await render([], {
        ...secret,
        HAMRAHI_RELAY_ADDRESS: '10.0.0.7',
        HAMRAHI_TRUNKS: 'vi,exotel',
      });
      expect(exitCode, output).to.equal(0);
      const pjsip = readFileSync(file('out/pjsip.conf'), 'utf8');
      for (const permitted of ['10.0.0.7', '192.0.2.80', '198.51.100.0/28'])
        expect(pjsip).to.include(`\npermit=${permitted}\n`);
      expect(pjsip).to.include('[vi]\ntype=endpoint').and.not.include('[tata]');
      expect(readFileSync(file('out/ari.conf'), 'utf8')).to.include('password=a-password-of-tests');
    });

    it('TEL-9: ends with 2 where a trunk’s sources hold the relay’s address, or the control plane’s', async () => {
      const site = write('site.yaml', 'vi:\n  sources: [10.7.0.0/16]\n');
      const line = `${site}:2: vi.sources.0: expected addresses without the gateway's own: each of its clients would be taken for the carrier\n`;
      const relay = await render(['vi', '--site', site], { ...secret, HAMRAHI_RELAY_ADDRESS: '10.7.0.7' });
      expect([relay.exitCode, relay.output]).to.deep.equal([2, line]);
      write(
        'settings.yml',
        stringify({ ...settings, ari: { ...settings.ari, permit: ['10.7.0.8', '10.0.0.0/8'] } }),
      );
      const control = await render(['vi', '--site', site]);
      expect([control.exitCode, control.output]).to.deep.equal([2, line]);
      expect(readdirSync(folder)).to.not.include('out');
    });

    it('leaves out a trunk whose account is not complete, and says so', async () => {
      const site = write('site.yaml', '');
      const { exitCode, output } = await render(['sandbox', 'vi', '--site', site]);
      expect(exitCode).to.equal(0);
      expect(output)
        .to.include('vi is left out: its account lacks hosts.\n')
        .and.match(/ files, 1 trunks\.\n/);
    });

    it('TEL-6: asks for the password where the gateway has it, and nowhere else', async () => {
      const { exitCode, output } = await render(['vi'], {});
      expect([exitCode, output]).to.deep.equal([
        2,
        'Set HAMRAHI_ARI_PASSWORD (or HAMRAHI_ARI_PASSWORD_FILE).\n',
      ]);
      const byFile = await render(['vi'], {
        HAMRAHI_ARI_PASSWORD_FILE: write('password', 'a-password-of-tests\n'),
      });
      expect(byFile.exitCode, byFile.output).to.equal(0);
    });

    it('TEL-9: ends with 2 and writes nothing when settings, trunks or what joins them are wrong', async () => {
      const refused = async (
        text: string,
        expected: RegExp,
        names: readonly string[] = ['vi'],
      ): Promise<void> => {
        write('settings.yml', text);
        const { exitCode, output } = await render(names);
        expect(exitCode, output).to.equal(2);
        expect(output).to.match(expected);
        expect(readdirSync(folder), output).to.not.include('out');
      };
      const good = stringify(settings);
      await refused(
        good.replace('maxCalls: 500', 'maxCalls: many'),
        /settings\.yml:\d+: limits\.maxCalls: expected a whole number/,
      );
      await refused(`${good}colour: red\n`, /settings\.yml:\d+: colour: expected no such field\n$/);
      await refused('a: [', /settings\.yml:1: expected valid YAML/);
      await refused(good, /nobody\.yml: expected a trunk file of this name\n$/, ['vi', 'nobody']);
      const tlsOnly = stringify({
        ...settings,
        sip: { ...settings.sip, transports: [settings.sip.transports[1]] },
      });
      await refused(tlsOnly, /^ERR_ENGINE_CONFIG_TRANSPORT_MISSING: trunk vi leaves by "trunk-udp".*\n$/);
      rmSync(file('settings.yml'));
      const { exitCode, output } = await render(['vi']);
      expect([exitCode, output]).to.deep.equal([
        2,
        `${file('settings.yml')}: expected a file that can be read\n`,
      ]);
    });

    it('ends with 1 when the folder does not take the files', async () => {
      write('out', 'a file');
      const { exitCode, output } = await render(['vi']);
      expect([exitCode, output.split(':')[0]]).to.deep.equal([1, 'ERR_ENGINE_CONFIG_WRITE']);
      expect(readFileSync(file('out'), 'utf8')).to.equal('a file');
    });
  });
});
