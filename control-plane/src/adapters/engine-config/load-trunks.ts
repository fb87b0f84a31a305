/** The trunk files of `sip-trunks/`: YAML, checked by trunk.schema.json, completed by what a site knows of its account. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { Trunk } from '../../domain/trunk/trunk.ts';

export type EvidenceMark = 'documented' | 'reported' | 'assumed';

/** How sure a field is, and where that is known from. */
export interface Evidence {
  readonly mark: EvidenceMark;
  readonly source: string;
}

export interface LoadedTrunk {
  readonly trunk: Trunk;
  /** By dotted path; a path stands for everything below it that has no path of its own. */
  readonly evidence: Readonly<Record<string, Evidence>>;
}

export interface TrunkProblem {
  readonly code: 'ERR_TRUNK_FILE_MISSING' | 'ERR_TRUNK_FILE_SYNTAX' | 'ERR_TRUNK_FILE_INVALID';
  readonly file: string;
  /** From 1; null when the place is in no file (the site's additions). */
  readonly line: number | null;
  /** Dotted path of the field, empty for the file as a whole. */
  readonly path: string;
  readonly expected: string;
}

export type LoadTrunksResult =
  | { readonly ok: true; readonly trunks: readonly LoadedTrunk[] }
  | { readonly ok: false; readonly problems: readonly TrunkProblem[] };

/** A part of a trunk file, merged over it: maps field by field, lists and single values as a whole. */
export type SiteTrunk = Readonly<Record<string, unknown>>;

const MAX_PROBLEMS_PER_FILE = 20;
const TRUNK_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** Every named trunk, in this order, or every problem of every file. `site` holds account data by trunk name. */
export function loadTrunks(
  folder: string,
  names: readonly string[],
  site: Readonly<Record<string, SiteTrunk>> = {},
): LoadTrunksResult {
  const validate = compileSchema(join(folder, 'trunk.schema.json'));
  const trunks: LoadedTrunk[] = [];
  const problems: TrunkProblem[] = [];
  for (const name of names) {
    const result = loadTrunk(folder, name, site[name] ?? {}, validate);
    if (Array.isArray(result)) problems.push(...result.slice(0, MAX_PROBLEMS_PER_FILE));
    else trunks.push(result);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, trunks };
}

type Validate = (value: unknown) => readonly ErrorObject[];

function compileSchema(file: string): Validate {
  const schema = JSON.parse(readFileSync(file, 'utf8')) as object;
  const check = new Ajv2020({ allErrors: true, strict: true, verbose: true }).compile(schema);
  return (value) => (check(value) ? [] : (check.errors ?? []));
}

function loadTrunk(
  folder: string,
  name: string,
  site: SiteTrunk,
  validate: Validate,
): LoadedTrunk | TrunkProblem[] {
  const file = join(folder, `${name}.yml`);
  if (!TRUNK_NAME.test(name) || !existsSync(file)) {
    return [
      { code: 'ERR_TRUNK_FILE_MISSING', file, line: null, path: '', expected: 'a trunk file of this name' },
    ];
  }
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, uniqueKeys: true });
  const syntax = (line: number, message: string): TrunkProblem => ({
    code: 'ERR_TRUNK_FILE_SYNTAX',
    file,
    line,
    path: '',
    expected: `valid YAML (${message.split('\n')[0] ?? ''})`,
  });
  if (document.errors.length > 0) {
    return document.errors.map(({ pos, message }) => syntax(lines.linePos(pos[0]).line, message));
  }
  const plain = plainValue(document);
  if (plain === null) return [syntax(1, 'aliases are not allowed here')];
  const merged = merge(plain.value, site);
  const at = (path: readonly string[]): number | null => lineOf(document, lines, path);
  const invalid = (path: readonly string[], expected: string): TrunkProblem => ({
    code: 'ERR_TRUNK_FILE_INVALID',
    file,
    line: at(path),
    path: path.join('.'),
    expected,
  });
  const schemaProblems = validate(merged).flatMap((error) => {
    const expected = expectation(error);
    return expected === null ? [] : [invalid(pathOf(error), expected)];
  });
  if (schemaProblems.length > 0) return schemaProblems;

  const { evidence: table, ...trunk } = merged as Trunk & {
    evidence: Record<string, [EvidenceMark, string]>;
  };
  const problems = ruleProblems(trunk, table, name).map(([path, expected]) => invalid(path, expected));
  if (problems.length > 0) return problems;
  const evidence = Object.fromEntries(
    Object.entries(table).map(([path, [mark, source]]) => [path, { mark, source }]),
  );
  return { trunk, evidence };
}

/** The document as plain data, or null when it uses aliases: they could make a small file endless. */
function plainValue(document: Document): { value: unknown } | null {
  try {
    return { value: document.toJS({ maxAliasCount: 0 }) };
  } catch (error) {
    if (error instanceof ReferenceError) return null;
    throw error;
  }
}

/** What a schema cannot say: names that match, a default that is owned, evidence for every field and for no other. */
function ruleProblems(trunk: Trunk, evidence: object, name: string): [path: string[], expected: string][] {
  const problems: [string[], string][] = [];
  if (trunk.name !== name) problems.push([['name'], `the file's name, ${name}`]);
  const { default: chosen, owned } = trunk.callerId;
  if (chosen !== null && !owned.includes(chosen))
    problems.push([['callerId', 'default'], 'one of callerId.owned']);
  if (trunk.capacity.sosReserve > trunk.capacity.channels) {
    problems.push([['capacity', 'sosReserve'], 'no more than capacity.channels']);
  }
  const leaves = leafPaths(trunk).filter((path) => path !== 'name' && path !== 'description');
  const proven = Object.keys(evidence);
  const covers = (mark: string, leaf: string): boolean => leaf === mark || leaf.startsWith(`${mark}.`);
  for (const leaf of leaves) {
    if (!proven.some((mark) => covers(mark, leaf)))
      problems.push([leaf.split('.'), 'an entry under evidence']);
  }
  for (const mark of proven) {
    if (!leaves.some((leaf) => covers(mark, leaf)))
      problems.push([['evidence', mark], 'a field of this trunk']);
  }
  return problems;
}

/** Dotted paths of everything that is no map. A list is one leaf. */
function leafPaths(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    isRecord(item) ? leafPaths(item, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

function merge(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over))
    merged[key] = key in base ? merge(base[key], value) : value;
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pathOf(error: ErrorObject): string[] {
  const path = error.instancePath.split('/').slice(1);
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const last = params.missingProperty ?? params.additionalProperty;
  return last === undefined ? path : [...path, last];
}

/** What should have stood there, in words; null for errors that only repeat others (the frame of a condition). */
function expectation(error: ErrorObject): string | null {
  const params = error.params as {
    allowedValues?: unknown[];
    allowedValue?: unknown;
    type?: string | string[];
  };
  switch (error.keyword) {
    case 'if':
      return null;
    case 'enum':
      return `one of ${(params.allowedValues ?? []).map(String).join(', ')}`;
    case 'const':
      return String(params.allowedValue);
    case 'required':
      return 'a value (the field is missing)';
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'no such field';
    case 'pattern':
      return (
        (error.parentSchema as { description?: string } | undefined)?.description ??
        error.message ??
        'another form'
      );
    default:
      return error.message ?? error.keyword;
  }
}

/** The line of a field, or of the nearest thing above it that the file has. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document, path: readonly string[]): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === key);
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}
