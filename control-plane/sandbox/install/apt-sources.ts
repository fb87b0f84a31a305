/**
 * The Debian mirror that this machine already trusts, read from apt's own sources in both of their formats:
 * one-line `.list` files and deb822 `.sources` files (sources.list(5)). Whatever network, proxy or company mirror
 * the machine has been set up for thereby holds for the sandbox too.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `signedBy` is the path of a keyring; keys written into the file itself are not carried over. */
export type AptSource = {
  uri: string;
  suite: string;
  components: readonly string[];
  signedBy: string | undefined;
};

/** Entries of a one-line file; `deb-src`, comments and what cannot be understood are left out. */
export function parseListFile(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[(?<options>[^\]]*)\]\s*)?(?<uri>\S+)\s+(?<suite>\S+)(?<rest>[^#]*)/.exec(
      line,
    );
    const { options, uri, suite, rest } = match?.groups ?? {};
    if (uri === undefined || suite === undefined) return [];
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options ?? '')?.[1];
    return [{ uri, suite, components: words(rest), signedBy: keyringPath(signedBy) }];
  });
}

/** Entries of a deb822 file: one for each URI and suite of each enabled stanza of type `deb`. */
export function parseSourcesFile(text: string): AptSource[] {
  const withoutComments = text.split('\n').filter((line) => !line.startsWith('#'));
  const stanzas = withoutComments.join('\n').split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    const enabled = !/^(no|false|off|0|without|disable)$/i.test(fields.get('enabled')?.trim() ?? '');
    if (!enabled || !words(fields.get('types')).includes('deb')) return [];
    const rest = {
      components: words(fields.get('components')),
      signedBy: keyringPath(fields.get('signed-by')?.trim()),
    };
    return words(fields.get('uris')).flatMap((uri) =>
      words(fields.get('suites')).map((suite) => ({ uri, suite, ...rest })),
    );
  });
}

/** Every source apt would read below `aptDir` (normally /etc/apt), in apt's order. */
export function readAptSources(aptDir: string): AptSource[] {
  const parts = join(aptDir, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const files = [join(aptDir, 'sources.list'), ...names.map((name) => join(parts, name))];
  return files.filter(existsSync).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    if (file.endsWith('.list')) return parseListFile(text);
    return file.endsWith('.sources') ? parseSourcesFile(text) : [];
  });
}

/**
 * The source that carries the Debian archive itself, all suites of which lie side by side under one URI: the first
 * with `main` in the running release (by code name or by role), neither security, updates, backports nor a medium.
 */
export function findArchive(sources: readonly AptSource[], codename: string): AptSource | undefined {
  const suites = new Set([codename, 'stable', 'oldstable', 'testing', 'unstable', 'sid']);
  return sources.find(
    ({ uri, suite, components }) =>
      suites.has(suite) && components.includes('main') && !uri.startsWith('cdrom:'),
  );
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of stanza.split('\n')) {
    const field = /^(?<name>[A-Za-z-]+):(?<value>.*)$/.exec(line)?.groups;
    if (field !== undefined) current = (field['name'] ?? '').toLowerCase();
    fields.set(current, `${fields.get(current) ?? ''} ${field?.['value'] ?? line}`);
  }
  return fields;
}

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter((word) => word !== '');

const keyringPath = (value: string | undefined): string | undefined =>
  value?.startsWith('/') === true && !/\s/.test(value) ? value : undefined;
