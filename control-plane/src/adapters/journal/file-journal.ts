/**
 * The journal as one file that only its owner may read. Its first megabytes are written ahead, so that a disk that
 * fills up (the database's, often) takes no place away from it and a sync has no length to write. What comes
 * while a sync runs is written by the next one, together.
 */
import { appendFile, mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal, JournalEntry, JournalResult } from '../../ports/journal.ts';
import type { Log } from '../../ports/log.ts';
import { lineOf, readLines } from './journal-line.ts';

const OWNER_ONLY = 0o600;
const DIRECTORY_MODE = 0o700;
const CHUNK = Buffer.alloc(262_144);

export interface FileJournalOptions {
  /** Made when missing. */
  readonly directory: string;
  /** Of the file, without its ending: one for each node. */
  readonly name: string;
  readonly maxBytes: number;
  /** Written ahead; at most `maxBytes`. */
  readonly reservedBytes: number;
  readonly log: Log;
}

interface Waiting {
  readonly line: Buffer;
  readonly done: (result: JournalResult) => void;
}

async function openOrMake(path: string): Promise<FileHandle> {
  const made = await open(path, 'a', OWNER_ONLY);
  await made.close();
  return open(path, 'r+');
}

export class FileJournal implements Journal {
  readonly #options: FileJournalOptions;
  #file: FileHandle | null = null;
  /** Where the next line begins. */
  #end = 0;
  #size = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Work on the file, one after the other; never rejects. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: FileJournalOptions) {
    this.#options = options;
  }

  /**
   * Opens the file: before it, nothing can be appended, and who only stands by leaves the file alone. Throws when it
   * cannot be used: a node without a journal must not start. Erases what a torn line left behind the last whole one.
   */
  async read(): ReturnType<Journal['read']> {
    const { directory, name, maxBytes, reservedBytes } = this.#options;
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    const file = await openOrMake(join(directory, `${name}.jsonl`));
    await file.chmod(OWNER_ONLY);
    const bytes = await file.readFile();
    const { entries, damaged, end } = readLines(bytes);
    this.#file = file;
    this.#end = end;
    this.#size = bytes.length;
    await this.#zero(end, Math.max(bytes.length, Math.min(reservedBytes, maxBytes)));
    const folder = await open(directory, 'r');
    await folder.sync();
    await folder.close();
    return { entries, damaged };
  }

  append(entry: JournalEntry): Promise<JournalResult> {
    const line = lineOf(entry);
    const { maxBytes } = this.#options;
    if (this.#end + this.#waitingBytes + line.length > maxBytes)
      return Promise.resolve(failed('ERR_JOURNAL_FULL', `the journal holds at most ${maxBytes} bytes`));
    this.#waitingBytes += line.length;
    return new Promise((done) => {
      const batch = this.#waiting;
      batch.push({ line, done });
      if (batch.length === 1) void this.#next(() => this.#writeBatch(batch));
    });
  }

  /** The store has everything, what waits to be written too; what comes from now on is written behind the clearing. */
  clear(): Promise<JournalResult> {
    // Emptied in place: its turn to be written, which comes before the clearing, finds nothing.
    for (const { done } of this.#waiting.splice(0)) done({ ok: true });
    this.#waiting = [];
    this.#waitingBytes = 0;
    return this.#next(async () => {
      const used = this.#end;
      this.#end = 0;
      return this.#tried(() => this.#zero(0, used));
    });
  }

  setAside(entries: readonly JournalEntry[]): Promise<JournalResult> {
    const { directory, name } = this.#options;
    const text = Buffer.concat(entries.map(lineOf));
    return this.#next(() =>
      this.#tried(() =>
        appendFile(join(directory, `${name}.aside.jsonl`), text, { mode: OWNER_ONLY, flush: true }),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#file?.close();
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    if (this.#waiting === batch) {
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    const bytes = Buffer.concat(batch.map(({ line }) => line));
    const result = await this.#tried(async () => {
      await this.#write(bytes, this.#end);
      await this.#opened().datasync();
      // Only now: what may have been written in part is written over by what comes next.
      this.#end += bytes.length;
      this.#size = Math.max(this.#size, this.#end);
    });
    for (const { done } of batch) done(result);
  }

  async #tried(work: () => Promise<void>): Promise<JournalResult> {
    try {
      await work();
      return { ok: true };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      this.#options.log.error('The journal could not be written.', { code: 'ERR_JOURNAL_IO', reason: code });
      return failed('ERR_JOURNAL_IO', `the disk refused (${code})`);
    }
  }

  async #zero(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += CHUNK.length)
      await this.#write(CHUNK.subarray(0, Math.min(CHUNK.length, to - at)), at);
    this.#size = Math.max(this.#size, to);
    await this.#opened().sync();
  }

  #opened(): FileHandle {
    if (!this.#file) throw new Error('the journal has not been read');
    return this.#file;
  }

  async #write(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#opened().write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  }
}

function failed(code: 'ERR_JOURNAL_FULL' | 'ERR_JOURNAL_IO', detail: string): JournalResult {
  return { ok: false, code, detail };
}
