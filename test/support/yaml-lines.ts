/** Lines of fields in YAML of block style, by their indentation alone: another way to find them than the loader's. */

/** The line (from 1) of a field or list entry; of what stands above it where it is not there; else 1. */
export function blockLineOf(text: string, path: readonly string[]): number {
  let found = 1;
  let deepest = 0;
  const open: { readonly indent: number; readonly key: string; next: number }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const { indent, key } of keysOf(line)) {
      while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
      const parent = open.at(-1);
      const name = key ?? String(parent?.next ?? 0);
      if (key === null && parent) parent.next += 1;
      open.push({ indent, key: name, next: 0 });
      const here = open.map((one) => one.key);
      if (here.length > deepest && here.length <= path.length && here.every((one, at) => one === path[at])) {
        deepest = here.length;
        found = index + 1;
      }
    }
  }
  return found;
}

/** What begins in a line: list entries (`null`) and keys, with how far in they stand. */
function keysOf(line: string): { readonly indent: number; readonly key: string | null }[] {
  const keys: { indent: number; key: string | null }[] = [];
  let rest = line;
  let indent = 0;
  for (;;) {
    const space = /^ */.exec(rest)![0].length;
    indent += space;
    rest = rest.slice(space);
    if (/^- /.test(rest)) {
      // an entry stands half a step in from its list's key, whether or not it is indented
      keys.push({ indent: indent + 0.5, key: null });
      rest = rest.slice(2);
      indent += 2;
      continue;
    }
    const key = /^(?:"([^"]+)"|'([^']+)'|([^\s:#-][^:#]*)):(?:\s|$)/.exec(rest);
    if (key) keys.push({ indent, key: key[1] ?? key[2] ?? key[3]! });
    return keys;
  }
}
