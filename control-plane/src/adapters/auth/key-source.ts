/** Keys that a token's signature is checked with: a shared secret, or the issuer's published set (RFC 7517). */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Secret } from '../../domain/secret.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';

export interface KeySource {
  /** The only algorithms that may stand in a token's header (RFC 8725 §3.1). */
  readonly algorithms: readonly string[];
  readonly getKey: JWTVerifyGetKey;
}

/** The issuer's keys could not be fetched, and none were ever fetched before. */
export class KeysUnavailable extends Error {}

/** HS256 with one shared secret: for the sandbox. */
export function sharedSecret(secret: Secret): KeySource {
  const key = new TextEncoder().encode(secret.reveal());
  return { algorithms: ['HS256'], getKey: () => key };
}

export interface IssuerKeysOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Deadline of one fetch. */
  readonly fetchTimeoutMs?: number;
  /** Older keys are fetched anew, beside the request that noticed it. */
  readonly maxAgeMs?: number;
  /** An unknown key id fetches at most this often. */
  readonly cooldownMs?: number;
}

const MAX_SET_BYTES = 262_144;

/**
 * Keys from the issuer's JWKS. Keys that were fetched once stay in use while the issuer is out of reach: its
 * failure must not refuse an SOS. Only a first fetch, or one for an unknown key id, makes a token wait.
 */
export class IssuerKeys implements KeySource {
  readonly algorithms = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'];
  readonly #options: Required<IssuerKeysOptions>;
  #keys: ReturnType<typeof createLocalJWKSet> | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt: Instant | null = null;
  #fetching: Promise<boolean> | null = null;

  constructor(options: IssuerKeysOptions) {
    this.#options = { fetchTimeoutMs: 2000, maxAgeMs: 300_000, cooldownMs: 10_000, ...options };
  }

  readonly getKey: JWTVerifyGetKey = async (header, token) => {
    if (!this.#keys) await this.refresh();
    const keys = this.#keys;
    if (!keys) throw new KeysUnavailable();
    const age = this.#options.clock.now() - (this.#fetchedAt ?? 0);
    if (age > this.#options.maxAgeMs && this.#cooledDown()) void this.refresh();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#cooledDown()) throw error;
      await this.refresh();
      return await (this.#keys ?? keys)(header, token);
    }
  };

  /** Fetches once, shared by all who wait; whether it came. Call it at start, so that no SOS waits for it. */
  refresh(): Promise<boolean> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  #cooledDown(): boolean {
    return this.#options.clock.now() - this.#triedAt > this.#options.cooldownMs;
  }

  async #fetch(): Promise<boolean> {
    const { url, clock, log, metrics, fetchTimeoutMs } = this.#options;
    this.#triedAt = clock.now();
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const text = await response.text();
      if (text.length > MAX_SET_BYTES) throw new Error('the key set is too large');
      this.#keys = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
      this.#fetchedAt = clock.now();
      metrics.count('hamrahi_auth_keys_fetched_total', { result: 'ok' });
      return true;
    } catch (error) {
      metrics.count('hamrahi_auth_keys_fetched_total', { result: 'failed' });
      log.error('cannot fetch the keys of the token issuer', {
        code: 'ERR_AUTH_UNAVAILABLE',
        reason: error instanceof Error ? error.message : String(error),
        usingOlderKeys: this.#keys !== null,
      });
      return false;
    }
  }
}
