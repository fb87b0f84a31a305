/** What must hold between variables, by role and environment. docs/configuration.md lists these sentences. */
import { isLoopback } from './listen-address.ts';
import type { Values, VariableName } from './read-variables.ts';

export interface Rule {
  /** The variable that is reported when the rule is broken. */
  readonly variable: VariableName;
  /** Completes the sentence "expected …". */
  readonly expected: string;
  /** A value that could not be read is absent: a rule that needs it holds, since it was reported already. */
  readonly broken: (values: Partial<Values>) => boolean;
}

const isCore = (v: Partial<Values>) => v.HAMRAHI_ROLE === 'core' || v.HAMRAHI_ROLE === 'all';
const isEdge = (v: Partial<Values>) => v.HAMRAHI_ROLE === 'edge' || v.HAMRAHI_ROLE === 'all';
const isProduction = (v: Partial<Values>) => v.HAMRAHI_ENV === 'production';
const hasNoTls = (v: Partial<Values>) =>
  v.HAMRAHI_TLS_CERT_FILE === null && v.HAMRAHI_ALLOW_PLAINTEXT === false;

function requiredForCore(variable: VariableName): Rule {
  return {
    variable,
    expected: 'to be set for the roles all and core',
    broken: (v) => isCore(v) && v[variable] === null,
  };
}

/** `http` and `ws` on loopback stay inside the machine. */
function isPlain(value: string | null | undefined): boolean {
  if (value === null || value === undefined) return false;
  const url = URL.parse(value);
  return (
    (url?.protocol === 'http:' || url?.protocol === 'ws:') && !isLoopback(url.hostname.replace(/[[\]]/g, ''))
  );
}

function safeInProduction(
  variable: 'HAMRAHI_PUBLIC_URL' | 'HAMRAHI_SIP_WSS_URL' | 'HAMRAHI_JWT_JWKS_URL' | 'HAMRAHI_VAULT_ADDR',
): Rule {
  return {
    variable,
    expected: 'https or wss in production (loopback excepted)',
    broken: (v) => isProduction(v) && isPlain(v[variable]),
  };
}

/** What a package prints of itself knows no redaction. */
function silent(variable: 'DEBUG' | 'NODE_DEBUG'): Rule {
  return {
    variable,
    expected: 'to be unset in production, and wherever HAMRAHI_SECRETS is vault',
    broken: (v) => (isProduction(v) || v.HAMRAHI_SECRETS === 'vault') && Boolean(v[variable]),
  };
}

const usesVault = (v: Partial<Values>) => isCore(v) && v.HAMRAHI_SECRETS === 'vault';

const SECRETS_RULES: readonly Rule[] = [
  {
    variable: 'HAMRAHI_SECRETS_DIR',
    expected: 'to be set where HAMRAHI_SECRETS is directory and there is no CREDENTIALS_DIRECTORY',
    broken: (v) =>
      isCore(v) &&
      v.HAMRAHI_SECRETS === 'directory' &&
      v.HAMRAHI_SECRETS_DIR === null &&
      v.CREDENTIALS_DIRECTORY === null,
  },
  {
    variable: 'HAMRAHI_SECRETS',
    expected: 'directory or vault in production, or HAMRAHI_ALLOW_ENVIRONMENT_SECRETS=yes',
    broken: (v) =>
      isCore(v) &&
      isProduction(v) &&
      v.HAMRAHI_SECRETS === 'environment' &&
      v.HAMRAHI_ALLOW_ENVIRONMENT_SECRETS === false,
  },
  {
    variable: 'HAMRAHI_VAULT_ADDR',
    expected: 'to be set exactly when HAMRAHI_SECRETS is vault',
    broken: (v) =>
      isCore(v) &&
      v.HAMRAHI_SECRETS !== undefined &&
      v.HAMRAHI_VAULT_ADDR !== undefined &&
      (v.HAMRAHI_SECRETS === 'vault') === (v.HAMRAHI_VAULT_ADDR === null),
  },
  safeInProduction('HAMRAHI_VAULT_ADDR'),
  {
    variable: 'HAMRAHI_VAULT_ROLE_ID',
    expected: 'to be set where HAMRAHI_SECRETS is vault',
    broken: (v) => usesVault(v) && v.HAMRAHI_VAULT_ROLE_ID === null,
  },
  {
    variable: 'HAMRAHI_VAULT_SECRET_ID',
    expected:
      'exactly one of HAMRAHI_VAULT_SECRET_ID and HAMRAHI_VAULT_SECRET_ID_FILE to be set where HAMRAHI_SECRETS is vault',
    broken: (v) =>
      usesVault(v) &&
      v.HAMRAHI_VAULT_SECRET_ID !== undefined &&
      v.HAMRAHI_VAULT_SECRET_ID_FILE !== undefined &&
      (v.HAMRAHI_VAULT_SECRET_ID === null) === (v.HAMRAHI_VAULT_SECRET_ID_FILE === null),
  },
];

