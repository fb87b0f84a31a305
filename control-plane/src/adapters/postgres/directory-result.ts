/** The directory's refusals, from what the schema forbids. */
import type { DirectoryResult } from '../../ports/directory.ts';
import { StatementError, storeErrorOf } from './store-error.ts';

type Refusal = Extract<DirectoryResult, { ok: false }>;

export const DONE: DirectoryResult = { ok: true, value: undefined };

export function refused(code: Refusal['code'], detail: string): Refusal {
  return { ok: false, code, detail };
}

const FOREIGN_KEY = '23503';
const UNIQUE = '23505';

/** Which words a broken rule of the schema gets; a rule without words is a bug and throws. */
export interface RefusalWords {
  /** Something that the entry names does not exist. */
  readonly missing?: string;
  /** Something else names the entry. */
  readonly inUse?: string;
  /** It clashes with another entry. */
  readonly conflict?: string;
}

export async function directoryResult(
  work: Promise<DirectoryResult>,
  words: RefusalWords = {},
): Promise<DirectoryResult> {
  try {
    return await work;
  } catch (error) {
    const known = storeErrorOf(error);
    const state = known instanceof StatementError ? known.sqlState : null;
    if (state === FOREIGN_KEY && words.missing) return refused('ERR_DIRECTORY_NOT_FOUND', words.missing);
    if (state === FOREIGN_KEY && words.inUse) return refused('ERR_DIRECTORY_IN_USE', words.inUse);
    if (state === UNIQUE && words.conflict) return refused('ERR_DIRECTORY_CONFLICT', words.conflict);
    throw known;
  }
}
