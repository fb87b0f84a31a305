/** The synthetic SOS as whoever is on call runs it: the command line, against a whole gateway. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { NOWHERE } from '../../control-plane/src/cli/probe/probe-options.ts';
import { runSosProbe } from '../../control-plane/src/cli/probe/sos-run.ts';
import type { ProbeOptions } from '../../control-plane/src/cli/probe/cast.ts';
import { hamrahi } from '../support/cli.ts';
import { newNumber } from './support/district.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';

const HAMRAHI = resolve(import.meta.dirname, '../../control-plane/src/cli/hamrahi.ts');
const ENDED_MS = 20_000;

interface Listed {
  readonly sessions: readonly { readonly id: string; readonly phase: string; readonly citizenId: string }[];
}

describe('e2e: hamrahi probe', function () {
  this.timeout(90_000);
  const gateway = useGateway({ env: { HAMRAHI_SYNTHETIC_ZONE: 'synthetic' } });
  let files = '';
  const url = () => gateway.file.urls.api;
  const file = (name: string, text: string): string => {
    const path = join(files, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const tokens = () => [
    '--citizen-token-file',
    join(files, 'citizen'),
    '--operator-token-file',
    join(files, 'operator'),
  ];
  const sos = (...args: string[]) => hamrahi(['probe', 'sos', '--url', url(), ...tokens(), ...args]);
  const setup = (...args: string[]) =>
    hamrahi(['probe', 'setup', '--url', url(), '--admin-token-file', join(files, 'admin'), ...args]);
  /** Of the synthetic citizen. */
  const sessions = async () => {
    const { body } = await gateway.send(await gateway.token('operator', 'synthetic'), 'GET', '/v1/sos');
    return (body as unknown as Listed).sessions.filter(({ citizenId }) => citizenId === 'synthetic');
  };
  const inProcess = async (change: Partial<ProbeOptions> = {}): Promise<ProbeOptions> => ({
    url: url(),
    citizenToken: await gateway.token('citizen', 'synthetic'),
    operatorToken: await gateway.token('operator', 'synthetic'),
    name: 'probe',
    zone: 'synthetic',
    place: NOWHERE,
    toneHz: 1300,
    phone: false,
    mediaAddress: null,
    ...change,
  });

  before(async () => {
    files = mkdtempSync(join(tmpdir(), 'hamrahi-probe-'));
    file('admin', gateway.file.tokens.admin.token);
    file('citizen', await gateway.token('citizen', 'synthetic'));
    file('operator', await gateway.token('operator', 'synthetic'));
    // The endpoint of a panel whose shift is over goes a little later.
    gateway.lingers('operator-synthetic-probe');
    const { exitCode, output } = await setup(
      '--citizen-phone',
      newNumber('citizen', '00'),
      '--operator-phone',
      newNumber('operator', '00'),
    );
    expect(exitCode, output).to.equal(0);
    expect(output).to.include('HAMRAHI_SYNTHETIC_ZONE=synthetic').and.to.not.include('+91');
  });
  after(() => rmSync(files, { recursive: true, force: true }));

  it('TEL-8: a good run: her tone at the operator’s end in time, and nothing of it is left', async () => {
    const { exitCode, output } = await sos();
    expect(exitCode, output).to.equal(0);
    const lines = output.trim().split('\n');
    expect(lines.every((line) => line.startsWith('ok') || line.startsWith('probe: all is well'))).to.equal(
      true,
    );
    for (const id of ['RTC-1', 'RTC-2', 'RTC-3', 'RTC-6', 'RTC-9']) expect(output).to.include(id);
    expect(output).to.match(/her tone recognised at the operator's end +[\d.]+ ms of 3000 ms/);
    expect((await sessions()).map(({ phase }) => phase)).to.deep.equal(['resolved']);
  });

  it('TEL-8: no supervisor sees it, and no list has it that does not ask for it', async () => {
    const supervisor = await gateway.panel('chief', { role: 'supervisor' });
    expect((await sos()).output).to.match(/^ok +the SOS is accepted/m);
    expect(supervisor.events.filter(({ event }) => event.data.session.zoneId === 'synthetic')).to.deep.equal(
      [],
    );
    const { token } = gateway.file.tokens.supervisor;
    const listed = async (query: string) => {
      const { body } = await gateway.send(token, 'GET', `/v1/sos${query}`);
      return (body as unknown as Listed).sessions.filter(({ citizenId }) => citizenId === 'synthetic').length;
    };
    expect(await listed('')).to.equal(0);
    expect(await listed('?synthetic=true')).to.be.above(0);
    const report = async (...args: string[]) => {
      const env = { DATABASE_URL: gateway.file.databaseUrl, HAMRAHI_SYNTHETIC_ZONE: 'synthetic' };
      const { exitCode, output } = await hamrahi(['report', '--since', '1h', '--json', ...args], env);
      expect(exitCode, output).to.equal(0);
      return (JSON.parse(output) as { sessions: { activated: number } }).sessions.activated;
    };
    const [real, all, synthetic] = await Promise.all([
      report(),
      report('--with-synthetic'),
      report('--zone', 'synthetic'),
    ]);
    expect(real).to.equal(0);
    expect(all).to.equal(synthetic);
    expect(synthetic).to.be.above(0);
  });

  it('TEL-8: with ICE that fails, both telephones of our own ring, are answered and bridged', async () => {
    const { exitCode, output } = await sos('--phone');
    expect(exitCode, output).to.equal(0);
    expect(output).to.match(/FB-2 +watchdog → INVITE for her phone/);
    expect(output).to.match(/FB-3 +both phones bridged +[\d.]+ ms of 3000 ms/);
  });

  it('TEL-8: another tone is no proof that she is heard', async () => {
    const { ok, checks } = await runSosProbe(await inProcess({ toneHz: 1500, sentHz: 1400 }));
    expect(ok).to.equal(false);
    expect(checks.filter((check) => !check.ok).map(({ name }) => name)).to.deep.equal(['tone']);
  });

  it('TEL-8: presses for no zone but its own: real operators would be called', async () => {
    const before = (await sessions()).length;
    const { exitCode, output } = await sos('--place', '28.6139,77.209');
    expect(exitCode).to.equal(1);
    expect(output).to.include('it would go to the zone central, not to synthetic');
    const all = await sessions();
    expect(all.length).to.equal(before);
  });

  it('TEL-8: ends what a run before it has left open, and judges an SOS of its own', async () => {
    const { citizenToken, place } = await inProcess();
    const pressed = await gateway.send(citizenToken, 'POST', '/v1/sos', {
      body: { deviceId: 'probe', location: place },
    });
    const left = (pressed.body as { id: string }).id;
    const { output } = await sos();
    expect(output).to.match(/^ok +the SOS is accepted/m);
    expect(output).to.match(/^ok +RTC-9/m);
    const found = (await sessions()).find(({ id }) => id === left);
    expect(found?.phase).to.equal('resolved');
  });

  it('TEL-8: goes on until it is ended, and tells Prometheus of each run', async () => {
    const args = ['probe', 'sos', '--url', url(), ...tokens(), '--every', '10s'];
    const child = spawn(process.execPath, [HAMRAHI, ...args, '--metrics-listen', '127.0.0.1:0'], { env: {} });
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (said += data.toString()));
    try {
      const port = await eventually(
        'it listens',
        () => /metrics on port (\d+)/.exec(said)?.[1] ?? null,
        ENDED_MS,
      );
      const text = await eventually(
        'the first run is told',
        async () => {
          const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
            signal: AbortSignal.timeout(2000),
          });
          const exposition = await answer.text();
          return exposition.includes('hamrahi_probe_ok') ? exposition : null;
        },
        ENDED_MS,
      );
      expect(text).to.include('hamrahi_probe_ok{mode="stream"} 1');
      expect(text).to.include('hamrahi_probe_check_ok{mode="stream",check="tone"} 1');
      child.kill('SIGTERM');
      expect(await ended).to.equal(0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says what is wrong with its settings, and exits with 2', async () => {
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [['--every', '1s'], 'a time from 10s to 24h'],
      [['--tone', '20'], 'a whole number from 300 to 3400'],
      [['--place', 'here'], 'latitude,longitude'],
      [['--zone', 'a b'], 'letters, digits, underscore and hyphen'],
      [['--metrics-listen', 'nowhere'], 'host:port'],
      [['--citizen-token-file', join(files, 'none')], 'cannot be read'],
    ];
    const [bare, ...ends] = await Promise.all([
      hamrahi(['probe', 'setup']),
      ...wrong.map(([args]) => sos(...args)),
    ]);
    for (const [at, [args, words]] of wrong.entries()) {
      expect(ends[at]?.exitCode, args.join(' ')).to.equal(2);
      expect(ends[at]?.output).to.include(words);
    }
    expect(bare.exitCode).to.equal(2);
  });

  it('TEL-8: a gateway that is gone: one clear line, and exit 1', async () => {
    await gateway.sandbox.controlPlane().kill();
    try {
      const { exitCode, output } = await sos();
      expect(exitCode).to.equal(1);
      expect(output).to.match(
        /^FAIL +the gateway answers: the gateway cannot be reached \(ERR_CLIENT_NETWORK\)/,
      );
      expect(output).to.include('probe: FAILED: gateway');
    } finally {
      await gateway.sandbox.restartControlPlane();
    }
  });
});
