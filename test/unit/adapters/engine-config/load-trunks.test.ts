import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import {
  loadTrunks,
  trunksOf,
  type LoadTrunksResult,
} from '../../../../control-plane/src/adapters/engine-config/load-trunks.ts';
import { trunkFault } from '../../../../control-plane/src/domain/trunk/trunk-fault.ts';
import { problemText, type TrunkProblem } from '../../../../control-plane/src/domain/trunk/trunk-problem.ts';
import { schemaMistakes } from '../../../support/schema-mistakes.ts';
import { blockLineOf } from '../../../support/yaml-lines.ts';

const TOP = resolve(import.meta.dirname, '../../../..');
const TRUNKS = join(TOP, 'sip-trunks');
const SITE = join(TOP, 'test/fixtures/trunks-site.yml');
const SCHEMA = JSON.parse(readFileSync(join(TRUNKS, 'trunk.schema.json'), 'utf8')) as Record<string, unknown>;
const CARRIERS = ['tata', 'exotel', 'airtel', 'jio', 'vi', 'bsnl'];
const SHIPPED = [...CARRIERS, 'sandbox'];

type Plain = Record<string, unknown>;
const shipped = (name: string): Plain => parse(readFileSync(join(TRUNKS, `${name}.yml`), 'utf8')) as Plain;
const block = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** Every field filled in, with one way of authorisation each. */
const FULL: Readonly<Record<string, Plain>> = Object.fromEntries(
  [
    { kind: 'ip' },
    { kind: 'digest', username: 'u', secret: 'trunks/full/password' },
    { kind: 'ip-digest', username: 'u', secret: 'trunks/full/password' },
    {
      ...{ kind: 'registration', username: 'u', secret: 'trunks/full/password' },
      ...{ registrar: '192.0.2.1:5060', domain: 'ims.invalid', expirySeconds: 300 },
    },
  ].map((auth) => [
    auth.kind,
    {
      ...shipped('sandbox'),
      ...{ name: 'full', auth, outboundProxy: '192.0.2.9:5060' },
      callerId: { ...(shipped('sandbox')['callerId'] as Plain), fromDomain: 'ims.invalid' },
      causeOverrides: [{ sipStatus: 403, outcome: 'trunk-unreachable', tryOtherTrunk: true }],
    },
  ]),
);

/** The sample with one field changed. */
function withField(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (String(index) === key ? withField(item, rest, to) : item));
  const map = value as Plain;
  return { ...map, [key]: withField(map[key], rest, to) };
}

/** Files in memory: the trunk `full`, and the site's. */
const load = (text: string, site: string | null = null, name = 'full'): LoadTrunksResult =>
  trunksOf({
    folder: 'trunks',
    present: [name],
    files: new Map([[name, { file: `trunks/${name}.yml`, content: { text } }]]),
    site: site === null ? null : { file: 'site.yml', content: { text: site } },
  });
const problemsOf = (result: LoadTrunksResult): readonly TrunkProblem[] => (result.ok ? [] : result.problems);

