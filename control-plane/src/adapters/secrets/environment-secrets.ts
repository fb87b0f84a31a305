/**
 * Secrets as variables, `trunks/tata/password` in `HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD`: for development. Whoever sees the
 * process sees its environment, children inherit it, and it changes with a restart alone.
 */
import type { Secret } from '../../domain/secret.ts';
import type { SecretSource } from '../../ports/secret-source.ts';
import { HeldSecrets, type Finding, type HeldSecretsOptions } from './held-secrets.ts';
import { secretOf } from './secret-text.ts';

export interface EnvironmentSecretsOptions extends Omit<HeldSecretsOptions, 'place'> {
  /** By the variable's name. */
  readonly values: Readonly<Record<string, Secret>>;
}

export class EnvironmentSecrets implements SecretSource {
  readonly #options: EnvironmentSecretsOptions;
  readonly #held: HeldSecrets;

  constructor(options: EnvironmentSecretsOptions) {
    this.#options = options;
    this.#held = new HeldSecrets({ ...options, place: 'environment' });
  }

  async start(references: readonly string[]): Promise<void> {
    this.#held.want(references);
    const names = new Set(references.map(variableNameOf));
    const unused = Object.keys(this.#options.values).filter((name) => !names.has(name));
    if (unused.length > 0)
      this.#options.log.warn('variables hold secrets that nothing names', { variables: unused.join(' ') });
    await this.refresh();
  }

  refresh(): Promise<void> {
    this.#held.settle(new Map(this.#held.wanted.map((reference) => [reference, this.#find(reference)])));
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  get(reference: string): Secret | null {
    return this.#held.get(reference);
  }

  onChange(listener: (reference: string) => void): () => void {
    return this.#held.onChange(listener);
  }

  #find(reference: string): Finding {
    const name = variableNameOf(reference);
    const set = this.#options.values[name];
    const value = set && secretOf(set.reveal());
    return value ? { value } : { fault: { code: 'ERR_SECRETS_ABSENT', reason: `${name} is not set` } };
  }
}

export function variableNameOf(reference: string): string {
  return `HAMRAHI_SECRET_${reference.toUpperCase().replaceAll(/[/-]/g, '_')}`;
}
