/**
 * How we show carriers who we are: passwords and registrations of trunks, put into Asterisk's memory by its dynamic
 * configuration, so that no file has them. A restart of Asterisk loses them. At each attachment, and when the trunks or a
 * secret change, what is missing or other than it should be is put, and nothing else: a registration that stands is left
 * alone.
 */
import { CONTROL_CHARACTER } from '../../domain/control-characters.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import { engineGap } from '../../domain/trunk/trunk-fault.ts';
import { secretOf } from '../../domain/trunk/trunk.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { SecretSource } from '../../ports/secret-source.ts';
import type { Trunks } from '../../ports/trunks.ts';
import type { AriClient } from './ari-connection.ts';
import { DynamicObjects } from './dynamic-objects.ts';
import { settleAccount, withdrawAccount, type Settled } from './trunk-account.ts';

export interface TrunkAccounts {
  readonly trunks: Pick<Trunks, 'known' | 'get' | 'onChange'>;
  readonly secrets: Pick<SecretSource, 'get' | 'onChange'>;
}

export interface TrunkProvisionerOptions extends TrunkAccounts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

const MAX_SECRET_CHARACTERS = 256;
/** An attachment waits no longer: what is not there by then follows. */
const ATTACH_WITHIN_MS = 1_000;
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 60_000;
/** Between two changes: Asterisk still works on what was taken away. */
const CHANGE_EVERY_MS = 1_000;
/** Carrier and network are through with a REGISTER by then. */
const UNREGISTERED_AFTER_MS = 5_000;

export class TrunkProvisioner {
  readonly #objects: DynamicObjects;
  readonly #options: TrunkProvisionerOptions;
  readonly #stopListening: readonly (() => void)[];
  /** The end of the last order per trunk: none overtakes another. */
  readonly #orders = new Map<string, Promise<void>>();
  /** What is to be looked at again, and how long it waits should it fail once more. */
  readonly #later = new Map<string, { readonly cancel: () => void; readonly delayMs: number }>();
  /** Not before; by trunk. */
  readonly #restsUntil = new Map<string, Instant>();
  #attached = false;

  constructor(client: AriClient, options: TrunkProvisionerOptions) {
    this.#objects = new DynamicObjects(client);
    this.#options = options;
    const { trunks, secrets } = options;
    this.#stopListening = [
      trunks.onChange((changes) => {
        for (const { trunk } of changes) void this.#provision(trunk);
      }),
      secrets.onChange((reference) => {
        for (const trunk of trunks.known())
          if (secretOf(trunk) === reference) void this.#provision(trunk.name);
      }),
    ];
  }

  /** Resolves when every account is in the engine, or after a second: no call waits for one of them. */
  async attached(): Promise<void> {
    this.#attached = true;
    const { clock, trunks } = this.#options;
    // nothing of it is known to be the engine's: it may have been started anew
    this.#restsUntil.clear();
    const late = Promise.withResolvers<undefined>();
    const cancel = clock.at(this.#in(ATTACH_WITHIN_MS), () => late.resolve(undefined));
    await Promise.race([Promise.all(trunks.known().map(({ name }) => this.#provision(name))), late.promise]);
    cancel();
  }

  detached(): void {
    this.#attached = false;
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
  }

  stop(): void {
    this.detached();
    for (const stop of this.#stopListening) stop();
  }

  /** As the trunk is by then: several changes in a row come to the last one. Never rejects. */
  #provision(name: string): Promise<void> {
    const done = (this.#orders.get(name) ?? Promise.resolve()).then(() => this.#settle(name));
    this.#orders.set(name, done);
    void done.then(() => {
      if (this.#orders.get(name) === done) this.#orders.delete(name);
    });
    return done;
  }

  async #settle(name: string): Promise<void> {
    if (!this.#attached) return;
    const { clock, log } = this.#options;
    const waited = this.#later.get(name);
    waited?.cancel();
    this.#later.delete(name);
    const restMs = (this.#restsUntil.get(name) ?? 0) - clock.now();
    if (restMs > 0) {
      this.#again(name, restMs, FIRST_RETRY_MS);
      return;
    }
    this.#restsUntil.delete(name);
    const settled = await this.#account(name);
    if (!settled.ok) {
      this.#failed(name, settled, waited?.delayMs ?? FIRST_RETRY_MS);
      return;
    }
    if (settled.is === 'kept') return;
    const restsMs = settled.is === 'unfinished' ? UNREGISTERED_AFTER_MS : CHANGE_EVERY_MS;
    this.#restsUntil.set(name, this.#in(restsMs));
    if (settled.is === 'unfinished') this.#again(name, restsMs, FIRST_RETRY_MS);
    else log.info('the account of a trunk was changed in the engine', { trunk: name });
  }

  async #account(name: string): Promise<Settled> {
    const trunk = this.#options.trunks.get(name);
    if (trunk === undefined || engineGap(trunk).length > 0) return withdrawAccount(this.#objects, name);
    const reference = secretOf(trunk);
    const secret = reference === null ? null : this.#secret(name, reference);
    // without its password it could do nothing but fail; what stands goes on with the one of before
    if (reference !== null && secret === null) return { ok: true, is: 'kept' };
    return settleAccount(this.#objects, trunk, secret);
  }

  /** Asterisk would repeat in its log what it cannot take as a value. */
  #secret(trunk: string, reference: string): Secret | null {
    const secret = this.#options.secrets.get(reference);
    const value = secret?.reveal() ?? '';
    if (value !== '' && value.length <= MAX_SECRET_CHARACTERS && !CONTROL_CHARACTER.test(value))
      return secret;
    const reason = value === '' ? 'there is none' : 'it is no password for a carrier';
    this.#options.log.error('the password of a trunk cannot be had', { trunk, reference, reason });
    this.#options.metrics.count('hamrahi_pbx_trunk_passwords_missing_total', { trunk });
    return null;
  }

  #failed(trunk: string, { code, detail }: Settled & { ok: false }, delayMs: number): void {
    const { log, metrics } = this.#options;
    metrics.count('hamrahi_pbx_trunk_account_failures_total', { trunk });
    // the next attachment begins from the start
    if (!this.#attached) return;
    log.warn('the account of a trunk could not be put into the engine', {
      ...{ trunk, code, detail, retryInMs: delayMs },
    });
    this.#again(trunk, delayMs, Math.min(delayMs * 2, MAX_RETRY_MS));
  }

  #again(trunk: string, afterMs: number, delayMs: number): void {
    const cancel = this.#options.clock.at(this.#in(afterMs), () => void this.#provision(trunk));
    this.#later.set(trunk, { cancel, delayMs });
  }

  #in(delayMs: number): Instant {
    return (this.#options.clock.now() + delayMs) as Instant;
  }
}
