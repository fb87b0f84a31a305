/** What a source holds as text becomes a secret, the same way everywhere. */
import { Secret } from '../../domain/secret.ts';

export const MAX_SECRET_BYTES = 65_536;

/** Without the line end of an editor or of `vault kv put …=@file`; null: nothing is left, or it is no text. */
export function secretOf(text: string): Secret | null {
  const value = text.replace(/\r?\n$/, '');
  return value === '' || value.includes('\0') ? null : new Secret(value);
}
