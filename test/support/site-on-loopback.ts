/** The invented site's accounts (test/fixtures/trunks-site.yml), its carriers moved onto addresses of this machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { repositoryTop } from './sandbox-roots.ts';

export const SAMPLE_SITE = join(repositoryTop, 'test/fixtures/trunks-site.yml');

export interface LocalCarrier {
  readonly host: string;
  readonly port: number;
}

/** Writes the site's file to `file`; one address a carrier, for an engine knows them by it. */
export function writeSiteOnLoopback(file: string, carriers: Readonly<Record<string, LocalCarrier>>): void {
  const document = parseDocument(readFileSync(SAMPLE_SITE, 'utf8'));
  for (const [name, { host, port }] of Object.entries(carriers)) {
    document.setIn([name, 'hosts'], [{ address: host, port, priority: 10 }]);
    document.setIn([name, 'sources'], [host]);
    if (document.hasIn([name, 'auth', 'registrar']))
      document.setIn([name, 'auth', 'registrar'], `${host}:${port}`);
  }
  writeFileSync(file, document.toString());
}
