/** Heads in a file, a line each, appended and synced. It is meant to lie where who rules the database cannot write. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { anchorLine, parseAnchorLine } from '../../evidence/anchor-line.ts';
import type { AuditHead, HeadAnchor } from '../../ports/audit-log.ts';

/** More than the longest two lines. */
const TAIL_BYTES = 4096;
const NEWLINE = 10;

export class AnchorFile implements HeadAnchor {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async last(): Promise<number> {
    return this.#with('a+', async (file) => {
      const lines = (await tailOf(file)).toString('utf8').split('\n');
      return lines.map(parseAnchorLine).findLast((head) => head !== null)?.number ?? 0;
    });
  }

  async append(head: AuditHead): Promise<void> {
    await this.#with('a+', async (file) => {
      // Half a line, left by a process that was killed, is closed: it stays unreadable and spoils nothing.
      const isTorn = (await tailOf(file)).at(-1) !== NEWLINE && (await file.stat()).size > 0;
      await file.appendFile(`${isTorn ? '\n' : ''}${anchorLine(head)}`);
      await file.datasync();
    });
  }

  async #with<T>(flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = await open(this.#path, flags, 0o640);
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }
}

async function tailOf(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const length = Math.min(size, TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead);
}
