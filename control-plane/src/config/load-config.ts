/** The one way from the environment to settings. */
import type { Policy } from '../domain/session/policy.ts';
import type { Config, CoreConfig, EdgeConfig } from './config.ts';
import {
  readVariable,
  readVariables,
  type ConfigError,
  type Environment,
  type Values,
  type VariableName,
} from './read-variables.ts';
import { RULES } from './rules.ts';
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
  const all = [...errors, ...broken];
  if (all.length > 0) return { ok: false, errors: all };
  return { ok: true, value: freezeDeep(configOf(values as Values)) };
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

function configOf(v: Values): Config {
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
    core: v.HAMRAHI_ROLE === 'edge' ? null : coreOf(v),
    edge: v.HAMRAHI_ROLE === 'core' ? null : edgeOf(v),
  };
}

function coreOf(v: Values): CoreConfig {
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
    trunks: { directory: v.HAMRAHI_TRUNKS_DIR, names: present(v.HAMRAHI_TRUNKS) },
    synthetic: syntheticOf(v),
    database: v.DATABASE_URL
      ? { kind: 'url', url: v.DATABASE_URL }
      : { kind: 'embedded', directory: v.HAMRAHI_POSTGRES_DATA_DIR },
    journal: {
      directory: v.HAMRAHI_JOURNAL_DIR,
      maxMb: v.HAMRAHI_JOURNAL_MAX_MB,
      maxAgeMs: v.HAMRAHI_JOURNAL_MAX_AGE_MS,
    },
    records: recordsOf(v),
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

const DAY_MS = 86_400_000;

function recordsOf(v: Values): CoreConfig['records'] {
  const msOf = (days: number): number | null => (days === 0 ? null : days * DAY_MS);
  return {
    auditKey: v.HAMRAHI_AUDIT_KEY,
    anchorFile: v.HAMRAHI_AUDIT_ANCHOR_FILE,
    auditIntervalMs: v.HAMRAHI_AUDIT_INTERVAL_S * 1000,
    kept: {
      personalMs: msOf(v.HAMRAHI_PERSONAL_KEPT_DAYS),
      eventsMs: msOf(v.HAMRAHI_EVENTS_KEPT_DAYS),
      ledgerMs: msOf(v.HAMRAHI_LEDGER_KEPT_DAYS),
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
