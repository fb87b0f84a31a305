/** The settings of one gateway's Asterisk as a file (asterisk/gateway-settings.schema.json). */
import { resolve } from 'node:path';
import { isAmong } from '../../domain/ip-network.ts';
import type { FileProblem } from '../../domain/trunk/trunk-problem.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { schemaCheck, type FieldFault, type SchemaCheck } from './schema-check.ts';
import { isTooWide, NARROW } from './source-rules.ts';
import { readYaml } from './yaml-file.ts';

/** What the file holds: no trunks, no password. */
export interface FiledSettings extends Omit<GatewaySettings, 'trunks' | 'ari' | 'sip'> {
  readonly ari: Omit<GatewaySettings['ari'], 'password'>;
  readonly sip: Omit<GatewaySettings['sip'], 'permittedSources'> & {
    /** `trunks`: the relay's and every trunk's. */
    readonly permittedSources: readonly string[] | 'trunks';
  };
}

export type SettingsReading =
  | { readonly ok: true; readonly settings: FiledSettings }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

let compiled: SchemaCheck | undefined;
const SCHEMA_FILE = resolve(import.meta.dirname, '../../../../asterisk/gateway-settings.schema.json');

/** `relay`: the address from which the edge speaks for every client (HAMRAHI_RELAY_ADDRESS). */
export function readGatewaySettings(file: string, text: string, relay: string): SettingsReading {
  const read = readYaml(file, text);
  if (!read.ok) return { ok: false, problems: read.faults.map((fault) => ({ ...fault, file, path: '' })) };
  const { yaml } = read;
  const { value } = yaml;
  const faults = (compiled ??= schemaCheck(SCHEMA_FILE))(value);
  const wrong = faults.length > 0 ? faults : contradictions(value as FiledSettings, relay);
  if (wrong.length === 0) return { ok: true, settings: value as FiledSettings };
  const problems = wrong.map(({ path, expected }) => ({
    ...{ file, line: yaml.lineOf(path), path: path.join('.'), expected },
  }));
  return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line) };
}

/** What the schema cannot say. */
function contradictions({ rtp, sip }: FiledSettings, relay: string): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  if (rtp.last < rtp.first + 1) faults.push({ path: ['rtp', 'last'], expected: 'more than rtp.first' });
  const permitted = sip.permittedSources === 'trunks' ? [] : sip.permittedSources;
  for (const [index, source] of permitted.entries())
    if (isTooWide(source))
      faults.push({ path: ['sip', 'permittedSources', String(index)], expected: NARROW });
  if (permitted.length > 0 && !isAmong(relay, permitted))
    faults.push({
      path: ['sip', 'permittedSources'],
      expected: `the relay among them (HAMRAHI_RELAY_ADDRESS, ${relay}): every client speaks from there`,
    });
  for (const [index, { name, protocol, tls }] of sip.transports.entries()) {
    const at = ['sip', 'transports', String(index)];
    if (name === 'webrtc' || sip.transports.findIndex((one) => one.name === name) !== index)
      faults.push({ path: [...at, 'name'], expected: 'each name once, and not webrtc' });
    if ((protocol === 'tls') !== (tls !== null))
      faults.push({
        path: [...at, 'tls'],
        expected: 'certificate and key for protocol tls, and null for the others',
      });
  }
  return faults;
}
