/** JSON as the database keeps it: one text for one value, and nothing in it that PostgreSQL refuses. */

/** What `JSON.stringify` writes for a NUL or a lone surrogate: json allows it in text, jsonb and text columns do not. */
const UNSTORABLE = /\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** Without NUL and lone surrogates; each becomes U+FFFD. An odd character in a header must not cost an SOS its record. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** Plain `JSON.stringify`, with every string made storable. Keys keep their order. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return UNSTORABLE.test(text) ? JSON.stringify(storable(value)) : text;
}

/**
 * The one text of a value: keys sorted by code unit at every depth, no white space, strings and numbers as ECMAScript
 * writes them (the idea of RFC 8785). Absent and `undefined` are the same.
 */
export function canonicalJson(value: unknown): string {
  const text = written(value);
  return UNSTORABLE.test(text) ? written(storable(value)) : text;
}

function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => written(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${written(item)}`);
  return `{${members.join(',')}}`;
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storable(item)]));
}
