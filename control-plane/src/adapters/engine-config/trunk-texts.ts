/** The texts of trunk files, read apart from what they say, so that a slow disk holds up nobody. */
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file's text, or why there is none, completing "expected …". */
export type FileText = { readonly text: string } | { readonly expected: string };

export interface TrunkTexts {
  readonly folder: string;
  /** Names of all trunk files of the folder, sorted. */
  readonly present: readonly string[];
  /** By trunk name, in the order of the settings. */
  readonly files: ReadonlyMap<string, { readonly file: string; readonly content: FileText }>;
  readonly site: { readonly file: string; readonly content: FileText } | null;
}

const TRUNK_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const MAX_CHARACTERS = 1_000_000;
const NO_TRUNK: FileText = { expected: 'a trunk file of this name' };
const UNREADABLE: FileText = { expected: 'a file that can be read' };

export function trunkTexts(folder: string, names: readonly string[], siteFile: string | null): TrunkTexts {
  return gathered(folder, trunkNamesIn(folder), names, siteFile, (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      return error;
    }
  });
}

/** Null: the files did not come within the deadline. */
export async function trunkTextsWithin(
  deadlineMs: number,
  folder: string,
  names: readonly string[],
  siteFile: string | null,
): Promise<TrunkTexts | null> {
  const files = names.filter(isTrunkName).map((name) => fileOf(folder, name));
  if (siteFile !== null) files.push(siteFile);
  const reading = Promise.all([
    readdir(folder).catch(() => []),
    ...files.map(
      async (file) => [file, await readFile(file, 'utf8').catch((error: unknown) => error)] as const,
    ),
  ]);
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), deadlineMs);
  const read = await Promise.race([reading, late.promise]);
  clearTimeout(timer);
  if (read === null) return null;
  const [listed, ...contents] = read;
  const texts = new Map<string, unknown>(contents);
  return gathered(folder, namesOf(listed), names, siteFile, (file) => texts.get(file));
}

/** Every trunk file of a folder, by name; none when there is no such folder. */
export function trunkNamesIn(folder: string): readonly string[] {
  try {
    return namesOf(readdirSync(folder));
  } catch {
    return [];
  }
}

function namesOf(files: readonly string[]): readonly string[] {
  return files
    .filter((name) => name.endsWith('.yml'))
    .map((name) => name.slice(0, -'.yml'.length))
    .filter(isTrunkName)
    .sort();
}

function gathered(
  folder: string,
  present: readonly string[],
  names: readonly string[],
  siteFile: string | null,
  read: (file: string) => unknown,
): TrunkTexts {
  const files = new Map(
    names.map((name) => {
      const file = fileOf(folder, name);
      return [name, { file, content: isTrunkName(name) ? contentOf(read(file), NO_TRUNK) : NO_TRUNK }];
    }),
  );
  const site = siteFile === null ? null : { file: siteFile, content: contentOf(read(siteFile), UNREADABLE) };
  return { folder, present, files, site };
}

/** What reading gave: a text, or an error. */
function contentOf(read: unknown, missing: FileText): FileText {
  if (typeof read !== 'string') {
    const { code } = (read ?? {}) as NodeJS.ErrnoException;
    return code === 'ENOENT' ? missing : UNREADABLE;
  }
  if (read.length > MAX_CHARACTERS) return { expected: `at most ${MAX_CHARACTERS} characters` };
  return { text: read };
}

function isTrunkName(name: string): boolean {
  return TRUNK_NAME.test(name);
}

function fileOf(folder: string, name: string): string {
  return join(folder, `${name}.yml`);
}
