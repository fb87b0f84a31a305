/** The gateway's Asterisk configuration: settings in, a configuration directory out. */
import { CONTROL_CHARACTER } from '../../domain/control-characters.ts';
import { parseIpNetwork } from '../../domain/ip-network.ts';
import { engineGap } from '../../domain/trunk/trunk-fault.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { renderTemplates } from './render-templates.ts';

export type GatewayConfigErrorCode =
  | 'ERR_ENGINE_CONFIG_TEMPLATE'
  | 'ERR_ENGINE_CONFIG_VALUE'
  | 'ERR_ENGINE_CONFIG_WRITE'
  | 'ERR_ENGINE_CONFIG_TRANSPORT_MISSING';

export interface GatewayConfigFailure {
  readonly code: GatewayConfigErrorCode;
  /** For a human; never holds a secret. */
  readonly detail: string;
}

/** A trunk whose account is not complete: the others do without it. */
export interface LeftOutTrunk {
  readonly trunk: string;
  /** Dotted paths of what is missing. */
  readonly missing: readonly string[];
}

export type GatewayConfigResult =
  | { readonly ok: true; readonly files: readonly string[]; readonly leftOut: readonly LeftOutTrunk[] }
  | { readonly ok: false; readonly failures: readonly GatewayConfigFailure[] };

export interface GatewayConfigTarget {
  /** The repository's `asterisk/`. */
  readonly templatesDir: string;
  /** Asterisk's configuration directory. */
  readonly outputDir: string;
}

/** Passwords of trunks are in none: the control plane puts them into the engine's memory (trunk-provisioner.ts). */
const SECRET_FILES = ['ari.conf', 'prometheus.conf'];

/** Repeatable: the same settings give the same bytes. Every failure is reported, not only the first. */
export function renderGatewayConfig(
  settings: GatewaySettings,
  target: GatewayConfigTarget,
): GatewayConfigResult {
  const leftOut = settings.trunks
    .map((trunk) => ({ trunk: trunk.name, missing: engineGap(trunk) }))
    .filter(({ missing }) => missing.length > 0);
  const trunks = settings.trunks.filter((trunk) => engineGap(trunk).length === 0);
  const ari = { ...settings.ari, password: settings.ari.password.reveal() };
  const variables = { ...settings, ari, trunks };
  const failures = [
    ...trunks.flatMap((trunk) => trunkFailures(trunk, settings)),
    ...addressFailures('sip.permittedSources', settings.sip.permittedSources),
    ...trunks.flatMap(({ name, sources }) => addressFailures(`trunk ${name}: sources`, sources)),
    ...valueFailures(variables, ''),
  ];
  if (failures.length > 0) return { ok: false, failures };
  const result = renderTemplates({ ...target, variables, secretFiles: SECRET_FILES });
  if (result.ok) return { ...result, leftOut };
  return { ok: false, failures: [{ code: result.code, detail: `${result.file}: ${result.detail}` }] };
}

function trunkFailures(trunk: Trunk, settings: GatewaySettings): GatewayConfigFailure[] {
  const transport = settings.sip.transports.find(({ name }) => name === trunk.localTransport);
  if (transport?.protocol === trunk.transport) return [];
  const detail = `trunk ${trunk.name} leaves by "${trunk.localTransport}", which is no ${trunk.transport} transport of this gateway`;
  return [{ code: 'ERR_ENGINE_CONFIG_TRANSPORT_MISSING', detail }];
}

/** Asterisk drops a list for one wrong address in it, and then nothing of it refuses anybody. */
function addressFailures(path: string, texts: readonly string[]): GatewayConfigFailure[] {
  return texts.flatMap((text, index) => {
    if (parseIpNetwork(text) !== null) return [];
    return [{ code: 'ERR_ENGINE_CONFIG_VALUE', detail: `${path}.${index} is no address and no network` }];
  });
}

/** No value may hold a control character: it would write lines of its own into a configuration file. */
function valueFailures(value: unknown, path: string): GatewayConfigFailure[] {
  if (typeof value === 'string') {
    // A line break would end a value and begin a setting of its own.
    if (!CONTROL_CHARACTER.test(value)) return [];
    return [{ code: 'ERR_ENGINE_CONFIG_VALUE', detail: `${path} holds a control character` }];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    valueFailures(item, path === '' ? key : `${path}.${key}`),
  );
}
