/** Secrets as variables, for development: `HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD` is `trunks/tata/password`. */
import { Secret } from '../domain/secret.ts';

/** A reference has two parts at least, so that a misspelt HAMRAHI_SECRETS_DIR is none. */
const FORM = /^HAMRAHI_SECRET_[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

export function isSecretVariable(name: string): boolean {
  return FORM.test(name);
}

/** Those that are set; empty means unset. */
export function secretVariables(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, Secret>> {
  const set = Object.entries(env).filter(([name, value]) => isSecretVariable(name) && value);
  return Object.fromEntries(set.map(([name, value]) => [name, new Secret(value ?? '')]));
}
