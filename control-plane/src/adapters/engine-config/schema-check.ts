/** Plain data against a JSON schema: one sentence for each field that is wrong, saying what belongs there. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { ADDRESS_FORMATS } from './address-formats.ts';
import { isRecord } from './yaml-file.ts';

export interface FieldFault {
  readonly path: readonly string[];
  /** Completes "expected …". */
  readonly expected: string;
}

export type SchemaCheck = (value: unknown) => readonly FieldFault[];

type Schema = Readonly<Record<string, unknown>>;

/** Throws when the file is no schema: it belongs to the program. */
export function schemaCheck(file: string): SchemaCheck {
  const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema;
  const check = new Ajv2020({
    allErrors: true,
    strict: true,
    verbose: true,
    formats: ADDRESS_FORMATS,
  }).compile(schema);
  return (value) => (check(value) ? [] : onePerField(check.errors ?? [], schema));
}

/**
 * Several errors of one field are one mistake. Of alternatives all together say what belongs there, unless one of them
 * fits as far as a field inside it.
 */
function onePerField(errors: readonly ErrorObject[], root: Schema): readonly FieldFault[] {
  const faults = new Map<string, FieldFault>();
  const choices = new Set<string>();
  for (const error of errors) {
    // the frame of a condition only repeats what its branch says
    if (error.keyword === 'if') continue;
    const fault = faultOf(error, root);
    const key = fault.path.join('\0');
    if (error.keyword === 'anyOf') choices.add(key);
    if (error.keyword === 'anyOf' || !faults.has(key)) faults.set(key, fault);
  }
  for (const choice of choices)
    if ([...faults.keys()].some((key) => key.startsWith(`${choice}\0`))) faults.delete(choice);
  return [...faults.values()];
}

function faultOf(error: ErrorObject, root: Schema): FieldFault {
  const path = error.instancePath.split('/').slice(1).map(unescaped);
  const schema = (error.parentSchema ?? {}) as Schema;
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  if (params.missingProperty !== undefined) {
    const fields = schema['properties'] as Readonly<Record<string, Schema | true>> | undefined;
    const field = fields?.[params.missingProperty];
    const what = isRecord(field) ? describeSchema(field, root) : 'a value';
    return { path: [...path, params.missingProperty], expected: `${what} (the field is missing)` };
  }
  if (params.additionalProperty !== undefined) {
    const field = params.additionalProperty;
    return { path: [...path, field], expected: noSuchField(field) };
  }
  return { path, expected: describeSchema(schema, root) };
}

/** A password in the wrong place is to be found by its name before it is committed. */
function noSuchField(name: string): string {
  if (!/pass|secret|pwd|token|credential/i.test(name)) return 'no such field';
  return 'no such field (secrets are named by a reference, and kept in the secrets manager)';
}

/** JSON pointer (RFC 6901). */
function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What a schema admits, in words. */
export function describeSchema(schema: Schema, root: Schema): string {
  const {
    $ref: reference,
    type,
    pattern,
    description,
    minLength,
    maxLength,
  } = schema as {
    $ref?: string;
    type?: string;
    pattern?: string;
    description?: string;
    minLength?: number;
    maxLength?: number;
  };
  if (reference !== undefined) return describeSchema(resolved(reference, root), root);
  const alternatives = schema['anyOf'] as readonly Schema[] | undefined;
  if (alternatives) return alternatives.map((one) => describeSchema(one, root)).join(', or ');
  if ('const' in schema) return description ?? String(schema['const']);
  const options = schema['enum'] as readonly unknown[] | undefined;
  if (options) return `one of ${options.map(String).join(', ')}`;
  switch (type) {
    case 'integer':
      return `a whole number ${rangeOf(schema)}`.trimEnd();
    case 'number':
      return `a number ${rangeOf(schema)}`.trimEnd();
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return listOf(schema, description);
    case 'object':
      return 'a map of fields';
    default:
      if (pattern !== undefined) return description ?? `text like ${pattern}`;
      return `text of ${minLength ?? 0} to ${maxLength ?? 'any number of'} characters`;
  }
}

function rangeOf(schema: Schema): string {
  const { minimum, exclusiveMinimum, maximum } = schema as Readonly<Record<string, number | undefined>>;
  const least = exclusiveMinimum === undefined ? minimum : exclusiveMinimum;
  if (least === undefined) return maximum === undefined ? '' : `of at most ${maximum}`;
  const lower = `${exclusiveMinimum === undefined ? 'from' : 'above'} ${least}`;
  return maximum === undefined ? lower : `${lower} to ${maximum}`;
}

function listOf(schema: Schema, description: string | undefined): string {
  const { minItems, maxItems, uniqueItems } = schema as {
    minItems?: number;
    maxItems?: number;
    uniqueItems?: boolean;
  };
  const count =
    minItems !== undefined && minItems === maxItems
      ? `of ${minItems}`
      : [minItems && `of at least ${minItems}`, maxItems && `of at most ${maxItems}`]
          .filter(Boolean)
          .join(', ');
  const parts = [`a list ${count}`.trimEnd(), uniqueItems === true ? 'each once' : '', description ?? ''];
  return parts.filter((part) => part !== '').join(', ');
}

function resolved(reference: string, root: Schema): Schema {
  const segments = reference.replace(/^#\//, '').split('/').map(unescaped);
  const found = segments.reduce<unknown>((at, segment) => (isRecord(at) ? at[segment] : undefined), root);
  if (!isRecord(found)) throw new Error(`the schema refers to ${reference}, which it does not have`);
  return found;
}
