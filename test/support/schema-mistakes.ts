/**
 * Every mistake that a JSON schema can be made against, one at a time: for each field of a sound sample the value of
 * another type, beyond its bounds, of another form, missing, doubled, and a field that nobody knows. A field that is added
 * to the schema is wrong here by itself; one that the samples do not have is told as an error.
 */
export interface Mistake {
  /** Dotted path of the field that is wrong. */
  readonly field: string;
  readonly what: string;
  readonly sample: unknown;
}

type Schema = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** What a pattern takes for right, by format. */
const ALMOST: Readonly<Record<string, readonly string[]>> = {
  'ip-address': ['300.1.1.1', '010.0.0.1', 'abcd', '1::2::3', '::ffff:7f00:1'],
  'ip-network': ['300.1.1.1', 'abcd', '10.0.0.0/33', '10.0.0.0/08', 'fd00::/129', '::ffff:0:0/96'],
  host: ['300.1.1.1', '1.2.3', 'a..b', 'a-.b'],
  'host-port': ['192.0.2.1:0', '192.0.2.1:65536', '192.0.2.1:05060', '300.1.1.1:5060', '[1::2::3]:5060'],
};
const ODD_TEXT = 'no such thing! <"%"> \\';

export function schemaMistakes(root: Schema, sample: unknown): readonly Mistake[] {
  return mistakesAt(root, root, sample, [], sample);
}

function mistakesAt(schema: Schema, root: Schema, sample: unknown, path: Path, value: unknown): Mistake[] {
  const own = resolved(schema, root);
  const wrong = (what: string, bad: unknown): Mistake => ({
    ...{ field: path.join('.'), what, sample: changed(sample, path, bad) },
  });
  const alternatives = own['anyOf'] as readonly Schema[] | undefined;
  if (alternatives) {
    const taken =
      alternatives.find((one) => typeOf(resolved(one, root)) === jsonType(value)) ?? alternatives[0]!;
    const here = mistakesAt(taken, root, sample, path, value);
    return alternatives.some((one) => typeOf(one) === 'null')
      ? here.filter(({ what }) => what !== 'null')
      : here;
  }
  const options = own['enum'] as readonly unknown[] | undefined;
  if (options) return [wrong('none of the options', ODD_TEXT), wrong('another type', 7), wrong('null', null)];
  switch (typeOf(own)) {
    case 'object':
      return objectMistakes(own, root, sample, path, value as Record<string, unknown>, wrong);
    case 'array':
      return arrayMistakes(own, root, sample, path, value as readonly unknown[], wrong);
    case 'integer':
    case 'number':
      return [
        ...numberMistakes(own, wrong),
        wrong('text', ODD_TEXT),
        wrong('null', null),
        wrong('a list', [1]),
      ];
    case 'boolean':
      return [wrong('text', ODD_TEXT), wrong('a number', 1), wrong('null', null)];
    default:
      return [
        ...textMistakes(own, wrong),
        wrong('a number', 7),
        wrong('null', null),
        wrong('a map', { a: 1 }),
      ];
  }
}

type Wrong = (what: string, bad: unknown) => Mistake;

function objectMistakes(
  schema: Schema,
  root: Schema,
  sample: unknown,
  path: Path,
  value: Readonly<Record<string, unknown>>,
  wrong: Wrong,
): Mistake[] {
  const { properties, required } = branchOf(schema, value);
  const missing = required.map((key): Mistake => {
    const { [key]: _, ...rest } = value;
    return { field: [...path, key].join('.'), what: 'missing', sample: changed(sample, path, rest) };
  });
  const inside = Object.entries(properties).flatMap(([key, field]) => {
    if (!(key in value)) throw new Error(`no sample has ${[...path, key].join('.')}`);
    return mistakesAt(field, root, sample, [...path, key], value[key]);
  });
  const unknown: Mistake[] =
    typeof schema['additionalProperties'] === 'object'
      ? []
      : [
          {
            ...{ field: [...path, 'colour'].join('.'), what: 'unknown' },
            sample: changed(sample, path, { ...value, colour: 'red' }),
          },
        ];
  const whole = path.length === 0 ? [] : [wrong('text', ODD_TEXT), wrong('a list', [1])];
  return [...whole, ...missing, ...unknown, ...inside];
}

