/** A YAML (or JSON) file with the lines of its fields. */
import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';

export interface YamlFile {
  /** As it is named in messages. */
  readonly file: string;
  readonly value: unknown;
  /** The line (from 1) of a field, or of the nearest thing above it that the file has. */
  lineOf(path: readonly string[]): number;
}

export type YamlReading =
  | { readonly ok: true; readonly yaml: YamlFile }
  | { readonly ok: false; readonly faults: readonly { readonly line: number; readonly expected: string }[] };

/** Messages never repeat the text: a password may have been written where none belongs. */
export function readYaml(file: string, text: string): YamlReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ pos, code }) => ({
      line: lines.linePos(pos[0]).line,
      expected: `valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`,
    }));
    return { ok: false, faults };
  }
  let value: unknown;
  try {
    // An alias could make a small file endless.
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof ReferenceError) return { ok: false, faults: [{ line: 1, expected: 'no aliases' }] };
    throw error;
  }
  const offset = (path: readonly string[]): number | undefined => offsetOf(document.contents, path);
  return {
    ok: true,
    yaml: {
      file,
      value,
      lineOf: (path) => {
        for (let length = path.length; length > 0; length -= 1) {
          const at = offset(path.slice(0, length));
          if (at !== undefined) return lines.linePos(at).line;
        }
        return 1;
      },
    },
  };
}

/** Where the key of a map's field, or an item of a list, begins. */
function offsetOf(root: unknown, path: readonly string[]): number | undefined {
  let node = root;
  let offset: number | undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isNode(item.key) && String(item.key) === key);
      offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = isNode(node) ? node.range?.[0] : undefined;
    } else {
      return undefined;
    }
    if (offset === undefined) return undefined;
  }
  return offset;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
