/** Where secrets come from (TEL-6). References are those of the trunk files and settings: `trunks/tata/password`. */
import type { Secret } from '../domain/secret.ts';

export interface SecretSource {
  /** Reads what is needed now; later reads follow changes by themselves. Rejects only where nothing at all can be read. */
  start(references: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  /** The present value; the last known one while the source is away; null: there is none. */
  get(reference: string): Secret | null;
  /** Told after a value has changed (rotation). Returns how to stop listening. */
  onChange(listener: (reference: string) => void): () => void;
}
