/** One line of the journal: a JSON object with the entry and a checksum (CRC-32, RFC 1952 section 8) of its text. */
import { crc32 } from 'node:zlib';
import type { JournalEntry } from '../../ports/journal.ts';

const NUL = 0;
const NEWLINE = 0x0a;
const LINE = /^\{"crc":"([0-9a-f]{8})","entry":(.*)\}$/s;

/** Ends with a newline, and holds no other. */
export function lineOf(entry: JournalEntry): Buffer {
  const text = JSON.stringify(entry);
  return Buffer.from(`{"crc":"${checksum(text)}","entry":${text}}\n`);
}

export interface Lines {
  readonly entries: readonly JournalEntry[];
  readonly damaged: number;
  /** Bytes up to the end of the last whole entry. */
  readonly end: number;
}

/** Reads up to the first NUL: behind it nothing was ever written. A damaged line, as a torn last one, is passed over. */
export function readLines(bytes: Buffer): Lines {
  const nul = bytes.indexOf(NUL);
  const length = nul === -1 ? bytes.length : nul;
  const entries: JournalEntry[] = [];
  let damaged = 0;
  let end = 0;
  for (let start = 0; start < length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const stop = newline === -1 || newline > length ? length : newline;
    const entry = entryOf(bytes.toString('utf8', start, stop));
    if (entry) {
      entries.push(entry);
      end = Math.min(stop + 1, length);
    } else {
      damaged += 1;
    }
    start = stop + 1;
  }
  return { entries, damaged, end };
}

function entryOf(line: string): JournalEntry | null {
  const [, sum, text] = LINE.exec(line) ?? [];
  if (text === undefined || checksum(text) !== sum) return null;
  return JSON.parse(text) as JournalEntry;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
