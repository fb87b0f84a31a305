import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import {
  likelySecrets,
  needlessExceptions,
  secretsInFile,
} from '../../../control-plane/tools/likely-secrets.ts';
import { trackedFiles } from '../../e2e/support/search-files.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Put together here, so that this file holds none of them. */
const of = (...parts: readonly string[]): string => parts.join('');
const samples: readonly (readonly [kind: string, text: string])[] = [
  ['private key', of('-----BEGIN ', 'PRIVATE KEY-----')],
  ['private key', of('-----BEGIN EC ', 'PRIVATE KEY-----')],
  ['private key', of('-----BEGIN OPENSSH ', 'PRIVATE KEY-----')],
  ['webhook secret', of('whsec_', 'ab12'.repeat(8))],
  ['Vault token', of('hvs.', 'CAESIJ'.repeat(15))],
  ['Vault token', of('s.', 'aB3'.repeat(8))],
  ['JSON web token', of('eyJhbGciOiJIUzI1NiJ9.', 'eyJzdWIiOiJ4In0.c2ln')],
  ['password in a URL', of('postgres://hamrahi:', 'hunter2@db.police.example')],
  ['password in a URL', of('redis://:', 'hunter2@cache')],
  ['token of a service', of('AKIA', 'ABCDEFGH'.repeat(2))],
  ['token of a service', of('ghp_', 'a1'.repeat(18))],
  ['long value of a password', of("password: '", 'Ab1'.repeat(12), "'")],
];

describe('tools likely-secrets', () => {
  for (const [kind, text] of samples)
    it(`knows a ${kind}: ${text.slice(0, 14)}…`, () => {
      expect(likelySecrets(`first\n  ${text}\n`)).to.deep.include({ kind, line: 2, text });
      expect(secretsInFile('docs/any.md', text)).to.have.length.above(0);
    });

  it('takes references, names and addresses for none', () => {
    const harmless = [
      'secret: trunks/tata/password',
      'HAMRAHI_ARI_PASSWORD_FILE=/run/credentials/gateway/ari',
      'postgres://hamrahi@db/x',
      'https://example.com:8443/path@2',
      '`http://${user}:${password}@host`',
      'hvs.short',
      'password: string',
    ];
    expect(harmless.flatMap((text) => likelySecrets(text))).to.deep.equal([]);
  });

  it('TEL-6: nothing in the repository looks like a secret', () => {
    const files = trackedFiles().map((path) => relative(ROOT, path));
    expect(files).to.include.members(['package-lock.json', 'sip-trunks/tata.yml', 'asterisk/ari.conf.j2']);
    const found = files.flatMap((path) =>
      secretsInFile(path, readFileSync(join(ROOT, path), 'latin1')).map(
        ({ kind, line }) => `${path}:${String(line)}: ${kind}`,
      ),
    );
    expect(found).to.deep.equal([]);
  });

  it('every exception is still needed', () => {
    const textOf = (path: string): string =>
      existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'latin1') : '';
    expect(needlessExceptions(textOf)).to.deep.equal([]);
  });

  it('and no file is kept under version control that should not be', () => {
    const files = trackedFiles().map((path) => relative(ROOT, path));
    const wrong = files.filter((path) =>
      /(^|\/)(\.env(\..*)?|id_(rsa|ed25519|ecdsa)|.*\.(pem|key|p12|pfx|jks|kdbx))$/.test(path),
    );
    expect(wrong).to.deep.equal([]);
  });
});
