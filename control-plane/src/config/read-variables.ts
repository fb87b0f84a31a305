/** From the text of the environment to typed values, each wrong variable reported. */
import { readFileSync } from 'node:fs';
import { isSecretVariable } from './secret-variables.ts';
import { VARIABLES } from './variables.ts';
import type { Variable } from './variable.ts';

export interface ConfigError {
  readonly variable: string;
  readonly expected: string;
  /** What it was set to; `null`: it is unset, or secret. */
  readonly got: string | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type VariableName = keyof typeof VARIABLES;

type ValueOf<V> = V extends Variable<infer T, infer D> ? (D extends string ? T : T | null) : never;
export type Values = { readonly [N in VariableName]: ValueOf<(typeof VARIABLES)[N]> };

const NAMES = Object.keys(VARIABLES) as VariableName[];

/** Reads every variable; values of wrong ones are absent, and `errors` tells of each. */
export function readVariables(env: Environment): {
  readonly values: Partial<Values>;
  readonly errors: readonly ConfigError[];
} {
  const errors: ConfigError[] = [...unknownNames(env)];
  const values: Record<string, unknown> = {};
  for (const name of NAMES) {
    const read = readVariable(name, env);
    errors.push(...read.errors);
    if (read.value !== undefined) values[name] = read.value;
  }
  return { values, errors };
}

/** One variable; its value is `undefined` when something is wrong with it. */
export function readVariable(
  name: VariableName,
  env: Environment,
): { readonly value: unknown; readonly errors: readonly ConfigError[] } {
  const errors: ConfigError[] = [];
  const variable: Variable<unknown> = VARIABLES[name];
  const text = textOf(name, variable, env, errors);
  if (text === undefined || text === null) return { value: text, errors };
  const result = variable.schema.safeParse(text);
  if (result.success) return { value: result.data, errors };
  return {
    value: undefined,
    errors: [{ variable: name, expected: variable.expects, got: variable.secret ? null : text }],
  };
}

/** Empty means unset. `undefined`: it cannot be had, and the reason is in `errors`. */
function textOf(
  name: string,
  variable: Variable<unknown>,
  env: Environment,
  errors: ConfigError[],
): string | null | undefined {
  const direct = env[name] === '' ? undefined : env[name];
  // A file that has a variable of its own is read by who needs it, again and again.
  const file = variable.secret && !Object.hasOwn(VARIABLES, `${name}_FILE`) ? env[`${name}_FILE`] : undefined;
  if (file === undefined || file === '') return direct ?? variable.fallback;
  if (direct !== undefined) {
    errors.push({ variable: `${name}_FILE`, expected: `to be unset, since ${name} is set`, got: file });
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    errors.push({ variable: `${name}_FILE`, expected: 'a file that can be read', got: file });
    return undefined;
  }
}

/** A misspelt setting must not be ignored. Its value is not shown: it may be a secret. */
function unknownNames(env: Environment): ConfigError[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('HAMRAHI_') && !isKnown(name))
    .sort()
    .map((name) => ({
      variable: name,
      expected: `not to be set: there is no such setting${hint(name)}`,
      got: null,
    }));
}

function isKnown(name: string): boolean {
  if (Object.hasOwn(VARIABLES, name) || isSecretVariable(name)) return true;
  const base = name.replace(/_FILE$/, '');
  return base !== name && NAMES.some((known) => known === base && VARIABLES[known].secret);
}

function hint(name: string): string {
  const nearest = NAMES.map((known) => ({ known, distance: editDistance(name, known) })).sort(
    (a, b) => a.distance - b.distance,
  )[0];
  return nearest && nearest.distance <= 3 ? ` (did you mean ${nearest.known}?)` : '';
}

/** Levenshtein's distance, by its two-row recurrence. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
