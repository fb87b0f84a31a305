/**
 * Trunk files (`sip-trunks/<name>.yml`), each whole in itself, and over them what a site knows of its accounts: one YAML
 * file of trunk names with parts of their fields. A mistake is told of the file in which it is to be mended.
 */
import { resolve } from 'node:path';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { TrunkProblem } from '../../domain/trunk/trunk-problem.ts';
import { schemaCheck, type FieldFault, type SchemaCheck } from './schema-check.ts';
import { sharedSources, sourceFaults } from './source-rules.ts';
import { contradictions, covers, evidenceFaults, leafPaths, strayEvidence } from './trunk-rules.ts';
import { trunkTexts, type FileText, type TrunkTexts } from './trunk-texts.ts';
import { isRecord, readYaml, type YamlFile } from './yaml-file.ts';

/** `site`: the site's file says so, and says no more. */
export type EvidenceMark = 'documented' | 'reported' | 'assumed' | 'site';

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

export type LoadTrunksResult =
  | { readonly ok: true; readonly trunks: readonly LoadedTrunk[] }
  | { readonly ok: false; readonly problems: readonly TrunkProblem[] };

/** A trunk file as it stands. */
type TrunkData = Trunk & { readonly evidence: Readonly<Record<string, readonly [EvidenceMark, string]>> };

const SCHEMA_FILE = resolve(import.meta.dirname, '../../../../sip-trunks/trunk.schema.json');
const MAX_PROBLEMS_PER_FILE = 20;
let compiled: SchemaCheck | undefined;

/**
 * Every named trunk, in this order, or every problem of every file. `own`: addresses from which the gateway itself speaks
 * to Asterisk (the relay's).
 */
export function loadTrunks(
  folder: string,
  names: readonly string[],
  siteFile: string | null = null,
  own: readonly string[] = [],
): LoadTrunksResult {
  return trunksOf(trunkTexts(folder, names, siteFile), own);
}

export function trunksOf(texts: TrunkTexts, own: readonly string[] = []): LoadTrunksResult {
  const check = (compiled ??= schemaCheck(SCHEMA_FILE));
  const site = readSite(texts);
  const problems: TrunkProblem[] = [...site.problems];
  const trunks: LoadedTrunk[] = [];
  for (const [name, { file, content }] of texts.files) {
    const result = loadTrunk(name, { file, content }, site, check);
    const wrong = Array.isArray(result) ? result : sourceProblems(result, trunks, own);
    problems.push(...wrong.slice(0, MAX_PROBLEMS_PER_FILE));
    if (!Array.isArray(result)) trunks.push(result.loaded);
  }
  return problems.length > 0 ? { ok: false, problems: inOrder(problems) } : { ok: true, trunks };
}

/** A trunk that is right by itself, and where its sources are written. */
interface Placed {
  readonly loaded: LoadedTrunk;
  readonly sources: { readonly yaml: YamlFile; readonly above: readonly string[] };
}

function sourceProblems(
  { loaded: { trunk }, sources: { yaml, above } }: Placed,
  before: readonly LoadedTrunk[],
  own: readonly string[],
): readonly TrunkProblem[] {
  const alone = sourceFaults(trunk, own);
  const others = before.map((one) => one.trunk);
  const faults = alone.length > 0 ? alone : sharedSources(trunk, others);
  return faults.map(({ path, expected }) => invalid(yaml, [...above, ...path], expected));
}

interface Site {
  readonly yaml: YamlFile | null;
  readonly problems: readonly TrunkProblem[];
}

function readSite({ site, folder, present, files }: TrunkTexts): Site {
  if (site === null) return { yaml: null, problems: [] };
  const read = readFileText(site.file, site.content);
  if (Array.isArray(read)) return { yaml: null, problems: read };
  // an empty file is a site that has nothing to add
  const value = read.value ?? {};
  if (!isRecord(value)) return { yaml: null, problems: [invalid(read, [], 'a map of trunk names')] };
  const known = new Set([...files.keys(), ...present]);
  const problems = Object.entries(value).flatMap(([name, part]) => {
    if (!known.has(name)) return [invalid(read, [name], `the name of a trunk file in ${folder}`)];
    return isRecord(part) ? [] : [invalid(read, [name], 'a map of fields')];
  });
  return { yaml: read, problems };
}

