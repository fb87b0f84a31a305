/** Files of secrets as they may lie on a disk. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDirectoryLab, type DirectoryLab } from '../../../support/secrets/directory-lab.ts';

const PASSWORD = 'trunks/tata/password';
const OTHER = 'trunks/jio/password';
const NAME = 'trunks.tata.password';

describe('adapters/secrets directory', () => {
  let lab: DirectoryLab;
  let file: string;
  beforeEach(async () => {
    lab = openDirectoryLab();
    file = join(lab.directory, NAME);
    await lab.put({ [PASSWORD]: 'p4ss', [OTHER]: 'other' });
  });
  afterEach(() => lab.close());
  const value = () => lab.source.get(PASSWORD)?.reveal();

  const spoilers: readonly (readonly [string, () => void, string])[] = [
    ['one that its group may read', () => chmodSync(file, 0o640), 'ERR_SECRETS_FILE_OPEN'],
    ['one that all may read', () => chmodSync(file, 0o604), 'ERR_SECRETS_FILE_OPEN'],
    [
      'one with an ACL’s mask outside systemd’s directory',
      () => chmodSync(file, 0o440),
      'ERR_SECRETS_FILE_OPEN',
    ],
    [
      'a link',
      () => {
        renameSync(file, `${file}.real`);
        symlinkSync(`${file}.real`, file);
      },
      'ERR_SECRETS_FILE_KIND',
    ],
    [
      'a directory',
      () => {
        rmSync(file);
        mkdirSync(file, 0o700);
      },
      'ERR_SECRETS_FILE_KIND',
    ],
    [
      'a pipe that nobody writes to',
      () => {
        rmSync(file);
        execFileSync('mkfifo', ['-m', '600', file]);
      },
      'ERR_SECRETS_FILE_KIND',
    ],
    ['one larger than 64 KiB', () => truncateSync(file, 65_537), 'ERR_SECRETS_FILE_SIZE'],
    [
      'one that is no UTF-8',
      () => writeFileSync(file, Buffer.from([0x70, 0xff, 0xfe])),
      'ERR_SECRETS_FILE_TEXT',
    ],
    ['one with a zero in it', () => writeFileSync(file, 'p4ss\0p4ss'), 'ERR_SECRETS_FILE_TEXT'],
    ['an empty one', () => writeFileSync(file, ''), 'ERR_SECRETS_FILE_TEXT'],
    ['none', () => rmSync(file), 'ERR_SECRETS_ABSENT'],
  ];
  for (const [what, spoil, code] of spoilers) {
    it(`TEL-6: takes for no secret: ${what}; says which file, and reads the others`, async () => {
      spoil();
      const { source, alerts, log } = lab;
      await source.start([PASSWORD, OTHER]);
      expect(source.get(PASSWORD)).to.equal(null);
      expect(source.get(OTHER)?.reveal()).to.equal('other');
      expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
      expect(alerts.raised[0]!.summary).to.contain(NAME).and.to.contain(code);
      expect(log.lines.join('\n')).to.contain(code).and.to.not.contain('p4ss');
    });

    it(`TEL-6: keeps what it knew when a file becomes ${what}`, async () => {
      const { source, alerts } = lab;
      await source.start([PASSWORD, OTHER]);
      spoil();
      await source.refresh();
      expect(value()).to.equal('p4ss');
      expect(alerts.standing).to.deep.equal([`secrets-stale ${PASSWORD}`]);
    });
  }

  it('takes 64 KiB, line ends included', async () => {
    const text = 'line\n'.repeat(13_107);
    writeFileSync(file, `${text}x`, { mode: 0o600 });
    await lab.source.start([PASSWORD]);
    expect(value()).to.equal(`${text}x`);
    expect(value()).to.have.length(65_536);
  });

  it('looks every five seconds, and sees what was written in place, with another mode, or by a rename', async () => {
    const { source, clock, put, alerts } = lab;
    await source.start([PASSWORD]);
    const told: (string | undefined)[] = [];
    source.onChange(() => told.push(value()));
    const pass = async (): Promise<void> => {
      await clock.advance(5000);
      await source.refresh();
    };
    // Same size, same moment.
    writeFileSync(file, 'P4SS');
    await clock.advance(4999);
    expect(told).to.deep.equal([]);
    await clock.advance(1);
    await source.refresh();
    expect(told).to.deep.equal(['P4SS']);
    await put({ [PASSWORD]: 'renamed' });
    await pass();
    expect(told).to.deep.equal(['P4SS', 'renamed']);
    chmodSync(file, 0o644);
    await pass();
    expect(alerts.standing).to.deep.equal([`secrets-stale ${PASSWORD}`]);
    chmodSync(file, 0o600);
    await pass();
    expect(alerts.standing).to.deep.equal([]);
    expect(told).to.have.length(2);
  });

  it('TEL-6: reads nothing in a directory into which others may write', async () => {
    const { source, directory, alerts } = lab;
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(directory, mode);
      await source.start([PASSWORD]);
      expect(source.get(PASSWORD)).to.equal(null);
      expect(alerts.raised.at(-1)!.summary)
        .to.contain('ERR_SECRETS_DIRECTORY')
        .and.to.contain(mode.toString(8));
    }
    chmodSync(directory, 0o755);
    await source.refresh();
    expect(value()).to.equal('p4ss');
  });

  it('TEL-6: takes systemd’s credentials in the form that they have without ACLs', async () => {
    const systemds = openDirectoryLab({ isSystemds: true });
    try {
      await systemds.put({ [PASSWORD]: 'p4ss' });
      chmodSync(join(systemds.directory, NAME), 0o400);
      chmodSync(systemds.directory, 0o500);
      await systemds.source.start([PASSWORD]);
      expect(systemds.source.get(PASSWORD)?.reveal()).to.equal('p4ss');
    } finally {
      await systemds.close();
    }
  });
});
