import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { takeInstallLock, type InstallLock } from '../../../../control-plane/sandbox/install/install-lock.ts';

const module = join(import.meta.dirname, '../../../../control-plane/sandbox/install/install-lock.ts');

describe('sandbox/install/install-lock', () => {
  let file = '';
  beforeEach(() => (file = join(mkdtempSync(join(tmpdir(), 'hamrahi-lock-')), 'lock')));
  afterEach(() => rmSync(join(file, '..'), { recursive: true }));

  const take = async (
    waitMs: number,
    onWait: (holder: string) => void = () => undefined,
  ): Promise<InstallLock> => {
    const result = await takeInstallLock(file, waitMs, onWait);
    if (!result.ok) throw new Error(result.failure.what);
    return result.value;
  };

  /** Another process that takes the lock and says so. */
  async function startHolder(): Promise<ReturnType<typeof spawn>> {
    const script = `import { takeInstallLock } from ${JSON.stringify(module)};
      await takeInstallLock(${JSON.stringify(file)}, 0, () => undefined);
      console.log('held'); setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    return holder;
  }

  it('is held by one at a time, and gives the next in line the name of the holder', async () => {
    const first = await take(0);
    const refused = await takeInstallLock(file, 50, () => undefined);
    expect(!refused.ok && refused.failure.code).to.equal('ERR_INSTALL_BUSY');

    const heard: string[] = [];
    const second = await take(5_000, (holder) => {
      heard.push(holder);
      void first.release();
    });
    await second.release();
    expect(heard).to.deep.equal([String(process.pid)]);
  });

  it('falls to the next when its holder is killed', async () => {
    const holder = await startHolder();
    const refused = await takeInstallLock(file, 0, () => undefined);
    expect(refused.ok).to.equal(false);
    holder.kill('SIGKILL');
    await (await take(5_000)).release();
  });
});
