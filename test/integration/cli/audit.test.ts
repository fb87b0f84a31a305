import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { anchorLine } from '../../../control-plane/src/evidence/anchor-line.ts';
import { AUDIT_KEY, auditLab, SIGNER } from '../../support/audit-lab.ts';
import type { AuditLab } from '../../support/audit-lab.ts';
import { hamrahi } from '../../support/cli.ts';
import { withClient } from '../../support/test-database.ts';

describe('hamrahi audit, hamrahi erase', function () {
  this.timeout(60_000);
  let lab: AuditLab;
  let folder: string;
  let url: string;
  const file = (name: string) => join(folder, name);
  const env = () => ({ DATABASE_URL: url, HAMRAHI_AUDIT_KEY: AUDIT_KEY });
  const verify = (...args: string[]) =>
    hamrahi(['audit', 'verify', '--key', file('public.pem'), ...args], env());
  /** The bundle with something in it changed. */
  const forge = (name: string, from: string | RegExp, to: string) => {
    const text = readFileSync(file('bundle.json'), 'utf8');
    const changed = text.replace(from, to);
    expect(changed).to.not.equal(text);
    writeFileSync(file(name), changed);
    return file(name);
  };

  before(async () => {
    lab = await auditLab();
    url = await lab.copy();
    folder = mkdtempSync(join(tmpdir(), 'hamrahi-audit-'));
    writeFileSync(file('public.pem'), SIGNER.publicPem);
    writeFileSync(file('anchor.jsonl'), lab.heads.map(anchorLine).join(''));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('finds the log whole, and says what it looked at', async () => {
    const { exitCode, output } = await verify('--anchor', file('anchor.jsonl'));
    expect([exitCode, output]).to.deep.equal([
      0,
      'Whole: 3 sessions, 16 events, 5 signed heads, 0 erasures, held against 5 anchored heads.\n',
    ]);
  });

  it('names what is broken and ends with 1', async () => {
    const broken = await lab.copy();
    await withClient(broken, (client) =>
      client.query(`UPDATE session_events SET type = 'x' WHERE session_id = $1 AND seq = 2`, [lab.later]),
    );
    const { exitCode, output } = await hamrahi(['audit', 'verify', '--key', file('public.pem')], {
      DATABASE_URL: broken,
    });
    expect([exitCode, output]).to.deep.equal([
      1,
      `session ${lab.later}, event 2: was altered\nBroken: the log is not as it was written.\n`,
    ]);
  });

  it('exports a session that proves itself without a database, without what is personal unless asked for', async () => {
    const out = await hamrahi(['audit', 'export', lab.over, '--out', file('bundle.json')], env());
    expect([out.exitCode, out.output.includes('7 events, 2 heads')], out.output).to.deep.equal([0, true]);
    expect(readFileSync(file('bundle.json'), 'utf8'))
      .to.not.include('12.971599')
      .and.to.not.include('salt"');
    const args = ['audit', 'verify', '--key', file('public.pem'), '--anchor', file('anchor.jsonl')];
    const { exitCode, output } = await hamrahi([...args, '--bundle', file('bundle.json')]);
    expect([exitCode, output]).to.deep.equal([
      0,
      `Whole: session ${lab.over}, 7 events under 2 signed heads, held against 5 anchored heads.\n`,
    ]);
    const personal = ['audit', 'export', lab.over, '--personal', '--out', file('personal.json')];
    expect((await hamrahi(personal, env())).exitCode).to.equal(0);
    expect(readFileSync(file('personal.json'), 'utf8')).to.include('12.971599');
    expect((await hamrahi([...args, '--bundle', file('personal.json')])).exitCode).to.equal(0);
    const again = await hamrahi(['audit', 'export', lab.over, '--out', file('bundle.json')], env());
    expect([again.exitCode, again.output]).to.deep.equal([2, `${file('bundle.json')} is there already.\n`]);
  });

  it('names what was changed in a bundle', async () => {
    const said = async (bundle: string) => {
      const { exitCode, output } = await verify('--bundle', bundle);
      expect(exitCode).to.equal(1);
      return output.split('\n')[0];
    };
    const forged = [
      forge('a', '"api.resolved"', '"api.released"'),
      forge('b', '"outcome": "completed"', '"outcome": "no-answer"'),
      forge('c', '"left-out"', '"included"'),
      forge('d', '"number": 2,', '"number": 3,'),
      forge('e', '{', '['),
    ];
    expect(await Promise.all(forged.map(said))).to.deep.equal([
      `session ${lab.over}, event 7: was altered`,
      `session ${lab.over}: its record or its calls were altered since head 2 was signed`,
      'bundle: has no valid signature',
      'head 3: was altered',
      'bundle: is no bundle of this format',
    ]);
  });

  it('notices an anchor that was tampered with itself', async () => {
    const [first = '', ...rest] = readFileSync(file('anchor.jsonl'), 'utf8').split('\n');
    writeFileSync(file('bent.jsonl'), [first.replace('"leaves":2', '"leaves":3'), ...rest].join('\n'));
    const { exitCode, output } = await verify('--anchor', file('bent.jsonl'));
    expect([exitCode, output.split('\n')[0]]).to.deep.equal([1, 'anchor line 1 (head 1): was altered']);
  });

  it('erases a citizen, says what is gone, and leaves the log whole', async () => {
    const erased = await hamrahi(['erase', lab.citizen, '--by', 'case 12/2026'], env());
    expect([erased.exitCode, erased.output]).to.deep.equal([
      0,
      'Erased: no entry in the directory (there was none), 1 personal rows of 1 sessions. Recorded as entry 1 of the log.\n',
    ]);
    const { exitCode, output } = await verify('--anchor', file('anchor.jsonl'));
    expect(exitCode, output).to.equal(0);
    expect(output).to.include('1 erasures');
    const citizens = await withClient(url, async (client) => {
      const { rows } = await client.query<{ id: string }>(
        'SELECT citizen_id AS id FROM sessions WHERE id = $1',
        [lab.open],
      );
      return rows.map((row) => row.id);
    });
    const open = await hamrahi(['erase', citizens[0]!, '--by', 'case 13'], env());
    expect([open.exitCode, open.output]).to.deep.equal([
      1,
      `${citizens[0]!} has an open session: resolve it, then erase. Nothing was erased.\n`,
    ]);
  });

  it('makes a key, shows its public half, and answers wrong usage with one sentence and 2', async () => {
    expect((await hamrahi(['audit', 'new-key', '--out', file('key.pem')])).exitCode).to.equal(0);
    const shown = await hamrahi(['audit', 'public-key'], { HAMRAHI_AUDIT_KEY_FILE: file('key.pem') });
    expect(shown.output).to.match(/^-----BEGIN PUBLIC KEY-----\n/);
    const wrong = [
      ['audit', 'public-key'],
      ['audit', 'verify'],
      ['audit', 'verify', '--key', file('none.pem')],
      ['audit', 'verify', '--key', file('key.pem')],
      ['audit', 'export', 'not-an-id', '--out', file('x')],
      ['erase', lab.citizen],
      ['erase', 'a-b', '--by', 'me'],
    ];
    const ends = await Promise.all(wrong.map((args) => hamrahi(args, { DATABASE_URL: url })));
    for (const [at, { exitCode, output }] of ends.entries()) {
      const said = wrong[at]?.join(' ');
      expect([said, exitCode, output.length > 0]).to.deep.equal([said, 2, true]);
      expect(output).to.not.include('    at ');
    }
  });
});
