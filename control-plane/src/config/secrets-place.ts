/** Where this process takes secrets from, and what is set in vain beside it. */
import type { SecretsConfig } from './config.ts';
import type { ConfigError, Environment, Values } from './read-variables.ts';
import { secretVariables } from './secret-variables.ts';

/** Where secrets come from when nobody says so. */
export function secretsKind(v: Partial<Values>): SecretsConfig['kind'] {
  if (v.HAMRAHI_SECRETS) return v.HAMRAHI_SECRETS;
  return v.HAMRAHI_SECRETS_DIR || v.CREDENTIALS_DIRECTORY ? 'directory' : 'environment';
}

/** What is set where it would not be looked at, or where everybody could. */
export function secretVariableErrors(env: Environment, v: Partial<Values>): readonly ConfigError[] {
  if (v.HAMRAHI_ROLE === 'edge') return [];
  const kind = secretsKind(v);
  const isRefused = v.HAMRAHI_ENV === 'production' && v.HAMRAHI_ALLOW_ENVIRONMENT_SECRETS === false;
  if (kind === 'environment' && !isRefused) return [];
  const expected =
    kind === 'environment'
      ? 'to be unset in production, or HAMRAHI_ALLOW_ENVIRONMENT_SECRETS=yes'
      : `to be unset, since secrets come from ${kind === 'vault' ? 'Vault' : 'a directory'}`;
  return Object.keys(secretVariables(env)).map((variable) => ({ variable, expected, got: null }));
}
