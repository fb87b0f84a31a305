/**
 * Secrets in Vault or OpenBao: `trunks/tata/password` is the key `password` of the KV secret `<prefix>/trunks/tata`. What was
 * read stays in memory while Vault is sealed, down, slow or confused; a new version is found by the next look.
 */
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretSource } from '../../ports/secret-source.ts';
import { HeldSecrets, type Finding, type HeldSecretsOptions, type SecretFault } from './held-secrets.ts';
import { atMost, Rounds } from './rounds.ts';
import { secretOf } from './secret-text.ts';
import { isPassing, VaultApi } from './vault-api.ts';
import { SecretId, type SecretIdOptions } from './vault-secret-id.ts';
import { VaultSession } from './vault-session.ts';
import { VaultTransport } from './vault-transport.ts';

export interface VaultSecretsOptions extends Omit<HeldSecretsOptions, 'place'> {
  readonly address: string;
  readonly caFile: string | null;
  readonly namespace: string | null;
  readonly authMount: string;
  readonly roleId: Secret;
  readonly secretId: SecretIdOptions['from'];
  readonly isWrapped: boolean;
  readonly mount: string;
  readonly prefix: string | null;
  readonly pollMs: number;
  readonly clock: Clock;
  /** Of one request. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 3000;
/** A start does not wait for a Vault that is away: trunks that need no secret serve. */
const START_WAIT_MS = 3000;
const FAREWELL_MS = 1000;
const FIRST_PAUSE_MS = 1000;
const LEAST_PAUSE_MS = 1000;
/** A Vault that restarts wakes nobody up. */
const FAILURES_UNTOLD = 2;

export class VaultSecrets implements SecretSource {
  readonly #options: VaultSecretsOptions;
  readonly #held: HeldSecrets;
  readonly #transport: VaultTransport;
  readonly #api: VaultApi;
  readonly #session: VaultSession;
  readonly #rounds: Rounds;
  #failures = 0;

  constructor(options: VaultSecretsOptions) {
    const { clock, log, metrics, alerts, secretId: from, isWrapped, roleId } = options;
    this.#options = options;
    this.#held = new HeldSecrets({ alerts, log, metrics, place: 'vault' });
    const { caFile, deadlineMs = DEADLINE_MS } = options;
    this.#transport = new VaultTransport({ caFile, clock, deadlineMs });
    this.#api = new VaultApi({ ...options, transport: this.#transport });
    const secretId = new SecretId({ from, isWrapped, api: this.#api, alerts });
    this.#session = new VaultSession({ api: this.#api, roleId, secretId, clock, log, metrics });
    this.#rounds = new Rounds(clock, log, (isAsked) => this.#look(isAsked));
  }

  async start(references: readonly string[]): Promise<void> {
    this.#held.want(references);
    await atMost(this.#options.clock, START_WAIT_MS, this.#rounds.now());
  }

  refresh(): Promise<void> {
    return this.#rounds.now();
  }

  /** Leaves no token behind that would serve for hours, if Vault is there to be told. */
  async stop(): Promise<void> {
    this.#transport.close();
    await this.#rounds.stop();
    const token = this.#session.take();
    if (!token) return;
    const transport = new VaultTransport({ ...this.#options, deadlineMs: FAREWELL_MS });
    await new VaultApi({ ...this.#options, transport }).revoke(token);
  }

  get(reference: string): Secret | null {
    return this.#held.get(reference);
  }

  onChange(listener: (reference: string) => void): () => void {
    return this.#held.onChange(listener);
  }

  async #look(isAsked: boolean): Promise<number> {
    const { clock, metrics, pollMs } = this.#options;
    if (isAsked) this.#session.forgive();
    const fault = await this.#readAll();
    this.#failures = fault ? this.#failures + 1 : 0;
    metrics.count('hamrahi_secrets_looks_total', { place: 'vault', result: fault ? 'failed' : 'ok' });
    if (fault) this.#failed(fault);
    else this.#held.back();
    const untilDueMs = Math.max(LEAST_PAUSE_MS, this.#session.dueAt - clock.now());
    if (!fault) return Math.min(pollMs, untilDueMs);
    return Math.min(pollMs, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10));
  }

  #failed(fault: SecretFault): void {
    const isKnown = this.#held.wanted.every((reference) => this.#held.get(reference) !== null);
    if (isKnown && isPassing(fault) && this.#failures <= FAILURES_UNTOLD) return;
    this.#held.away(fault);
  }

  /** Everything that is wanted, or what keeps us from reading on. */
  async #readAll(): Promise<SecretFault | null> {
    if (this.#held.wanted.length === 0) return null;
    let access = await this.#session.access();
    const findings = new Map<string, Finding>();
    for (const [path, references] of this.#paths()) {
      if (!access.token) break;
      let read = await this.#api.read(access.token, path);
      if (!read.ok && read.fault.code === 'ERR_SECRETS_DENIED' && this.#session.wasDenied()) {
        access = await this.#session.access();
        if (!access.token) break;
        read = await this.#api.read(access.token, path);
      }
      if (!read.ok && isPassing(read.fault)) {
        access = { token: null, fault: read.fault };
        break;
      }
      for (const reference of references)
        findings.set(reference, read.ok ? valueOf(read.value, reference) : read);
    }
    this.#held.settle(findings);
    return access.fault;
  }

  /** One read for all keys of a secret: its user and its password belong together. */
  #paths(): ReadonlyMap<string, readonly string[]> {
    const { prefix } = this.#options;
    const paths = new Map<string, string[]>();
    for (const reference of this.#held.wanted) {
      const below = reference.slice(0, reference.lastIndexOf('/'));
      const path = prefix === null ? below : `${prefix}/${below}`;
      paths.set(path, [...(paths.get(path) ?? []), reference]);
    }
    return paths;
  }
}

function valueOf(values: Readonly<Record<string, unknown>>, reference: string): Finding {
  const key = reference.slice(reference.lastIndexOf('/') + 1);
  const text = Object.hasOwn(values, key) ? values[key] : undefined;
  if (text === undefined)
    return { fault: { code: 'ERR_SECRETS_ABSENT', reason: `the secret in Vault has no key ${key}` } };
  const value = typeof text === 'string' ? secretOf(text) : null;
  if (value) return { value };
  return {
    fault: { code: 'ERR_SECRETS_TEXT', reason: `the key ${key} of the secret in Vault is empty or no text` },
  };
}
