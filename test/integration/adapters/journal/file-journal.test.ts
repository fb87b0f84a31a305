import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { FileJournal } from '../../../../control-plane/src/adapters/journal/file-journal.ts';
import { lineOf } from '../../../../control-plane/src/adapters/journal/journal-line.ts';
import { journalEntry } from '../../../support/journal-entries.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { copied } from '../../../support/memory/memory-tables.ts';

const RESERVED = 65_536;

describe('adapters/journal/file-journal', () => {
  let directory = '';
  const opened: FileJournal[] = [];
  const make = (maxBytes = 1_000_000): FileJournal => {
    const log = keptLog();
    const journal = new FileJournal({ directory, name: 'n', maxBytes, reservedBytes: RESERVED, log });
    opened.push(journal);
    return journal;
  };
  const open = async (maxBytes?: number): Promise<FileJournal> => {
    const journal = make(maxBytes);
    await journal.read();
    return journal;
  };
  const path = (): string => join(directory, 'n.jsonl');

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'hamrahi-journal-')), 'journal');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((journal) => journal.close()));
    rmSync(join(directory, '..'), { recursive: true });
  });

  it('keeps what was appended side by side, in order, for the next start', async () => {
    const journal = await open();
    const entries = Array.from({ length: 40 }, (_, n) => journalEntry(`key-${n}`));
    const results = await Promise.all(entries.map((entry) => journal.append(entry)));
    expect(results.every(({ ok }) => ok)).to.equal(true);
    const next = await make().read();
    expect(next).to.deep.equal({ entries: copied(entries), damaged: 0 });
  });

  it('clears what came before, and keeps what comes after, in whatever haste', async () => {
    const journal = await open();
    const late = journalEntry('after the clearing');
    const results = await Promise.all([
      journal.append(journalEntry('written')),
      journal.append(journalEntry('waits')),
      journal.clear(),
      journal.append(late),
    ]);
    expect(results.every(({ ok }) => ok)).to.equal(true);
    expect(await make().read()).to.deep.equal({ entries: copied([late]), damaged: 0 });
  });

  it('is readable by its owner alone, and has its first bytes reserved on the disk', async () => {
    await open();
    expect(statSync(path()).mode & 0o777).to.equal(0o600);
    expect(statSync(directory).mode & 0o777).to.equal(0o700);
    expect(statSync(path())).to.include({ size: RESERVED });
    expect(statSync(path()).blocks * 512).to.be.at.least(RESERVED);
  });

  it('goes on behind a line that a crash tore', async () => {
    const journal = await open();
    await journal.append(journalEntry('whole'));
    const end = lineOf(journalEntry('whole')).length;
    const torn = Buffer.concat([readFileSync(path()).subarray(0, end), lineOf(journalEntry('torn'))]);
    writeFileSync(path(), torn);
    truncateSync(path(), torn.length - 200);
    const next = make();
    expect((await next.read()).damaged).to.equal(1);
    await next.append(journalEntry('after'));
    const { entries, damaged } = await make().read();
    expect(entries.map(({ claim }) => claim?.key)).to.deep.equal(['whole', 'after']);
    expect(damaged).to.equal(0);
  });

  it('leaves nothing readable once it is cleared', async () => {
    const journal = await open();
    await journal.append(journalEntry('secret-key'));
    expect(readFileSync(path(), 'utf8')).to.include('secret-key');
    expect(await journal.clear()).to.deep.equal({ ok: true });
    expect(readFileSync(path()).every((byte) => byte === 0)).to.equal(true);
    await journal.append(journalEntry('next'));
    expect((await make().read()).entries.map(({ claim }) => claim?.key)).to.deep.equal(['next']);
  });

  it('says ERR_JOURNAL_FULL at its bound, and takes again what fits once it is cleared', async () => {
    const one = lineOf(journalEntry()).length;
    const journal = await open(Math.round(2.5 * one));
    const results = await Promise.all([1, 2, 3].map(() => journal.append(journalEntry())));
    expect(results.map((result) => result.ok || result.code)).to.deep.equal([true, true, 'ERR_JOURNAL_FULL']);
    await journal.clear();
    expect(await journal.append(journalEntry())).to.deep.equal({ ok: true });
  });

  it('keeps apart what the store does not take', async () => {
    const journal = await open();
    await journal.setAside([journalEntry('apart')]);
    expect(readFileSync(join(directory, 'n.aside.jsonl'), 'utf8')).to.include('apart');
    expect(statSync(join(directory, 'n.aside.jsonl')).mode & 0o777).to.equal(0o600);
  });

  it('says ERR_JOURNAL_IO when the disk refuses, and lives', async () => {
    const journal = await open();
    await journal.close();
    opened.length = 0;
    expect(await journal.append(journalEntry())).to.include({ ok: false, code: 'ERR_JOURNAL_IO' });
  });

  it('has on disk what it said was there when it is killed', async () => {
    const script = `
      const { FileJournal } = await import(process.argv[1]);
      const { journalEntry } = await import(process.argv[2]);
      const { silentLog } = await import(process.argv[3]);
      const journal = new FileJournal({ directory: process.argv[4], name: 'n', maxBytes: 1e6, reservedBytes: 4096, log: silentLog });
      await journal.read();
      await journal.append(journalEntry('kept'));
      void journal.append(journalEntry('perhaps'));
      process.kill(process.pid, 'SIGKILL');`;
    const file = (name: string): string => join(import.meta.dirname, '../../../..', name);
    const died = promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      script,
      file('control-plane/src/adapters/journal/file-journal.ts'),
      file('test/support/journal-entries.ts'),
      file('test/support/silent-log.ts'),
      directory,
    ]);
    expect(await died.catch((error: unknown) => error)).to.have.property('signal', 'SIGKILL');
    expect((await make().read()).entries[0]?.claim?.key).to.equal('kept');
  });
});