/** Each of a list of URLs. */
function listSafeInProduction(variable: 'HAMRAHI_ALERT_WEBHOOK_URLS' | 'HAMRAHI_ALERTMANAGER_URLS'): Rule {
  return {
    variable,
    expected: 'https in production (loopback excepted)',
    broken: (v) => isProduction(v) && (v[variable] ?? []).some(isPlain),
  };
}

export const RULES: readonly Rule[] = [
  {
    variable: 'HAMRAHI_FAILPOINT',
    expected: 'to be unset outside the sandbox',
    broken: (v) => v.HAMRAHI_ENV !== 'sandbox' && Boolean(v.HAMRAHI_FAILPOINT),
  },
  {
    variable: 'HAMRAHI_SYNTHETIC_ZONE',
    expected: 'to be set where HAMRAHI_SYNTHETIC_SOS_EVERY_S is',
    broken: (v) => v.HAMRAHI_SYNTHETIC_ZONE === null && (v.HAMRAHI_SYNTHETIC_SOS_EVERY_S ?? 0) > 0,
  },
  silent('DEBUG'),
  silent('NODE_DEBUG'),
  requiredForCore('HAMRAHI_PUBLIC_URL'),
  requiredForCore('HAMRAHI_SIP_WSS_URL'),
  requiredForCore('HAMRAHI_SIP_DOMAIN'),
  requiredForCore('HAMRAHI_JWT_ISSUER'),
  requiredForCore('HAMRAHI_ARI_PASSWORD'),
  requiredForCore('HAMRAHI_TRUNKS'),
  {
    variable: 'HAMRAHI_TRUNKS',
    expected: 'at least one trunk: without one there is no phone fallback',
    broken: (v) => isCore(v) && v.HAMRAHI_TRUNKS?.length === 0,
  },
  {
    variable: 'HAMRAHI_JWT_HS256_SECRET',
    expected: 'exactly one of HAMRAHI_JWT_HS256_SECRET and HAMRAHI_JWT_JWKS_URL to be set',
    broken: (v) =>
      isCore(v) &&
      v.HAMRAHI_JWT_HS256_SECRET !== undefined &&
      v.HAMRAHI_JWT_JWKS_URL !== undefined &&
      (v.HAMRAHI_JWT_HS256_SECRET === null) === (v.HAMRAHI_JWT_JWKS_URL === null),
  },
  {
    variable: 'HAMRAHI_JWT_HS256_SECRET',
    expected: 'to be unset in production, where only the issuer may be able to make tokens',
    broken: (v) => isCore(v) && isProduction(v) && Boolean(v.HAMRAHI_JWT_HS256_SECRET),
  },
  safeInProduction('HAMRAHI_JWT_JWKS_URL'),
  safeInProduction('HAMRAHI_PUBLIC_URL'),
  safeInProduction('HAMRAHI_SIP_WSS_URL'),
  {
    variable: 'HAMRAHI_TLS_KEY_FILE',
    expected: 'both or none of HAMRAHI_TLS_CERT_FILE and HAMRAHI_TLS_KEY_FILE to be set',
    broken: (v) => (v.HAMRAHI_TLS_CERT_FILE === null) !== (v.HAMRAHI_TLS_KEY_FILE === null),
  },
  {
    variable: 'HAMRAHI_HTTP_LISTEN',
    expected: 'a loopback address, or TLS files, or HAMRAHI_ALLOW_PLAINTEXT=yes',
    broken: (v) =>
      isCore(v) &&
      hasNoTls(v) &&
      v.HAMRAHI_HTTP_LISTEN !== undefined &&
      !isLoopback(v.HAMRAHI_HTTP_LISTEN.host),
  },
  {
    variable: 'HAMRAHI_EDGE_LISTEN',
    expected: 'a loopback address, or TLS files, or HAMRAHI_ALLOW_PLAINTEXT=yes',
    broken: (v) =>
      isEdge(v) &&
      hasNoTls(v) &&
      v.HAMRAHI_EDGE_LISTEN !== undefined &&
      !isLoopback(v.HAMRAHI_EDGE_LISTEN.host),
  },
  {
    variable: 'HAMRAHI_METRICS_TOKEN',
    expected: 'to be set in production when HAMRAHI_HTTP_LISTEN is not loopback',
    broken: (v) =>
      isCore(v) &&
      isProduction(v) &&
      v.HAMRAHI_METRICS_TOKEN === null &&
      v.HAMRAHI_HTTP_LISTEN !== undefined &&
      !isLoopback(v.HAMRAHI_HTTP_LISTEN.host),
  },
  {
    variable: 'HAMRAHI_INTERNAL_LISTEN',
    expected: 'to be set for the role core: without it no edge can reach it',
    broken: (v) => v.HAMRAHI_ROLE === 'core' && v.HAMRAHI_INTERNAL_LISTEN === null,
  },
  {
    variable: 'HAMRAHI_EDGE_SECRET',
    expected: 'to be set for the roles core and edge, and wherever HAMRAHI_INTERNAL_LISTEN is set',
    broken: (v) =>
      v.HAMRAHI_EDGE_SECRET === null &&
      (v.HAMRAHI_ROLE === 'core' || v.HAMRAHI_ROLE === 'edge' || Boolean(v.HAMRAHI_INTERNAL_LISTEN)),
  },
  {
    variable: 'HAMRAHI_CORE_URL',
    expected: 'to be set for the role edge',
    broken: (v) =>
      v.HAMRAHI_ROLE === 'edge' && (v.HAMRAHI_CORE_URL === null || v.HAMRAHI_CORE_URL?.length === 0),
  },
  {
    variable: 'HAMRAHI_TURN_SECRET',
    expected: 'to be set exactly when HAMRAHI_TURN_URLS is',
    broken: (v) =>
      v.HAMRAHI_TURN_URLS !== undefined &&
      v.HAMRAHI_TURN_SECRET !== undefined &&
      (v.HAMRAHI_TURN_SECRET === null) === v.HAMRAHI_TURN_URLS.length > 0,
  },
  {
    variable: 'HAMRAHI_WEBHOOK_ALLOW_HTTP',
    expected: 'no in production: webhooks tell of citizens',
    broken: (v) => isProduction(v) && v.HAMRAHI_WEBHOOK_ALLOW_HTTP === true,
  },
  {
    variable: 'HAMRAHI_ALERT_WEBHOOK_SECRET',
    expected: 'to be set exactly when HAMRAHI_ALERT_WEBHOOK_URLS is',
    broken: (v) =>
      v.HAMRAHI_ALERT_WEBHOOK_URLS !== undefined &&
      v.HAMRAHI_ALERT_WEBHOOK_SECRET !== undefined &&
      (v.HAMRAHI_ALERT_WEBHOOK_SECRET === null) === v.HAMRAHI_ALERT_WEBHOOK_URLS.length > 0,
  },
  listSafeInProduction('HAMRAHI_ALERT_WEBHOOK_URLS'),
  listSafeInProduction('HAMRAHI_ALERTMANAGER_URLS'),
  {
    variable: 'HAMRAHI_SMTP_URL',
    expected: 'all or none of HAMRAHI_SMTP_URL, HAMRAHI_ALERT_MAIL_FROM and HAMRAHI_ALERT_MAIL_TO to be set',
    broken: (v) => {
      const { HAMRAHI_SMTP_URL: url, HAMRAHI_ALERT_MAIL_FROM: from, HAMRAHI_ALERT_MAIL_TO: to } = v;
      if (url === undefined || from === undefined || to === undefined) return false;
      return new Set([url !== null, from !== null, to.length > 0]).size > 1;
    },
  },
  {
    variable: 'HAMRAHI_FIRST_RETRY_MS',
    expected: 'less than HAMRAHI_WATCHDOG_MS',
    broken: (v) =>
      v.HAMRAHI_FIRST_RETRY_MS !== undefined &&
      v.HAMRAHI_WATCHDOG_MS !== undefined &&
      v.HAMRAHI_FIRST_RETRY_MS >= v.HAMRAHI_WATCHDOG_MS,
  },
  ...SECRETS_RULES,
];