describe('adapters/engine-config/load-trunks', () => {
  it('TEL-9: loads every trunk of the repository, each field with its evidence', () => {
    const result = loadTrunks(TRUNKS, SHIPPED);
    expect(problemsOf(result).map(problemText)).to.deep.equal([]);
    const [tata] = result.ok ? result.trunks : [];
    expect(tata?.trunk.name).to.equal('tata');
    expect(tata?.evidence['callerId.identityHeader']?.mark).to.equal('reported');
    expect(tata?.trunk).to.not.have.property('evidence');
  });

  it('TEL-1: has the four operators and both providers, usable once a site has given the account', () => {
    const result = loadTrunks(TRUNKS, SHIPPED, SITE);
    expect(problemsOf(result).map(problemText)).to.deep.equal([]);
    for (const { trunk } of result.ok ? result.trunks : [])
      expect(trunkFault(trunk), trunk.name).to.equal(null);
  });

  it('TEL-6: holds no account data: no numbers, user names, hosts (but Exotel’s public ones) and sources', () => {
    const result = loadTrunks(TRUNKS, CARRIERS);
    for (const { trunk } of result.ok ? result.trunks : []) {
      expect(trunk.callerId, trunk.name).to.deep.include({ default: null, owned: [], fromDomain: null });
      expect(trunk.sources, trunk.name).to.deep.equal([]);
      if (trunk.name !== 'exotel') expect(trunk.hosts, trunk.name).to.deep.equal([]);
      if (trunk.auth.kind !== 'ip') expect(trunk.auth.username, trunk.name).to.equal('');
    }
  });

  it('ends each carrier’s file with what to ask the carrier', () => {
    for (const name of CARRIERS) {
      const [, questions = ''] = readFileSync(join(TRUNKS, `${name}.yml`), 'utf8').split(
        '# What to ask the carrier, in writing:\n',
      );
      expect(questions.match(/^# +\d+\. /gm)?.length, name).to.be.greaterThan(6);
      expect(questions, name).to.not.match(/^[^#\n]/m);
    }
  });

  it('says file, line, path and what was expected', () => {
    const text = readFileSync(join(TRUNKS, 'sandbox.yml'), 'utf8');
    const line = text.slice(0, text.indexOf('requestUri:')).split('\n').length;
    const problems = problemsOf(
      load(text.replace('requestUri: e164_plus', 'requestUri: e163'), null, 'sandbox'),
    );
    expect(problems).to.deep.equal([
      {
        code: 'ERR_TRUNK_FILE_INVALID',
        file: 'trunks/sandbox.yml',
        line,
        path: 'numbers.requestUri',
        expected: 'one of e164_plus, e164, national_0, national10',
      },
    ]);
    expect(problems.map(problemText)).to.deep.equal([
      `trunks/sandbox.yml:${line}: numbers.requestUri: expected one of e164_plus, e164, national_0, national10`,
    ]);
  });

  it('reports every mistake of a file at once, from the top down', () => {
    const both = {
      ...FULL['ip'],
      capacity: { channels: 'none', callsPerSecond: 1, sosReserve: 0 },
      transport: 'sctp',
    };
    const paths = problemsOf(load(block(both))).map(({ path }) => path);
    expect(paths).to.deep.equal(['transport', 'capacity.channels']);
  });

  it('refuses broken YAML, doubled keys and aliases, with the line and without the text', () => {
    expect(problemsOf(load('name: full\npassword: [hunter2'))[0]).to.deep.include({
      code: 'ERR_TRUNK_FILE_SYNTAX',
      line: 2,
    });
    const doubled = problemsOf(load('priority: 10\ntransport: udp\npriority: 20\n'));
    expect(doubled).to.deep.include({
      ...{ code: 'ERR_TRUNK_FILE_SYNTAX', file: 'trunks/full.yml', line: 3, path: '' },
      expected: 'valid YAML (duplicate key)',
    });
    expect(problemsOf(load('sources: &a [127.0.0.2, *a]'))[0]).to.deep.include({
      code: 'ERR_TRUNK_FILE_SYNTAX',
    });
    expect(problemsOf(load('hunter2: "'))[0]?.expected).to.not.include('hunter2');
  });

  it('takes no file that is empty, a list, or far too long', () => {
    for (const text of ['', '[]', '"text"'])
      expect(problemsOf(load(text)).map(problemText), text).to.deep.equal([
        'trunks/full.yml:1: expected a map of fields',
      ]);
    const result = loadTrunks('/proc/self', ['environ']);
    expect(problemsOf(result)[0]).to.deep.include({ code: 'ERR_TRUNK_FILE_MISSING', line: null });
  });

  for (const name of ['nobody', '../sandbox', 'a/b', '']) {
    it(`knows no trunk named "${name}"`, () => {
      expect(problemsOf(loadTrunks(TRUNKS, [name]))[0]?.code).to.equal('ERR_TRUNK_FILE_MISSING');
    });
  }
});

describe('adapters/engine-config/load-trunks: each field wrong in turn', () => {
  for (const [kind, sample] of Object.entries(FULL)) {
    const mistakes = schemaMistakes(SCHEMA, sample);
    const fields = [...new Set(mistakes.map(({ field }) => field))];
    it(`has sound samples to begin with (${kind})`, () => {
      expect(problemsOf(load(block(sample))).map(problemText)).to.deep.equal([]);
      expect(fields.length).to.be.greaterThan(60);
    });
    for (const field of kind === 'ip' ? fields : fields.filter((one) => one.startsWith('auth'))) {
      it(`TEL-9: ${field} (${kind}): one line with file, line and what is expected`, () => {
        for (const { what, sample: wrong } of mistakes.filter((one) => one.field === field)) {
          const text = block(wrong);
          const problems = problemsOf(load(text));
          expect(problems.map(problemText), what).to.have.length(1);
          const [problem] = problems;
          expect(problem?.path, what).to.equal(field);
          expect(problem?.file, what).to.equal('trunks/full.yml');
          expect(problem?.line, what).to.equal(blockLineOf(text, field.split('.')));
          expect(problem?.expected, what).to.match(/\w/).and.not.include('no such thing!');
        }
      });
    }
  }

  const sample = FULL['registration']!;
  const part = (field: string): Plain =>
    field.split('.').reduce<Plain>((at, key) => at[key] as Plain, sample);
  /** Beside what the schema's formats are walked with. */
  const odd: Readonly<Record<string, readonly string[]>> = {
    'auth.username': ['a"b', '50%', '<u>', 'a\\b', ' u', 'u ', 'ü', 'u\tv', 'u'.repeat(65)],
    outboundProxy: ['', '192.0.2.9', '-:5060'],
    'auth.registrar': ['192.0.2.9', ':5060'],
    'auth.domain': ['ims.invalid:5060', 'a:b', '-a'],
    'callerId.fromDomain': ['', 'ims.invalid:5060', 'a:b'],
  };
  for (const [field, values] of Object.entries(odd))
    for (const value of values) {
      it(`TEL-9: ${field} with what only looks like one, "${value}": one line likewise`, () => {
        const text = block(withField(sample, field.split('.'), value));
        const problems = problemsOf(load(text));
        expect(problems.map(({ path }) => path)).to.deep.equal([field]);
        expect(problems[0]?.expected).to.match(/address|host|as the carrier gave/);
        expect(problems[0]?.line).to.equal(blockLineOf(text, field.split('.')));
      });
    }
  it('TEL-9: what a carrier has not given yet stays empty', () => {
    const empty = { ...part('auth'), username: '', registrar: '', domain: '' };
    expect(problemsOf(load(block({ ...sample, auth: empty }))).map(problemText)).to.deep.equal([]);
  });
  for (const networks of [
    ['10.2.0.0/16', '192.0.2.0/24', '192.0.2.77'],
    ['fd00:1:2::/48', '2001:db8::1'],
  ])
    it(`TEL-9: takes addresses and networks of a carrier: ${networks.join(', ')}`, () => {
      expect(problemsOf(load(block({ ...sample, sources: networks }))).map(problemText)).to.deep.equal([]);
    });

  const contradictions: readonly (readonly [field: string, changes: Plain, expected: RegExp])[] = [
    ['name', { name: 'other' }, /the file's name, full/],
    [
      'capacity.sosReserve',
      { capacity: { ...part('capacity'), sosReserve: 501 } },
      /no more than capacity.channels/,
    ],
    [
      'sip.sessionMinimumSeconds',
      { sip: { ...part('sip'), sessionMinimumSeconds: 1801 } },
      /sessionExpiresSeconds/,
    ],
    [
      'sip.optionsTimeoutSeconds',
      { sip: { ...part('sip'), optionsTimeoutSeconds: 5 } },
      /optionsIntervalSeconds/,
    ],
    ['media.encryption', { media: { ...part('media'), encryption: 'sdes' } }, /transport tls/],
    ['p95PostDialDelayMs', { p95PostDialDelayMs: 9000 }, /hedgeMostMs/],
    ...['0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/15', '::/0', 'fd00::/8', 'fd00::/47'].map(
      (wide) =>
        ['sources.1', { sources: ['192.0.2.1', wide] }, /\/16 \(IPv4\) or \/48 \(IPv6\).*carrier/] as const,
    ),
    ...['trunks/tata/password', 'trunks/ful/password', 'trunks/full-two/password'].map(
      (secret) =>
        ['auth.secret', { auth: { ...part('auth'), secret } }, /begins with trunks\/full\//] as const,
    ),
    [
      'causeOverrides.1.sipStatus',
      {
        causeOverrides: [
          ...(sample['causeOverrides'] as unknown[]),
          { sipStatus: 403, outcome: 'busy', tryOtherTrunk: false },
        ],
      },
      /each status once/,
    ],
  ];
  for (const [field, changes, expected] of contradictions) {
    it(`TEL-9: ${field} against another field, ${JSON.stringify(changes).slice(0, 60)}: one line likewise`, () => {
      const text = block({ ...sample, ...changes });
      const problems = problemsOf(load(text));
      expect(problems.map(({ path }) => path)).to.deep.equal([field]);
      expect(problems[0]?.expected).to.match(expected);
      expect(problems[0]?.line).to.equal(blockLineOf(text, field.split('.')));
    });
  }

  const marks = sample['evidence'] as Plain;
  const evidence: readonly [what: string, marks: Plain, field: string, expected: RegExp][] = [
    ['a field without evidence', { ...marks, hosts: undefined }, 'hosts', /evidence/],
    [
      'evidence for nothing',
      { ...marks, colour: ['assumed', 'x'] },
      'evidence.colour',
      /a field of this trunk/,
    ],
    [
      'a mark that is none',
      { ...marks, hosts: ['sure', 'x'] },
      'evidence.hosts.0',
      /documented, reported, assumed/,
    ],
    ['a mark without a source', { ...marks, hosts: ['assumed'] }, 'evidence.hosts', /a list of 2/],
    ['text for a mark', { ...marks, hosts: 'assumed' }, 'evidence.hosts', /a list/],
  ];
  for (const [what, changed, field, expected] of evidence) {
    it(`TEL-9: ${what}: one line likewise`, () => {
      const text = block(JSON.parse(JSON.stringify({ ...sample, evidence: changed })));
      const problems = problemsOf(load(text));
      expect(problems.map(({ path }) => path)).to.deep.equal([field]);
      expect(problems[0]?.expected).to.match(expected);
      expect(problems[0]?.line).to.equal(blockLineOf(text, field.split('.')));
    });
  }

  it('TEL-6: a secret as a value is refused, wherever somebody puts it, and not repeated', () => {
    const inPlace = { ...sample, auth: { ...part('auth'), secret: 'hunter2' } };
    expect(problemsOf(load(block(inPlace))).map(({ path, expected }) => [path, expected])).to.deep.equal([
      ['auth.secret', 'a reference like trunks/<name>/password, never the value, or null'],
    ]);
    const elsewhere = { ...sample, auth: { ...part('auth'), password: 'hunter2' } };
    const [problem] = problemsOf(load(block(elsewhere)));
    expect(problem?.path).to.equal('auth.password');
    expect(problem?.expected).to.match(/no such field .*secrets manager/);
    for (const wrong of [inPlace, elsewhere])
      expect(
        problemsOf(load(block(wrong)))
          .map(problemText)
          .join(''),
      ).to.not.include('hunter2');
  });
});

describe('adapters/engine-config/load-trunks: the site’s account data', () => {
  const text = block(FULL['registration']);
  const site = (part: unknown): LoadTrunksResult => load(text, block({ full: part }));

  it('is laid over the file: maps field by field, lists and single values as a whole', () => {
    const hosts = [{ address: '192.0.2.7', port: 5060, priority: 1 }];
    const result = site({ hosts, media: { codecs: ['ulaw'] } });
    const trunk = result.ok ? result.trunks[0]!.trunk : undefined;
    expect(trunk?.hosts).to.deep.equal(hosts);
    expect(trunk?.media).to.deep.include({ codecs: ['ulaw'], dtmf: 'rfc4733' });
  });

  it('may be empty, and may say nothing of a trunk', () => {
    expect(load(text, '').ok).to.equal(true);
    expect(load(text, '# nothing yet\n').ok).to.equal(true);
    expect(load(text, '{}').ok).to.equal(true);
  });

  it('puts another way of authorisation in place of the file’s as a whole', () => {
    const result = site({ auth: { kind: 'ip' } });
    expect(problemsOf(result).map(problemText)).to.deep.equal([]);
    expect(result.ok && result.trunks[0]!.trunk.auth).to.deep.equal({ kind: 'ip' });
    const half = site({ auth: { kind: 'digest', username: 'u' } });
    expect(problemsOf(half).map(problemText)).to.deep.equal([
      'site.yml:2: full.auth.secret: expected a reference like trunks/<name>/password, never the value (the field is missing)',
    ]);
  });

  it('is its own evidence, by file and line, unless it says where it knows from', () => {
    const result = site({
      priority: 5,
      sources: ['192.0.2.1'],
      evidence: { sources: ['documented', 'a letter'] },
    });
    const evidence = result.ok ? result.trunks[0]!.evidence : {};
    expect(evidence['priority']).to.deep.equal({ mark: 'site', source: 'site.yml:2' });
    expect(evidence['sources']).to.deep.equal({ mark: 'documented', source: 'a letter' });
    const stray = site({ evidence: { colour: ['documented', 'a letter'] } });
    expect(problemsOf(stray)[0]).to.deep.include({ file: 'site.yml', path: 'full.evidence.colour', line: 3 });
  });

  it('tells its own mistakes of its own file, and the file’s of that', () => {
    const wrong = block({ ...FULL['registration'], priority: -1 });
    expect(problemsOf(load(wrong, block({ full: { transport: 'sctp' } }))).map(problemText)).to.deep.equal([
      'trunks/full.yml:3: priority: expected a whole number from 0 to 1000',
    ]);
    expect(problemsOf(site({ transport: 'sctp' })).map(problemText)).to.deep.equal([
      'site.yml:2: full.transport: expected one of udp, tcp, tls',
    ]);
  });

  it('is refused for what contradicts the file, at the nearest line of its own', () => {
    expect(problemsOf(site({ capacity: { channels: 5 } })).map(problemText)).to.deep.equal([
      'site.yml:2: full.capacity.sosReserve: expected no more than capacity.channels',
    ]);
  });

  it('names no trunk that is not there, and nothing but maps', () => {
    expect(problemsOf(load(text, 'fulll: {}\n')).map(problemText)).to.deep.equal([
      'site.yml:1: fulll: expected the name of a trunk file in trunks',
    ]);
    expect(problemsOf(load(text, 'full: 7\n')).map(problemText)).to.deep.equal([
      'site.yml:1: full: expected a map of fields',
    ]);
    expect(problemsOf(load(text, '[]')).map(problemText)).to.deep.equal([
      'site.yml:1: expected a map of trunk names',
    ]);
    expect(problemsOf(load(text, 'full: {name: other}\n')).map(({ path }) => path)).to.deep.equal([
      'full.name',
    ]);
  });

  it('that cannot be read is a mistake, not a site without accounts', () => {
    const result = loadTrunks(TRUNKS, ['sandbox'], '/nowhere/site.yml');
    expect(problemsOf(result).map(problemText)).to.deep.equal([
      '/nowhere/site.yml: expected a file that can be read',
    ]);
  });

  it('TEL-2: a default caller id that the trunk does not own is no mistake of the file: it disables the trunk', () => {
    const result = site({ callerId: { default: '+911149999999' } });
    expect(problemsOf(result)).to.deep.equal([]);
    expect(result.ok && trunkFault(result.trunks[0]!.trunk)?.code).to.equal('ERR_TRUNK_CALLER_ID_NOT_OWNED');
  });

  const inSite = schemaMistakes(SCHEMA, FULL['registration']).filter(
    ({ field, what }) => what !== 'missing' && field !== 'auth.kind' && !field.startsWith('evidence'),
  );
  for (const [index, { field, what, sample }] of inSite.entries()) {
    if (inSite.findIndex((one) => one.field === field) !== index) continue;
    it(`TEL-9: ${field} with ${what}: one line of the site’s file`, () => {
      const [first = ''] = field.split('.');
      const siteText = block({ full: { [first]: (sample as Plain)[first] } });
      const problems = problemsOf(load(text, siteText));
      expect(problems.map(problemText)).to.have.length(1);
      expect(problems[0]).to.deep.include({ file: 'site.yml', path: `full.${field}` });
      expect(problems[0]?.line).to.equal(blockLineOf(siteText, ['full', ...field.split('.')]));
    });
  }
});

describe('adapters/engine-config/load-trunks: whose address is whose', () => {
  const textOf = (name: string, sources: readonly string[]): string =>
    block({ ...FULL['ip'], name, sources });
  const loadAll = (
    files: Readonly<Record<string, string>>,
    own: readonly string[] = [],
    site: string | null = null,
  ): readonly string[] => {
    const names = Object.keys(files);
    const texts = names.map((name) => {
      const file = { file: `trunks/${name}.yml`, content: { text: files[name]! } };
      return [name, file] as const;
    });
    const siteText = site === null ? null : { file: 'site.yml', content: { text: site } };
    const result = trunksOf({ folder: 'trunks', present: names, files: new Map(texts), site: siteText }, own);
    return problemsOf(result).map(problemText);
  };

  it('TEL-9: no trunk’s sources hold the gateway’s own address: every client would be the carrier', () => {
    for (const [source, own] of [
      ['127.0.0.1', '127.0.0.1'],
      ['10.7.0.0/16', '10.7.0.9'],
      ['fd00:1:2::/64', 'fd00:1:2::5'],
    ] as const) {
      const text = textOf('full', ['192.0.2.1', source]);
      const line = blockLineOf(text, ['sources', '1']);
      expect(loadAll({ full: text }, ['192.0.2.200', own]), source).to.deep.equal([
        `trunks/full.yml:${line}: sources.1: expected addresses without the gateway's own: each of its clients would be taken for the carrier`,
      ]);
      expect(loadAll({ full: text }, ['192.0.2.200']), source).to.deep.equal([]);
    }
  });

  it('TEL-9: the site’s file is told of the gateway’s own address that it brings in', () => {
    const site = block({ full: { priority: 7, sources: ['127.0.0.1'] } });
    expect(loadAll({ full: textOf('full', []) }, ['127.0.0.1'], site)).to.deep.equal([
      "site.yml:4: full.sources.0: expected addresses without the gateway's own: each of its clients would be taken for the carrier",
    ]);
  });

  it('TEL-9: what one trunk’s carrier speaks from, no other one’s does', () => {
    const first = textOf('first', ['192.0.2.1', '198.51.100.0/28']);
    for (const [source, shares] of [
      ['192.0.2.1', true],
      ['198.51.100.9', true],
      ['198.51.0.0/16', true],
      ['198.51.100.16/28', false],
      ['::c000:201', false],
    ] as const) {
      const second = textOf('second', ['203.0.113.1', source]);
      const line = blockLineOf(second, ['sources', '1']);
      const problem = `trunks/second.yml:${line}: sources.1: expected addresses that no other trunk has: first has some of these`;
      expect(loadAll({ first, second }), source).to.deep.equal(shares ? [problem] : []);
    }
    const site = block({ second: { sources: ['192.0.2.1'] } });
    expect(loadAll({ first, second: textOf('second', []) }, [], site)).to.deep.equal([
      'site.yml:3: second.sources.0: expected addresses that no other trunk has: first has some of these',
    ]);
  });

  it('one trunk may have an address twice, and trunks without sources share nothing', () => {
    const first = textOf('first', ['192.0.2.0/24', '192.0.2.1']);
    expect(loadAll({ first, second: textOf('second', []), third: textOf('third', []) })).to.deep.equal([]);
  });
});