function arrayMistakes(
  schema: Schema,
  root: Schema,
  sample: unknown,
  path: Path,
  value: readonly unknown[],
  wrong: Wrong,
): Mistake[] {
  const { maxItems, minItems, uniqueItems, items } = schema as {
    maxItems?: number;
    minItems?: number;
    uniqueItems?: boolean;
    items: Schema;
  };
  const [first] = value;
  if (first === undefined) throw new Error(`no sample has an entry in ${path.join('.')}`);
  const many = Array.from({ length: (maxItems ?? 0) + 1 }, (_, index) => distinct(first, index));
  return [
    wrong('text', ODD_TEXT),
    wrong('null', null),
    ...(maxItems === undefined ? [] : [wrong('too many', many)]),
    ...(minItems === undefined ? [] : [wrong('too few', [])]),
    ...(uniqueItems === true ? [wrong('doubled', [...value, first])] : []),
    ...mistakesAt(items, root, sample, [...path, 0], first),
  ];
}

function numberMistakes(schema: Schema, wrong: Wrong): Mistake[] {
  const { minimum, exclusiveMinimum, maximum, type } = schema as Readonly<Record<string, number>> & {
    type: string;
  };
  return [
    ...(minimum === undefined ? [] : [wrong('too small', minimum - 1)]),
    ...(exclusiveMinimum === undefined ? [] : [wrong('too small', exclusiveMinimum)]),
    ...(maximum === undefined ? [] : [wrong('too large', maximum + 1)]),
    ...(type === 'integer' ? [wrong('a fraction', (minimum ?? 0) + 0.5)] : []),
  ];
}

function textMistakes(schema: Schema, wrong: Wrong): Mistake[] {
  const { pattern, format, minLength, maxLength } = schema as {
    pattern?: string;
    format?: string;
    minLength?: number;
    maxLength?: number;
  };
  return [
    ...(pattern === undefined ? [] : [wrong('another form', ODD_TEXT)]),
    ...(format === undefined ? [] : almost(format)).map((text) => wrong(`almost (${text})`, text)),
    ...(minLength === undefined ? [] : [wrong('too short', '')]),
    ...(maxLength === undefined ? [] : [wrong('too long', 'x'.repeat(maxLength + 1))]),
  ];
}

function almost(format: string): readonly string[] {
  const texts = ALMOST[format];
  if (texts === undefined) throw new Error(`no mistakes are known for the format ${format}`);
  return texts;
}

/** The fields of an object, those of the branch included that its own values choose. */
function branchOf(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
): { properties: Record<string, Schema>; required: readonly string[] } {
  const own = (schema['properties'] ?? {}) as Record<string, Schema>;
  const branches = (schema['allOf'] ?? []) as readonly { if: Schema; then: Schema }[];
  const taken = branches.find(({ if: condition }) => {
    const kind = (condition['properties'] as { kind: { const?: string; enum?: readonly string[] } }).kind;
    return kind.const === value['kind'] || kind.enum?.includes(String(value['kind']));
  })?.then;
  const more = Object.entries((taken?.['properties'] ?? {}) as Record<string, Schema | true>);
  return {
    properties: {
      ...own,
      ...Object.fromEntries(more.filter((entry): entry is [string, Schema] => entry[1] !== true)),
    },
    required: [...((schema['required'] ?? []) as string[]), ...((taken?.['required'] ?? []) as string[])],
  };
}

function resolved(schema: Schema, root: Schema): Schema {
  const reference = schema['$ref'] as string | undefined;
  if (reference === undefined) return schema;
  const name = reference.replace('#/$defs/', '');
  return (root['$defs'] as Record<string, Schema>)[name]!;
}

function typeOf(schema: Schema): string {
  return (schema['type'] as string | undefined) ?? ('const' in schema ? 'string' : '');
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Like the given one and no other, so that nothing but their number is wrong. */
function distinct(like: unknown, index: number): unknown {
  if (typeof like === 'object' && like !== null) {
    const [numeric] = Object.entries(like).filter(([, value]) => typeof value === 'number');
    return numeric === undefined ? like : { ...like, [numeric[0]]: (numeric[1] as number) + index };
  }
  const text = String(like);
  if (/^\d+(\.\d+){3}(\/\d+)?$/.test(text)) return `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
  return `${text.slice(0, -4)}${String(1000 + index).slice(-4)}`;
}

function changed(value: unknown, path: Path, to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === key ? changed(item, rest, to) : item));
  const map = value as Record<string, unknown>;
  return { ...map, [key]: changed(map[key], rest, to) };
}
