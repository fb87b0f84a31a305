import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { asteriskDirectories } from '../../../control-plane/sandbox/asterisk-directories.ts';
import {
  asteriskPidFile,
  endLeftoverAsterisk,
  startAsterisk,
} from '../../../control-plane/sandbox/asterisk-process.ts';
import { startGatewayEngine, type GatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import { isRunning, readPidFile } from '../../../control-plane/sandbox/process-identity.ts';
import { ariRequest } from '../../support/ari-request.ts';
import { sandboxTrunk } from '../../support/gateway-engine.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';

const ENGINE_MODULE = resolve(import.meta.dirname, '../../../control-plane/sandbox/gateway-engine.ts');

describe('sandbox/asterisk-process', function () {
  this.timeout(40_000);
  const root = asteriskRootDir();
  const { runDir, remove } = makeRunDir('process');
  const engines: GatewayEngine[] = [];
  const start = async (name: string): Promise<GatewayEngine> => {
    const engine = await startGatewayEngine({
      root,
      runDir: join(runDir, name),
      ariApp: 'hamrahi',
      trunks: [sandboxTrunk(9)],
      rtpPorts: 100,
    });
    engines.push(engine);
    return engine;
  };
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  });
  after(remove);

  it('runs two at once from one root, each on its own, with every module running, and ends them', async () => {
    const [first, second] = await Promise.all([start('a'), start('b')]);
    expect(first.httpUrl).to.not.equal(second.httpUrl);
    expect(first.sipPort).to.not.equal(second.sipPort);
    for (const engine of [first, second]) {
      const { body } = await ariRequest(engine, 'GET', '/asterisk/modules');
      const modules = body as { name: string; status: string }[];
      const names = modules.map(({ name }) => name);
      expect(names).to.include.members([
        'chan_pjsip.so',
        'res_srtp.so',
        'codec_opus_open_source.so',
        'res_ari_events.so',
      ]);
      expect(modules.filter(({ status }) => status !== 'Running')).to.deep.equal([]);
      expect(
        names.filter((name) => /messaging|refer|anonymous|app_dial|manager\.so|agi/.test(name)),
      ).to.deep.equal([]);
    }
    await second.asterisk.kill();
    expect((await ariRequest(first, 'GET', '/asterisk/ping')).status).to.equal(200);
    await Promise.all([first.stop(), second.stop()]);
    expect(existsSync(asteriskPidFile(join(runDir, 'a')))).to.equal(false);
  });

  it('writes nothing outside its run directory but to the console log, and no warning', async () => {
    const engine = await start('c');
    const log = await untilLogged(join(runDir, 'c/log/full'), 'Asterisk Ready');
    expect(log).to.not.match(/WARNING|ERROR/);
    const open = readOpenFiles(engine.asterisk.pid);
    expect(
      open.filter((path) => !path.startsWith(join(runDir, 'c')) && !path.startsWith('/dev/')),
    ).to.deep.equal([]);
    await engine.stop();
  });

  it('runs with the environment that stands beside its configuration', async () => {
    const engine = await start('e');
    const environment = readFileSync(`/proc/${engine.asterisk.pid}/environ`, 'utf8').split('\0');
    expect(environment).to.include(
      'GLIBC_TUNABLES=glibc.malloc.mmap_threshold=65536:glibc.malloc.arena_max=2',
    );
  });

  it('starts again in the same directory, ending what a killed sandbox left there', async () => {
    // A sandbox of its own that is killed outright, so that its Asterisk is orphaned.
    const script = `
      const { startGatewayEngine } = await import(${JSON.stringify(ENGINE_MODULE)});
      await startGatewayEngine(${JSON.stringify({ root, runDir: join(runDir, 'd'), ariApp: 'x', trunks: [], rtpPorts: 100 })});
      console.log('up');
      setInterval(() => {}, 1000);`;
    const sandbox = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(sandbox.stdout, 'data');
    sandbox.kill('SIGKILL');
    await once(sandbox, 'exit');
    const orphan = readPidFile(asteriskPidFile(join(runDir, 'd')))!;
    expect(isRunning(orphan)).to.equal(true);
    const engine = await start('d');
    expect(isRunning(orphan)).to.equal(false);
    expect(engine.asterisk.pid).to.not.equal(orphan.pid);
    await engine.stop();
    expect(await endLeftoverAsterisk(join(runDir, 'd'))).to.equal('gone');
  });

  it('tells that it ended, and what its log said, when the configuration is no good', async () => {
    const broken = join(runDir, 'e');
    mkdirSync(join(broken, 'etc'), { recursive: true });
    writeFileSync(join(broken, 'etc/modules.conf'), '[modules]\nautoload=no\nrequire=no_such_module.so\n');
    writeFileSync(join(broken, 'etc/logger.conf'), '[logfiles]\nfull => warning,error\n');
    const ari = { host: '127.0.0.1', port: 9, user: 'u', password: 'p' };
    const error = await startAsterisk({ root, runDir: broken, name: 'broken', ari }).then(
      () => undefined,
      (reason: unknown) => reason as Error & { code: string },
    );
    expect(error?.code).to.equal('ERR_SANDBOX_ASTERISK_START');
    expect(error?.message).to.match(/"broken" ended while starting[^]*no_such_module/);
    expect(existsSync(asteriskPidFile(broken))).to.equal(false);
  });

  it('gives up at its deadline when ARI does not answer, and leaves no process', async () => {
    const silent = join(runDir, 'f');
    mkdirSync(join(silent, 'etc'), { recursive: true });
    writeFileSync(join(silent, 'etc/modules.conf'), '[modules]\nautoload=no\n');
    const ari = { host: '127.0.0.1', port: 9, user: 'u', password: 'p' };
    const failure = startAsterisk({ root, runDir: silent, name: 'silent', ari, startTimeoutMs: 500 });
    const error = await failure.then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).to.include('its ARI did not answer within 500 ms (no connection)');
    expect(existsSync(asteriskPidFile(silent))).to.equal(false);
  });

  it('refuses a run directory in which a unix socket cannot lie', () => {
    expect(() => asteriskDirectories(root, `/tmp/${'x'.repeat(90)}`)).to.throw(/longer than/);
  });
});

/** The log once it holds the text (it is written by a thread of its own). Throws after 3 s. */
async function untilLogged(file: string, text: string): Promise<string> {
  const deadline = performance.now() + 3_000;
  for (;;) {
    const log = readFileSync(file, 'utf8');
    if (log.includes(text)) return log;
    if (performance.now() > deadline) throw new Error(`the log does not say "${text}"`);
    await delay(20);
  }
}

/** Regular files that the process holds open for writing. */
function readOpenFiles(pid: number): string[] {
  return readdirLinks(`/proc/${pid}/fd`)
    .filter(({ descriptor, target }) => {
      if (!target.startsWith('/')) return false;
      const info = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
      const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '0', 8);
      return (flags & 3) !== 0;
    })
    .map(({ target }) => target);
}

function readdirLinks(folder: string): { descriptor: string; target: string }[] {
  return readdirSync(folder).map((descriptor) => ({
    descriptor,
    target: readlinkSync(join(folder, descriptor)),
  }));
}
