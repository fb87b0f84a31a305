/** The one way from the environment to settings. */
import { dirname } from 'node:path';
import { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { Policy } from '../domain/session/policy.ts';
import type { Config, CoreConfig, EdgeConfig, SecretsConfig, VaultConfig } from './config.ts';
import {
  readVariable,
  readVariables,
  type ConfigError,
  type Environment,
  type Values,
  type VariableName,
} from './read-variables.ts';
import { RULES } from './rules.ts';
import { secretsKind, secretVariableErrors } from './secrets-place.ts';
import { secretVariables } from './secret-variables.ts';
import { POLICY_VARIABLES, VARIABLES } from './variables.ts';

export type ConfigResult =
  | { readonly ok: true; readonly value: Config }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** All settings, or everything that is wrong with them at once. */
export function loadConfig(env: Environment): ConfigResult {
  const { values, errors } = readVariables(env);
  const broken = RULES.filter((rule) => rule.broken(values)).map((rule) => ({
    variable: rule.variable,
    expected: rule.expected,
    got: VARIABLES[rule.variable].secret ? null : (env[rule.variable] ?? null),
  }));
  const all = [...errors, ...broken, ...secretVariableErrors(env, values)];
  if (all.length > 0) return { ok: false, errors: all };
  return { ok: true, value: freezeDeep(configOf(values as Values, env)) };
}

/** The settings of this process. The only reader of `process.env`. */
export function loadProcessConfig(): ConfigResult {
  return loadConfig(process.env);
}

/** One setting of this process for a command that needs no other. `sentence`: what is wrong with it. */
export function loadSetting<N extends VariableName>(
  name: N,
): { readonly ok: true; readonly value: Values[N] } | { readonly ok: false; readonly sentence: string } {
  const { value, errors } = readVariable(name, process.env);
  if (errors.length > 0) return { ok: false, sentence: describeConfigErrors(errors) };
  return { ok: true, value: value as Values[N] };
}

/** One line per wrong variable, for the terminal. */
export function describeConfigErrors(errors: readonly ConfigError[]): string {
  return errors
    .map(
      (error) =>
        `${error.variable}: expected ${error.expected}${error.got === null ? '' : `, got "${error.got}"`}`,
    )
    .join('\n');
}

function configOf(v: Values, env: Environment): Config {
  const tls =
    v.HAMRAHI_TLS_CERT_FILE !== null && v.HAMRAHI_TLS_KEY_FILE !== null
      ? { certFile: v.HAMRAHI_TLS_CERT_FILE, keyFile: v.HAMRAHI_TLS_KEY_FILE }
      : null;
  return {
    environment: v.HAMRAHI_ENV,
    role: v.HAMRAHI_ROLE,
    nodeId: v.HAMRAHI_NODE_ID,
    logLevel: v.HAMRAHI_LOG_LEVEL,
    failpoint: v.HAMRAHI_FAILPOINT,
    tls,
    core: v.HAMRAHI_ROLE === 'edge' ? null : coreOf(v, env),
    edge: v.HAMRAHI_ROLE === 'core' ? null : edgeOf(v),
  };
}

function coreOf(v: Values, env: Environment): CoreConfig {
  return {
    http: {
      listen: v.HAMRAHI_HTTP_LISTEN,
      maxConnections: v.HAMRAHI_MAX_CONNECTIONS,
      metricsToken: v.HAMRAHI_METRICS_TOKEN,
      corsOrigins: v.HAMRAHI_CORS_ORIGINS,
      rateLimits: {
        citizenPerMin: v.HAMRAHI_RATE_LIMIT_CITIZEN_PER_MIN,
        staffPerMin: v.HAMRAHI_RATE_LIMIT_STAFF_PER_MIN,
        backendPerMin: v.HAMRAHI_RATE_LIMIT_BACKEND_PER_MIN,
      },
    },
    feed: { maxConnections: v.HAMRAHI_MAX_FEEDS, maxPerIdentity: v.HAMRAHI_MAX_FEEDS_PER_IDENTITY },
    clients: clientsOf(v),
    internal:
      v.HAMRAHI_INTERNAL_LISTEN && v.HAMRAHI_EDGE_SECRET
        ? { listen: v.HAMRAHI_INTERNAL_LISTEN, secret: v.HAMRAHI_EDGE_SECRET }
        : null,
    jwt: jwtOf(v),
    engine: {
      ariUrl: v.HAMRAHI_ARI_URL,
      ariUser: v.HAMRAHI_ARI_USER,
      ariPassword: present(v.HAMRAHI_ARI_PASSWORD),
      ariApp: v.HAMRAHI_ARI_APP,
      sipWsUrl: v.HAMRAHI_ENGINE_SIP_WS_URL,
      relayAddress: v.HAMRAHI_RELAY_ADDRESS,
    },
    trunks: {
      directory: v.HAMRAHI_TRUNKS_DIR,
      names: present(v.HAMRAHI_TRUNKS),
      siteFile: v.HAMRAHI_TRUNKS_SITE_FILE,
    },
    secrets: secretsOf(v, env),
    synthetic: syntheticOf(v),
    database: v.DATABASE_URL
      ? { kind: 'url', url: v.DATABASE_URL }
      : { kind: 'embedded', directory: v.HAMRAHI_POSTGRES_DATA_DIR },
    journal: {
      directory: v.HAMRAHI_JOURNAL_DIR,
      maxMb: v.HAMRAHI_JOURNAL_MAX_MB,
      maxAgeMs: v.HAMRAHI_JOURNAL_MAX_AGE_MS,
    },
    alerting: alertingOf(v),
    records: recordsOf(v),
    webhooks: webhooksOf(v),
    calls: {
      ratePerS: v.HAMRAHI_CALLS_PER_S,
      maxOpen: v.HAMRAHI_CALLS_MAX_OPEN,
      countries: v.HAMRAHI_CALLS_ALLOWED_COUNTRIES,
      numbers: v.HAMRAHI_CALLS_ALLOWED_NUMBERS.flatMap((text) => PhoneNumber.parse(text) ?? []),
      personalKeptMs: keptMsOf(v.HAMRAHI_CALLS_PERSONAL_KEPT_DAYS),
    },
    policy: policyOf(v),
  };
}

function clientsOf(v: Values): CoreConfig['clients'] {
  return {
    publicUrl: present(v.HAMRAHI_PUBLIC_URL),
    sipWssUrl: present(v.HAMRAHI_SIP_WSS_URL),
    sipDomain: present(v.HAMRAHI_SIP_DOMAIN),
    stunUrls: v.HAMRAHI_STUN_URLS,
    turn: v.HAMRAHI_TURN_SECRET
      ? { urls: v.HAMRAHI_TURN_URLS, secret: v.HAMRAHI_TURN_SECRET, ttlS: v.HAMRAHI_TURN_TTL_S }
      : null,
  };
}

function secretsOf(v: Values, env: Environment): SecretsConfig {
  const kind = secretsKind(v);
  if (kind === 'environment') return { kind, values: secretVariables(env) };
  if (kind === 'vault') return { kind, ...vaultOf(v) };
  const directory = present(v.HAMRAHI_SECRETS_DIR ?? v.CREDENTIALS_DIRECTORY);
  return { kind, directory, isSystemds: directory === v.CREDENTIALS_DIRECTORY };
}

function vaultOf(v: Values): VaultConfig {
  const file = v.HAMRAHI_VAULT_SECRET_ID_FILE;
  return {
    address: present(v.HAMRAHI_VAULT_ADDR),
    caFile: v.HAMRAHI_VAULT_CA_FILE,
    namespace: v.HAMRAHI_VAULT_NAMESPACE,
    authMount: v.HAMRAHI_VAULT_AUTH_MOUNT,
    roleId: present(v.HAMRAHI_VAULT_ROLE_ID),
    secretId:
      file === null
        ? { kind: 'value', value: present(v.HAMRAHI_VAULT_SECRET_ID) }
        : { kind: 'file', file, isSystemds: isBelow(file, v.CREDENTIALS_DIRECTORY) },
    isWrapped: v.HAMRAHI_VAULT_SECRET_ID_WRAPPED,
    mount: v.HAMRAHI_VAULT_MOUNT,
    prefix: v.HAMRAHI_VAULT_PREFIX,
    pollMs: v.HAMRAHI_VAULT_POLL_S * 1000,
  };
}

function alertingOf(v: Values): CoreConfig['alerting'] {
  return {
    repeatMs: v.HAMRAHI_OPS_ALERT_REPEAT_S * 1000,
    webhook: v.HAMRAHI_ALERT_WEBHOOK_SECRET
      ? { urls: v.HAMRAHI_ALERT_WEBHOOK_URLS, secret: v.HAMRAHI_ALERT_WEBHOOK_SECRET }
      : null,
    alertmanager: { urls: v.HAMRAHI_ALERTMANAGER_URLS, token: v.HAMRAHI_ALERTMANAGER_TOKEN },
    mail: v.HAMRAHI_SMTP_URL
      ? {
          url: v.HAMRAHI_SMTP_URL,
          from: present(v.HAMRAHI_ALERT_MAIL_FROM),
          to: v.HAMRAHI_ALERT_MAIL_TO,
        }
      : null,
  };
}

const DAY_MS = 86_400_000;

function keptMsOf(days: number): number | null {
  return days === 0 ? null : days * DAY_MS;
}

function recordsOf(v: Values): CoreConfig['records'] {
  return {
    auditKey: v.HAMRAHI_AUDIT_KEY,
    anchorFile: v.HAMRAHI_AUDIT_ANCHOR_FILE,
    auditIntervalMs: v.HAMRAHI_AUDIT_INTERVAL_S * 1000,
    kept: {
      personalMs: keptMsOf(v.HAMRAHI_PERSONAL_KEPT_DAYS),
      eventsMs: keptMsOf(v.HAMRAHI_EVENTS_KEPT_DAYS),
      ledgerMs: keptMsOf(v.HAMRAHI_LEDGER_KEPT_DAYS),
    },
  };
}

function webhooksOf(v: Values): CoreConfig['webhooks'] {
  return {
    dataKey: v.HAMRAHI_DATA_KEY,
    allowedNetworks: v.HAMRAHI_WEBHOOK_ALLOWED_NETWORKS,
    publicAllowed: v.HAMRAHI_ENV === 'production',
    allowHttp: v.HAMRAHI_WEBHOOK_ALLOW_HTTP,
    kept: {
      deliveredMs: v.HAMRAHI_WEBHOOK_DELIVERED_KEPT_DAYS * DAY_MS,
      failedMs: v.HAMRAHI_WEBHOOK_FAILED_KEPT_DAYS * DAY_MS,
    },
  };
}

function syntheticOf(v: Values): CoreConfig['synthetic'] {
  const number = v.HAMRAHI_SYNTHETIC_CALL_NUMBER;
  return {
    call: number && {
      number,
      everyMs: v.HAMRAHI_SYNTHETIC_CALL_EVERY_S * 1000,
      toneHz: v.HAMRAHI_SYNTHETIC_CALL_TONE_HZ,
      callsPerDay: v.HAMRAHI_SYNTHETIC_CALLS_PER_DAY,
    },
    zone: v.HAMRAHI_SYNTHETIC_ZONE,
    sosEveryMs: v.HAMRAHI_SYNTHETIC_SOS_EVERY_S === 0 ? null : v.HAMRAHI_SYNTHETIC_SOS_EVERY_S * 1000,
  };
}

function jwtOf(v: Values): CoreConfig['jwt'] {
  return {
    keys: v.HAMRAHI_JWT_HS256_SECRET
      ? { kind: 'hs256', secret: v.HAMRAHI_JWT_HS256_SECRET }
      : { kind: 'jwks', url: present(v.HAMRAHI_JWT_JWKS_URL) },
    issuer: present(v.HAMRAHI_JWT_ISSUER),
    audience: v.HAMRAHI_JWT_AUDIENCE,
  };
}

function policyOf(v: Values): Policy {
  return Object.fromEntries(
    Object.entries(POLICY_VARIABLES).map(([key, variable]) => [key, v[variable]]),
  ) as unknown as Policy;
}

function edgeOf(v: Values): EdgeConfig {
  return {
    listen: v.HAMRAHI_EDGE_LISTEN,
    relayAddress: v.HAMRAHI_RELAY_ADDRESS,
    maxConnections: v.HAMRAHI_MAX_CONNECTIONS,
    core:
      v.HAMRAHI_ROLE === 'edge'
        ? { urls: present(v.HAMRAHI_CORE_URL), secret: present(v.HAMRAHI_EDGE_SECRET) }
        : null,
  };
}

/** Directly in it. */
function isBelow(file: string, directory: string | null): boolean {
  return directory !== null && dirname(file) === directory.replace(/\/+$/, '');
}

/** The rules have made sure of it. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error('a rule in config/rules.ts does not require what configOf needs');
  return value;
}

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freezeDeep);
  }
  return value;
}
