/** Where secrets come from (TEL-6). References are those of the trunk files and settings: `trunks/tata/password`. */
import type { Secret } from '../domain/secret.ts';

export interface SecretSource {
  /**
   * Reads what is needed now; later reads follow changes by themselves. Waits some seconds at most and fails for nothing
   * outside: what could not be read is told as an alert, and read later. Rejects for what is no reference. Called again
   * with other references, it follows those instead.
   */
  start(references: readonly string[]): Promise<void>;
  /** Looks for changes now. Resolves when it has looked, whatever it found. */
  refresh(): Promise<void>;
  /** What was read stays there to be had. */
  stop(): Promise<void>;
  /** The present value; the last known one while the source is away, or lost it; null: there is none. */
  get(reference: string): Secret | null;
  /** Told after a value has changed (rotation), or has come at last. Returns how to stop listening. */
  onChange(listener: (reference: string) => void): () => void;
}