function loadTrunk(
  name: string,
  { file, content }: { readonly file: string; readonly content: FileText },
  site: Site,
  check: SchemaCheck,
): Placed | TrunkProblem[] {
  const shipped = readFileText(file, content);
  if (Array.isArray(shipped)) return shipped;
  const own = faultsOf(shipped.value, check, (data) => [
    ...contradictions(data, name),
    ...evidenceFaults(fieldsOf(data), data.evidence),
  ]);
  if (own.length > 0) return own.map(({ path, expected }) => invalid(shipped, path, expected));
  const data = shipped.value as TrunkData;
  const part = isRecord(site.yaml?.value) ? site.yaml.value[name] : undefined;
  const shippedSources = { yaml: shipped, above: [] };
  if (site.yaml === null || !isRecord(part))
    return { loaded: { trunk: fieldsOf(data), evidence: evidenceOf(data) }, sources: shippedSources };

  const merged = mergeSite(data, part);
  const added = faultsOf(merged, check, (whole) => [
    ...contradictions(whole, name),
    ...strayEvidence(fieldsOf(whole), isRecord(part['evidence']) ? part['evidence'] : {}),
  ]);
  if (added.length > 0) {
    const { yaml } = site;
    return added.map(({ path, expected }) => invalid(yaml, [name, ...path], expected));
  }
  const loaded = {
    trunk: fieldsOf(merged as TrunkData),
    evidence: siteEvidence(merged as TrunkData, part, name, site.yaml),
  };
  return { loaded, sources: 'sources' in part ? { yaml: site.yaml, above: [name] } : shippedSources };
}

function faultsOf(
  value: unknown,
  check: SchemaCheck,
  rules: (data: TrunkData) => readonly FieldFault[],
): readonly FieldFault[] {
  const faults = check(value);
  return faults.length > 0 ? faults : rules(value as TrunkData);
}

function fieldsOf({ evidence: _, ...trunk }: TrunkData): Trunk {
  return trunk;
}

function evidenceOf({ evidence }: TrunkData): LoadedTrunk['evidence'] {
  const entries = Object.entries(evidence);
  return Object.fromEntries(entries.map(([path, [mark, source]]) => [path, { mark, source }]));
}

/** What the site says for itself is its own, unless it says where that is known from. */
function siteEvidence(
  merged: TrunkData,
  part: Readonly<Record<string, unknown>>,
  name: string,
  site: YamlFile,
): LoadedTrunk['evidence'] {
  const { evidence: marks, ...fields } = part;
  const proven = isRecord(marks) ? Object.keys(marks) : [];
  const bare = leafPaths(fields).filter((leaf) => !proven.some((mark) => covers(mark, leaf)));
  const line = (leaf: string): number => site.lineOf([name, ...leaf.split('.')]);
  const own = bare.map((leaf) => [leaf, { mark: 'site', source: `${site.file}:${line(leaf)}` }] as const);
  return { ...evidenceOf(merged), ...Object.fromEntries(own) };
}

/** Maps field by field, lists and single values as a whole; another kind of authorisation has other fields. */
function mergeSite(base: TrunkData, part: Readonly<Record<string, unknown>>): unknown {
  const { auth } = part;
  const isOther = isRecord(auth) && 'kind' in auth && auth['kind'] !== base.auth.kind;
  return merge(isOther ? { ...base, auth: null } : base, part);
}

function merge(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over;
  const changed = Object.entries(over).map(([key, value]) => [key, merge(base[key], value)] as const);
  return Object.fromEntries([...Object.entries(base), ...changed]);
}

function readFileText(file: string, content: FileText): YamlFile | TrunkProblem[] {
  if ('expected' in content)
    return [{ code: 'ERR_TRUNK_FILE_MISSING', file, line: null, path: '', expected: content.expected }];
  const read = readYaml(file, content.text);
  if (read.ok) return read.yaml;
  return read.faults.map(({ line, expected }) => ({
    ...{ code: 'ERR_TRUNK_FILE_SYNTAX', file, line, path: '', expected },
  }));
}

function invalid(yaml: YamlFile, path: readonly string[], expected: string): TrunkProblem {
  const { file } = yaml;
  return { code: 'ERR_TRUNK_FILE_INVALID', file, line: yaml.lineOf(path), path: path.join('.'), expected };
}

/** File by file, as they were read, and downwards in each. */
function inOrder(problems: readonly TrunkProblem[]): readonly TrunkProblem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  const place = ({ file }: TrunkProblem): number => files.indexOf(file);
  return problems.toSorted((a, b) => place(a) - place(b) || (a.line ?? 0) - (b.line ?? 0));
}
