import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import {
  loadTrunks,
  type TrunkProblem,
} from '../../../../control-plane/src/adapters/engine-config/load-trunks.ts';

const TRUNKS = resolve(import.meta.dirname, '../../../../sip-trunks');
const SANDBOX = readFileSync(join(TRUNKS, 'sandbox.yml'), 'utf8');

describe('adapters/engine-config/load-trunks', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hamrahi-trunks-'));
    copyFileSync(join(TRUNKS, 'trunk.schema.json'), join(folder, 'trunk.schema.json'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The problems of sandbox.yml with one place changed. */
  const problemsWith = (from: string | RegExp, to: string): readonly TrunkProblem[] => {
    const changed = SANDBOX.replace(from, to);
    expect(changed).to.not.equal(SANDBOX);
    writeFileSync(join(folder, 'sandbox.yml'), changed);
    const result = loadTrunks(folder, ['sandbox']);
    return result.ok ? [] : result.problems;
  };
  const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

  it('TEL-9 loads every trunk of the repository, each field with its evidence', () => {
    const result = loadTrunks(TRUNKS, ['sandbox', 'tata', 'exotel']);
    expect(result.ok, JSON.stringify(result)).to.equal(true);
    const [sandbox, tata] = result.ok ? result.trunks : [];
    expect(sandbox?.trunk.name).to.equal('sandbox');
    expect(tata?.evidence['callerId.identityHeader']?.mark).to.equal('reported');
    expect(tata?.trunk).to.not.have.property('evidence');
  });

  it('TEL-6 holds no account data: no hosts, numbers or user names of Tata, no numbers of Exotel', () => {
    const result = loadTrunks(TRUNKS, ['tata', 'exotel']);
    const [tata, exotel] = result.ok ? result.trunks.map(({ trunk }) => trunk) : [];
    expect(tata).to.deep.include({ hosts: [], sources: [] });
    expect(tata?.auth).to.deep.include({ username: '', registrar: '', secret: 'trunks/tata/password' });
    for (const trunk of [tata, exotel]) expect(trunk?.callerId).to.deep.include({ default: null, owned: [] });
  });

  it('merges what the site knows of its account, lists as a whole', () => {
    const hosts = [{ address: '192.0.2.7', port: 5060, priority: 1 }];
    const result = loadTrunks(TRUNKS, ['sandbox'], { sandbox: { hosts, media: { codecs: ['ulaw'] } } });
    const trunk = result.ok ? result.trunks[0]?.trunk : undefined;
    expect(trunk?.hosts).to.deep.equal(hosts);
    expect(trunk?.media).to.deep.include({ codecs: ['ulaw'], dtmf: 'rfc4733' });
  });

  it('checks the site’s part like the file', () => {
    const result = loadTrunks(TRUNKS, ['sandbox'], { sandbox: { callerId: { default: '+911149999999' } } });
    expect(result.ok ? [] : result.problems).to.have.length(1);
    expect(!result.ok && result.problems[0]).to.deep.include({
      path: 'callerId.default',
      expected: 'one of callerId.owned',
    });
  });

  it('says file, line, path and what was expected', () => {
    const problems = problemsWith('requestUri: e164_plus', 'requestUri: e163');
    expect(problems).to.deep.equal([
      {
        code: 'ERR_TRUNK_FILE_INVALID',
        file: join(folder, 'sandbox.yml'),
        line: lineOf(SANDBOX, 'requestUri:'),
        path: 'numbers.requestUri',
        expected: 'one of e164_plus, e164, national_0, national10',
      },
    ]);
  });

  it('reports every mistake of a file at once', () => {
    const both = SANDBOX.replace('transport: udp', 'transport: sctp').replace(
      'channels: 500',
      'channels: none',
    );
    writeFileSync(join(folder, 'sandbox.yml'), both);
    const result = loadTrunks(folder, ['sandbox']);
    const paths = result.ok ? [] : result.problems.map(({ path }) => path);
    expect(paths).to.deep.equal(['transport', 'capacity.channels']);
  });

  const mistakes: [what: string, from: string | RegExp, to: string, path: string, expected: RegExp][] = [
    ['an unknown field', 'priority: 10\n', 'priority: 10\ncolour: red\n', 'colour', /no such field/],
    ['a missing field', 'p95PostDialDelayMs: 4000\n', '', 'p95PostDialDelayMs', /missing/],
    [
      'a password in the file',
      '  kind: ip\n',
      '  kind: digest\n  username: u\n  secret: hunter2\n',
      'auth.secret',
      /reference like/,
    ],
    [
      'a number that is not E.164',
      "default: '+911140000100'",
      "default: '011-40000100'",
      'callerId.default',
      /\+911123456789/,
    ],
    [
      'a default that is not owned',
      "default: '+911140000100'",
      "default: '+911140000199'",
      'callerId.default',
      /owned/,
    ],
    [
      'more reserved than there are',
      'sosReserve: 100',
      'sosReserve: 501',
      'capacity.sosReserve',
      /no more than/,
    ],
    ['a field without evidence', /\n {2}numbers: +\[.*\]/, '', 'numbers.requestUri', /evidence/],
    [
      'evidence for nothing',
      '\nevidence:\n',
      "\nevidence:\n  colour: [assumed, 'x']\n",
      'evidence.colour',
      /a field/,
    ],
    [
      'a mark that is none',
      "transport:          [documented, 'ours']",
      "transport: [sure, 'ours']",
      'evidence.transport.0',
      /documented, reported, assumed/,
    ],
    ['a name that is not the file’s', 'name: sandbox', 'name: sandpit', 'name', /sandbox/],
    ['a port that is none', 'port: 5060', 'port: 506000', 'hosts.0.port', /65535/],
  ];
  for (const [what, from, to, path, expected] of mistakes) {
    it(`refuses ${what}`, () => {
      const [problem] = problemsWith(from, to);
      expect(problem?.path).to.equal(path);
      expect(problem?.expected).to.match(expected);
      expect(problem?.line).to.be.a('number');
    });
  }

  it('refuses broken YAML, doubled keys and aliases, with the line', () => {
    const [broken] = problemsWith('  kind: ip', '  kind: [ip');
    expect(broken).to.deep.include({ code: 'ERR_TRUNK_FILE_SYNTAX' });
    const [doubled] = problemsWith('priority: 10\n', 'priority: 10\npriority: 20\n');
    expect(doubled).to.deep.include({
      code: 'ERR_TRUNK_FILE_SYNTAX',
      line: lineOf(SANDBOX, 'priority: 10') + 1,
    });
    const [aliased] = problemsWith(/sources: .*/, 'sources: &a [127.0.0.2, *a]');
    expect(aliased).to.deep.include({ code: 'ERR_TRUNK_FILE_SYNTAX', line: 1 });
  });

  for (const name of ['nobody', '../sandbox', 'a/b', '']) {
    it(`knows no trunk named "${name}"`, () => {
      const result = loadTrunks(TRUNKS, [name]);
      expect(!result.ok && result.problems[0]?.code).to.equal('ERR_TRUNK_FILE_MISSING');
    });
  }
});
