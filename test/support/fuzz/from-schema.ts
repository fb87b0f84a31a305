/** Values from JSON schemas, as OpenAPI and AsyncAPI publish them: good ones, nearly good ones, and hostile ones. */
import fc from 'fast-check';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema | boolean;
  readonly prefixItems?: readonly Schema[];
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const MAX_ITEMS = 4;
const SAMPLE_DATES = ['2026-01-02T03:04:05.678Z', '2099-12-31T23:59:59.000Z', '1970-01-01T00:00:00.000Z'];

/** Values that fit. `root` holds what `$ref` points to. */
export function fitting(schema: Schema, root: unknown): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fitting(resolved(schema.$ref, root), root);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => fitting(choice, root)));
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  const { minimum = -1e6, maximum = 1e6 } = schema;
  switch (type) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) });
    case 'number':
      return fc.double({ min: minimum, max: maximum, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return list(schema, root);
    case 'object':
      return record(schema, root);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function text({ pattern, format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<unknown> {
  if (format === 'date-time') return fc.constantFrom(...SAMPLE_DATES);
  if (format === 'uuid') return fc.uuid();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: 'small' });
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 60), unit: 'grapheme' });
}

function list(
  { items, prefixItems, minItems = 0, maxItems = MAX_ITEMS }: Schema,
  root: unknown,
): fc.Arbitrary<unknown> {
  if (prefixItems) return fc.tuple(...prefixItems.map((item) => fitting(item, root)));
  const item = typeof items === 'object' ? fitting(items, root) : fc.jsonValue({ maxDepth: 1 });
  return fc.array(item, {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, MAX_ITEMS)),
  });
}

function record({ properties = {}, required = [] }: Schema, root: unknown): fc.Arbitrary<unknown> {
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, fitting(one, root)]),
  );
  return fc.record(model, { requiredKeys: required.filter((name) => name in model) });
}

function resolved(reference: string, root: unknown): Schema {
  let found = root;
  for (const step of reference.slice(2).split('/')) found = (found as Record<string, unknown>)[step];
  return found as Schema;
}

const NASTY_TEXTS = [
  '',
  '\0',
  '\ud800',
  '\u202e',
  "'; DROP TABLE sessions; --",
  '${jndi:ldap://x}',
  '../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'citizen-a-b',
  '*',
  '+919876543210\r\nX: y',
  'a'.repeat(5_000),
  '9'.repeat(400),
];
const NASTY: readonly unknown[] = [
  null,
  true,
  [],
  {},
  -1,
  -0,
  0.1,
  1e308,
  -1e308,
  Number.MAX_SAFE_INTEGER + 2,
  2 ** 31,
  2 ** 53,
  ...NASTY_TEXTS,
];
export const nastyText = fc.constantFrom(...NASTY_TEXTS);
const nasty = fc.constantFrom(...NASTY);

/** A value that fits but for one place in it, or one thing too many. */
export function nearlyFitting(schema: Schema, root: unknown): fc.Arbitrary<unknown> {
  return fc
    .tuple(
      fitting(schema, root),
      fc.array(fc.nat(20), { maxLength: 4 }),
      nasty,
      fc.constantFrom('replace', 'drop', 'add'),
    )
    .map(([value, path, by, how]) => spoilt(value, path, by, how));
}

function spoilt(value: unknown, path: readonly number[], by: unknown, how: string): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return by;
  const keys = Object.keys(value);
  if (how === 'add' || keys.length === 0)
    return Array.isArray(value) ? [...(value as unknown[]), by] : { ...value, extra: by };
  const key = keys[path[0]! % keys.length]!;
  const entries = Object.entries(value).flatMap(([name, one]): [string, unknown][] => {
    if (name !== key) return [[name, one]];
    if (path.length > 1) return [[name, spoilt(one, path.slice(1), by, how)]];
    return how === 'drop' ? [] : [[name, by]];
  });
  return Array.isArray(value) ? entries.map(([, one]) => one) : Object.fromEntries(entries);
}

/** Bodies as bytes that nobody means well with. */
export const hostileBody: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{"a":1}{"b":2}',
    '{"__proto__":{"role":"admin"}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"a":1,"a":2}',
    '\ufeff{}',
    '{"a":1e999}',
    `${'['.repeat(8_000)}${']'.repeat(8_000)}`,
    `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
    `{"a":"${'x'.repeat(20_000)}"}`,
    '{"a":"\\ud800"}',
    '{"a":"\\u0000"}',
  ),
);
