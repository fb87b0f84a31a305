/** Secrets that a test holds, and changes as a secrets manager would. */
import { Secret } from '../../control-plane/src/domain/secret.ts';
import type { SecretSource } from '../../control-plane/src/ports/secret-source.ts';

export interface MemorySecrets extends Pick<SecretSource, 'get' | 'onChange'> {
  set(reference: string, value: string | null): void;
}

export function memorySecrets(values: Readonly<Record<string, string>> = {}): MemorySecrets {
  const held = new Map(Object.entries(values));
  const listeners = new Set<(reference: string) => void>();
  return {
    get: (reference) => {
      const value = held.get(reference);
      return value === undefined ? null : new Secret(value);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (reference, value) => {
      if (value === null) held.delete(reference);
      else held.set(reference, value);
      for (const listener of listeners) listener(reference);
    },
  };
}
