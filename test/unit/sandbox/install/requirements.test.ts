import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  requireDebian,
  requireRoot,
  requireSpace,
} from '../../../../control-plane/sandbox/install/requirements.ts';

describe('sandbox/install/requirements', () => {
  let dir = '';
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'hamrahi-requirements-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const osRelease = (text: string): string => {
    const file = join(dir, 'os-release');
    writeFileSync(file, text);
    return file;
  };

  it('reads the code name of Debian', () => {
    const file = osRelease(
      'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_CODENAME=trixie\nID=debian\n',
    );
    expect(requireDebian(file)).to.deep.equal({ ok: true, value: 'trixie' });
  });

  it('refuses another system by its name', () => {
    const result = requireDebian(
      osRelease('ID=fedora\nPRETTY_NAME="Fedora Linux 44"\nVERSION_CODENAME=""\n'),
    );
    expect(result.ok).to.equal(false);
    expect(!result.ok && result.failure.code).to.equal('ERR_INSTALL_NOT_DEBIAN');
    expect(!result.ok && result.failure.what).to.include('Fedora Linux 44');
  });

  it('tells who is not root what to run', () => {
    const result = requireRoot('The browser', 1000);
    expect(!result.ok && result.failure).to.include({
      code: 'ERR_INSTALL_NOT_ROOT',
      what: 'The browser must be installed by root.',
    });
    expect(requireRoot('The browser', 0).ok).to.equal(true);
  });

  it('compares the free space with what is needed', async () => {
    expect((await requireSpace(dir, 1)).ok).to.equal(true);
    const result = await requireSpace(dir, 1e12);
    expect(!result.ok && result.failure.code).to.equal('ERR_INSTALL_NO_SPACE');
  });
});
