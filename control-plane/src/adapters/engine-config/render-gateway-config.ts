/** The gateway's Asterisk configuration: settings and secrets in, a configuration directory out. */
import { CONTROL_CHARACTER } from '../../domain/control-characters.ts';
import { trunkGap, type Trunk } from '../../domain/trunk/trunk.ts';
import type { GatewaySettings, SecretLookup } from './gateway-settings.ts';
import { renderTemplates } from './render-templates.ts';

export type GatewayConfigErrorCode =
  | 'ERR_ENGINE_CONFIG_TEMPLATE'
  | 'ERR_ENGINE_CONFIG_VALUE'
  | 'ERR_ENGINE_CONFIG_SECRET_MISSING'
  | 'ERR_ENGINE_CONFIG_TRANSPORT_MISSING'
  | 'ERR_TRUNK_NOT_PROVISIONED';

export interface GatewayConfigFailure {
  readonly code: GatewayConfigErrorCode;
  /** For a human; never holds a secret. */
  readonly detail: string;
}

export type GatewayConfigResult =
  | { readonly ok: true; readonly files: readonly string[] }
  | { readonly ok: false; readonly failures: readonly GatewayConfigFailure[] };

export interface GatewayConfigTarget {
  /** The repository's `asterisk/`. */
  readonly templatesDir: string;
  /** Asterisk's configuration directory. */
  readonly outputDir: string;
}

const SECRET_FILES = ['ari.conf', 'pjsip.conf', 'prometheus.conf'];

/** Repeatable: the same settings give the same bytes. Every failure is reported, not only the first. */
export function renderGatewayConfig(
  settings: GatewaySettings,
  secretOf: SecretLookup,
  target: GatewayConfigTarget,
): GatewayConfigResult {
  const { secrets, failures } = collectSecrets(settings.trunks, secretOf);
  const ari = { ...settings.ari, password: settings.ari.password.reveal() };
  const variables = { ...settings, ari, secrets };
  const all = [
    ...failures,
    ...settings.trunks.flatMap((trunk) => trunkFailures(trunk, settings)),
    ...valueFailures(variables, ''),
  ];
  if (all.length > 0) return { ok: false, failures: all };
  const result = renderTemplates({ ...target, variables, secretFiles: SECRET_FILES });
  if (result.ok) return result;
  return { ok: false, failures: [{ code: result.code, detail: `${result.file}: ${result.detail}` }] };
}

function collectSecrets(
  trunks: readonly Trunk[],
  secretOf: SecretLookup,
): { secrets: Record<string, string>; failures: GatewayConfigFailure[] } {
  const secrets: Record<string, string> = {};
  const failures: GatewayConfigFailure[] = [];
  for (const { name, auth } of trunks) {
    if (auth.kind === 'ip') continue;
    const value = secretOf(auth.secret)?.reveal() ?? '';
    if (value === '') {
      const detail = `trunk ${name} needs the secret ${auth.secret}`;
      failures.push({ code: 'ERR_ENGINE_CONFIG_SECRET_MISSING', detail });
    } else {
      secrets[auth.secret] = value;
    }
  }
  return { secrets, failures };
}

function trunkFailures(trunk: Trunk, settings: GatewaySettings): GatewayConfigFailure[] {
  const failures: GatewayConfigFailure[] = [];
  const gap = trunkGap(trunk);
  if (gap !== null)
    failures.push({ code: gap.code, detail: `trunk ${trunk.name} lacks ${gap.missing.join(', ')}` });
  const transport = settings.sip.transports.find(({ name }) => name === trunk.localTransport);
  if (transport?.protocol !== trunk.transport) {
    const detail = `trunk ${trunk.name} leaves by "${trunk.localTransport}", which is no ${trunk.transport} transport of this gateway`;
    failures.push({ code: 'ERR_ENGINE_CONFIG_TRANSPORT_MISSING', detail });
  }
  return failures;
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
