/**
 * Secrets as files of one directory, `trunks/tata/password` in `trunks.tata.password` (systemd names no credential with a
 * slash). Changes are found by reading all of them every few seconds: what tells of changed files tells nothing on some file
 * systems, and nothing of a directory that systemd mounts anew.
 */
import { join } from 'node:path';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretSource } from '../../ports/secret-source.ts';
import { HeldSecrets, type Finding, type HeldSecretsOptions } from './held-secrets.ts';
import { atMost, Rounds } from './rounds.ts';
import { directoryRefusal, readSecretFile, type FileRules } from './secret-file.ts';

export interface DirectorySecretsOptions extends Omit<HeldSecretsOptions, 'place'> {
  readonly directory: string;
  /** It is systemd's `$CREDENTIALS_DIRECTORY`. */
  readonly isSystemds: boolean;
  readonly clock: Clock;
  readonly pollMs?: number;
}

const POLL_MS = 5000;
/** A disk that does not answer does not hold up the start. */
const START_WAIT_MS = 3000;

export class DirectorySecrets implements SecretSource {
  readonly #options: DirectorySecretsOptions;
  readonly #rules: FileRules;
  readonly #held: HeldSecrets;
  readonly #rounds: Rounds;

  constructor(options: DirectorySecretsOptions) {
    this.#options = options;
    this.#rules = { account: process.geteuid?.() ?? -1, isSystemds: options.isSystemds };
    this.#held = new HeldSecrets({ ...options, place: 'directory' });
    this.#rounds = new Rounds(options.clock, options.log, () => this.#look());
  }

  async start(references: readonly string[]): Promise<void> {
    this.#held.want(references);
    await atMost(this.#options.clock, START_WAIT_MS, this.#rounds.now());
  }

  refresh(): Promise<void> {
    return this.#rounds.now();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  get(reference: string): Secret | null {
    return this.#held.get(reference);
  }

  onChange(listener: (reference: string) => void): () => void {
    return this.#held.onChange(listener);
  }

  async #look(): Promise<number> {
    const { directory, metrics, pollMs = POLL_MS } = this.#options;
    const refused = await directoryRefusal(directory, this.#rules.account);
    if (refused) {
      this.#held.away(refused);
    } else {
      const findings = new Map<string, Finding>();
      for (const reference of this.#held.wanted) {
        findings.set(reference, await this.#find(reference));
      }
      this.#held.settle(findings);
      this.#held.back();
    }
    metrics.count('hamrahi_secrets_looks_total', { place: 'directory', result: refused ? 'failed' : 'ok' });
    return pollMs;
  }

  async #find(reference: string): Promise<Finding> {
    const name = fileNameOf(reference);
    return readSecretFile(join(this.#options.directory, name), name, this.#rules);
  }
}

export function fileNameOf(reference: string): string {
  return reference.replaceAll('/', '.');
}
