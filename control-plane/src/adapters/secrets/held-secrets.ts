/**
 * The secrets that a source has read, in memory. One that was known is replaced by another one, never by nothing: a
 * password that may still be good is worth more to an SOS than none. Who is on call hears of it.
 */
import { isSecretReference } from '../../domain/secret-reference.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';

export const MAX_REFERENCES = 500;

export interface SecretFault {
  readonly code: `ERR_SECRETS_${string}`;
  /** Half a sentence for a human; never holds what was read. */
  readonly reason: string;
}

/** What a look at one reference brought. */
export type Finding = { readonly value: Secret } | { readonly fault: SecretFault };

export interface HeldSecretsOptions {
  /** As an alert's subject and a metric's label. */
  readonly place: 'directory' | 'environment' | 'vault';
  readonly alerts: OpsAlerts;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class HeldSecrets {
  readonly #options: HeldSecretsOptions;
  readonly #values = new Map<string, Secret>();
  readonly #faults = new Map<string, SecretFault>();
  readonly #listeners = new Set<(reference: string) => void>();
  #wanted: readonly string[] = [];
  #placeFault: SecretFault | null = null;

  constructor(options: HeldSecretsOptions) {
    this.#options = options;
  }

  get wanted(): readonly string[] {
    return this.#wanted;
  }

  /** From now on these. Throws for what is no reference. */
  want(references: readonly string[]): void {
    const wanted = [...new Set(references)];
    const wrong = wanted.find((one) => !isSecretReference(one));
    if (wrong !== undefined) throw new TypeError(`"${wrong}" is no reference to a secret`);
    if (wanted.length > MAX_REFERENCES)
      throw new RangeError(`more than ${MAX_REFERENCES} secrets are wanted`);
    for (const reference of this.#wanted) if (!wanted.includes(reference)) this.#forget(reference);
    this.#wanted = wanted;
  }

  get(reference: string): Secret | null {
    return this.#values.get(reference) ?? null;
  }

  onChange(listener: (reference: string) => void): () => void {
    // One of its own, so that a function that listens twice is told twice, and stops once.
    const own = (reference: string): void => listener(reference);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** All of a look together: who is told of one that changed finds the others changed too. */
  settle(findings: ReadonlyMap<string, Finding>): void {
    const changed: string[] = [];
    for (const [reference, finding] of findings) {
      if (!this.#wanted.includes(reference)) continue;
      if ('fault' in finding) this.#lack(reference, finding.fault);
      else if (this.#take(reference, finding.value)) changed.push(reference);
    }
    this.#measure();
    for (const reference of changed) this.#tell(reference);
  }

  /** The place as a whole does not answer, or does so no more at the next start. */
  away(fault: SecretFault): void {
    const { place, alerts, log } = this.#options;
    if (this.#placeFault?.code !== fault.code)
      log.error('The secrets manager cannot be used: last known values are in use.', { place, ...fault });
    this.#placeFault = fault;
    for (const reference of this.#wanted) if (!this.#values.has(reference)) this.#lack(reference, fault);
    if (this.#values.size > 0)
      alerts.raise({
        kind: 'secrets-stale',
        subject: place,
        severity: 'warning',
        summary: `${fault.reason} (${fault.code}): the last known secrets are in use, and a process that starts now has none.`,
      });
    this.#measure();
  }

  back(): void {
    const { place, alerts, log } = this.#options;
    if (this.#placeFault) log.info('The secrets manager is back.', { place });
    this.#placeFault = null;
    alerts.resolve('secrets-stale', place);
    this.#measure();
  }

  /** Whether it is another one than before. */
  #take(reference: string, value: Secret): boolean {
    const { place, alerts, log, metrics } = this.#options;
    const before = this.#values.get(reference);
    this.#values.set(reference, value);
    this.#faults.delete(reference);
    alerts.resolve('secret-missing', reference);
    alerts.resolve('secrets-stale', reference);
    if (before?.reveal() === value.reveal()) return false;
    log.info(before ? 'a secret has changed' : 'a secret was read', { place, reference });
    metrics.count('hamrahi_secrets_changes_total', { place });
    return true;
  }

  #lack(reference: string, fault: SecretFault): void {
    const { place, alerts, log } = this.#options;
    const isHeld = this.#values.has(reference);
    if (this.#faults.get(reference)?.code !== fault.code)
      log.error('A secret cannot be read.', { place, reference, lastKnown: isHeld, ...fault });
    this.#faults.set(reference, fault);
    const what = `${reference}: ${fault.reason} (${fault.code})`;
    if (isHeld)
      alerts.raise({
        kind: 'secrets-stale',
        subject: reference,
        severity: 'warning',
        summary: `${what}; its last known value is in use, and a process that starts now has none.`,
      });
    else
      alerts.raise({
        kind: 'secret-missing',
        subject: reference,
        severity: 'critical',
        summary: `${what}; what needs it does not work.`,
      });
  }

  #forget(reference: string): void {
    this.#values.delete(reference);
    this.#faults.delete(reference);
    this.#options.alerts.resolve('secret-missing', reference);
    this.#options.alerts.resolve('secrets-stale', reference);
  }

  #tell(reference: string): void {
    for (const listener of this.#listeners) {
      try {
        listener(reference);
      } catch (error) {
        this.#options.log.error('who was told of a changed secret failed', {
          reference,
          reason: nameOf(error),
        });
      }
    }
  }

  #measure(): void {
    const { place, metrics } = this.#options;
    const missing = this.#wanted.filter((reference) => !this.#values.has(reference)).length;
    metrics.gauge('hamrahi_secrets_missing', missing, { place });
    metrics.gauge('hamrahi_secrets_stale', this.#faults.size - missing > 0 || this.#placeFault ? 1 : 0, {
      place,
    });
  }
}

/** An error's message may hold what it was about. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
