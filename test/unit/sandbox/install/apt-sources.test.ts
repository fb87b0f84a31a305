import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  findArchive,
  parseListFile,
  parseSourcesFile,
  readAptSources,
} from '../../../../control-plane/sandbox/install/apt-sources.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

describe('sandbox/install/apt-sources', () => {
  it('reads one-line files', () => {
    const text = [
      '# deb http://comment.example/debian bookworm main',
      'deb http://mirror.example/debian bookworm main contrib # the archive',
      `deb [arch=amd64 signed-by=${keyring}] https://other.example/debian trixie main`,
      'deb-src http://mirror.example/debian bookworm main',
      'deb',
    ].join('\n');
    expect(parseListFile(text)).to.deep.equal([
      {
        uri: 'http://mirror.example/debian',
        suite: 'bookworm',
        components: ['main', 'contrib'],
        signedBy: undefined,
      },
      { uri: 'https://other.example/debian', suite: 'trixie', components: ['main'], signedBy: keyring },
    ]);
  });

  it('reads deb822 files: several suites and URIs, folded fields, comments in between', () => {
    const text = [
      'Types: deb deb-src',
      '# a comment',
      'URIs: http://one.example/debian',
      '  http://two.example/debian',
      'Suites: trixie trixie-updates',
      'components: main',
      `Signed-By: ${keyring}`,
    ].join('\n');
    const rest = { components: ['main'], signedBy: keyring };
    expect(parseSourcesFile(text)).to.deep.equal([
      { uri: 'http://one.example/debian', suite: 'trixie', ...rest },
      { uri: 'http://one.example/debian', suite: 'trixie-updates', ...rest },
      { uri: 'http://two.example/debian', suite: 'trixie', ...rest },
      { uri: 'http://two.example/debian', suite: 'trixie-updates', ...rest },
    ]);
  });

  it('leaves out stanzas that are switched off or carry sources only, and keys written into the file', () => {
    const stanza = (more: string): string =>
      `Types: deb\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\n${more}`;
    const key =
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n -----END PGP PUBLIC KEY BLOCK-----';
    const text = [stanza('Enabled: no'), stanza(key), stanza('').replace('deb', 'deb-src')].join('\n\n');
    expect(parseSourcesFile(text)).to.deep.equal([
      { uri: 'http://m.example/debian', suite: 'trixie', components: ['main'], signedBy: undefined },
    ]);
  });

  it('finds the archive among security, updates, backports and other software', () => {
    const source = (uri: string, suite: string) => ({
      uri,
      suite,
      components: ['main'],
      signedBy: undefined,
    });
    const archive = source('http://mirror.example/debian', 'trixie');
    const others = [
      source('cdrom:[Debian GNU/Linux 13]/', 'trixie'),
      source('http://security.example/debian-security', 'trixie-security'),
      source('http://mirror.example/debian', 'trixie-updates'),
      source('https://software.example/node', 'nodistro'),
      { ...source('https://free.example/debian', 'trixie'), components: ['non-free'] },
    ];
    expect(findArchive([...others, archive], 'trixie')).to.equal(archive);
    expect(findArchive(others, 'trixie')).to.equal(undefined);
    expect(findArchive([source('http://role.example/debian', 'stable')], 'trixie')?.uri).to.include('role');
  });

  it('reads both formats below /etc/apt, and nothing that apt would not read', () => {
    const dir = mkdtempSync(join(tmpdir(), 'hamrahi-apt-'));
    try {
      expect(readAptSources(dir)).to.deep.equal([]);
      mkdirSync(join(dir, 'sources.list.d'));
      writeFileSync(join(dir, 'sources.list'), 'deb http://a.example/debian trixie main\n');
      const write = (name: string, text: string) => writeFileSync(join(dir, 'sources.list.d', name), text);
      write('b.sources', 'Types: deb\nURIs: http://b.example/debian\nSuites: trixie\nComponents: main\n');
      write('c.list.disabled', 'deb http://c.example/debian trixie main\n');
      expect(readAptSources(dir).map(({ uri }) => uri)).to.deep.equal([
        'http://a.example/debian',
        'http://b.example/debian',
      ]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
