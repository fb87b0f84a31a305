/**
 * Our token at Vault: taken by AppRole, renewed at two thirds of its life, taken anew where it cannot be renewed or was
 * refused. A login that Vault refuses is not repeated at once: after some, Vault locks the role for all.
 */
import type { Instant } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { SecretFault } from './held-secrets.ts';
import { isPassing, type VaultApi, type VaultGrant } from './vault-api.ts';
import type { SecretId } from './vault-secret-id.ts';

export interface VaultSessionOptions {
  readonly api: VaultApi;
  readonly roleId: Secret;
  readonly secretId: SecretId;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A fault beside a token: what was due failed, and the token serves for a while yet. */
export interface VaultAccess {
  readonly token: Secret | null;
  readonly fault: SecretFault | null;
}

interface Held extends VaultGrant {
  readonly takenAt: Instant;
  /** As long as the login gave. */
  readonly fullLeaseS: number;
  /** Infinite: never. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

const RENEW_AT = 2 / 3;
/** A refused token that is younger was refused for what it may not do: another one may not either. */
const YOUNG_MS = 300_000;
const REFUSED_LOGIN_PAUSE_MS = 300_000;

export class VaultSession {
  readonly #options: VaultSessionOptions;
  #held: Held | null = null;
  #refused: { readonly secretId: string; readonly at: Instant; readonly fault: SecretFault } | null = null;

  constructor(options: VaultSessionOptions) {
    this.#options = options;
  }

  /** When the token is due, or nothing is. */
  get dueAt(): number {
    return this.#held?.renewAt ?? Number.POSITIVE_INFINITY;
  }

  async access(): Promise<VaultAccess> {
    const now = this.#options.clock.now();
    if (this.#held && now >= this.#held.expiresAt) this.#held = null;
    if (this.#held && now < this.#held.renewAt) return { token: this.#held.token, fault: null };
    if (this.#held?.isRenewable) {
      const fault = await this.#renew(this.#held);
      if (fault && isPassing(fault)) return { token: this.#held.token, fault };
      if (!fault && !this.#isRunningOut()) return { token: this.#held.token, fault: null };
    }
    const fault = await this.#login();
    return { token: this.#held?.token ?? null, fault };
  }

  /** Vault refused the token: the next access takes another one. `false`: it would be refused too. */
  wasDenied(): boolean {
    const { clock } = this.#options;
    if (!this.#held || clock.now() - this.#held.takenAt < YOUNG_MS) return false;
    this.#held = null;
    return true;
  }

  /** Somebody has looked into it: a login that was refused is tried again. */
  forgive(): void {
    this.#refused = null;
  }

  /** Gives the token up; `null`: there is none. */
  take(): Secret | null {
    const token = this.#held?.token ?? null;
    this.#held = null;
    return token;
  }

  /** What a renewal gives falls short of the whole: the token nears the end of what its role allows. */
  #isRunningOut(): boolean {
    return this.#held !== null && this.#held.leaseS < this.#held.fullLeaseS / 2;
  }

  async #renew(held: Held): Promise<SecretFault | null> {
    const { api, log } = this.#options;
    const renewed = await api.renew(held.token, held.fullLeaseS);
    this.#count('renew', renewed.ok);
    if (renewed.ok) {
      this.#hold(renewed.value, held.takenAt, held.fullLeaseS);
      return null;
    }
    log.warn('the token of Vault could not be renewed', { ...renewed.fault });
    if (renewed.fault.code === 'ERR_SECRETS_DENIED') this.#held = null;
    return renewed.fault;
  }

  async #login(): Promise<SecretFault | null> {
    const { api, roleId, secretId, clock, log } = this.#options;
    const id = await secretId.get();
    if (!id.ok) return id.fault;
    const now = clock.now();
    const refused = this.#refused;
    if (refused?.secretId === id.value.reveal() && now - refused.at < REFUSED_LOGIN_PAUSE_MS)
      return refused.fault;
    const login = await api.login(roleId, id.value);
    this.#count('login', login.ok);
    if (login.ok) {
      this.#refused = null;
      this.#hold(login.value, clock.now(), login.value.leaseS);
      return null;
    }
    log.warn('Vault lets us not in', { ...login.fault });
    if (isPassing(login.fault)) return login.fault;
    const fault: SecretFault = {
      code: 'ERR_SECRETS_LOGIN',
      reason: `Vault lets us not in (${login.fault.code}): the role id or secret id is wrong, expired or used up, or AppRole is not there`,
    };
    this.#refused = { secretId: id.value.reveal(), at: now, fault };
    return fault;
  }

  #hold(grant: VaultGrant, takenAt: Instant, fullLeaseS: number): void {
    const now = this.#options.clock.now();
    const leaseMs = grant.leaseS === 0 ? Number.POSITIVE_INFINITY : grant.leaseS * 1000;
    this.#held = {
      ...grant,
      takenAt,
      fullLeaseS,
      renewAt: now + leaseMs * RENEW_AT,
      expiresAt: now + leaseMs,
    };
  }

  #count(what: 'login' | 'renew', isOk: boolean): void {
    this.#options.metrics.count('hamrahi_secrets_vault_sessions_total', {
      what,
      result: isOk ? 'ok' : 'failed',
    });
  }
}
