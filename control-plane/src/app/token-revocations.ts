/**
 * What is revoked, in memory, read anew each second. While the database does not answer the last list serves: its
 * failure neither lets anybody back in nor shuts anybody out.
 */
import type { CitizenId, Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Caller } from '../ports/gateway.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { RevocationOrder, Revocations, RevocationStore, Revoked } from '../ports/revocations.ts';

const READ_EVERY_MS = 1000;

export interface TokenRevocationPorts {
  readonly store: RevocationStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class TokenRevocations implements Revocations {
  readonly #ports: TokenRevocationPorts;
  readonly #listeners = new Set<() => void>();
  #mark: string | null = null;
  #tokens: ReadonlySet<string> = new Set();
  #subjects: ReadonlyMap<string, Instant> = new Map();
  #inactive: ReadonlySet<string> = new Set();
  #reading: Promise<void> | null = null;
  #failing = false;
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(ports: TokenRevocationPorts) {
    this.#ports = ports;
  }

  /** Reads once, then each second. */
  async start(): Promise<void> {
    await this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  isRevoked({ role, subject, tokenId, issuedAt }: Caller): boolean {
    if (tokenId !== null && this.#tokens.has(tokenId)) return true;
    if ((role === 'operator' || role === 'supervisor') && this.#inactive.has(subject)) return true;
    const before = this.#subjects.get(keyOf(role, subject));
    return before !== undefined && (issuedAt ?? Number.NEGATIVE_INFINITY) < before;
  }

  async refuses(caller: Caller): Promise<boolean> {
    if (!this.isRevoked(caller)) return false;
    if (caller.role !== 'citizen') return true;
    try {
      return !(await this.#ports.store.hasOpenSos(caller.subject as CitizenId));
    } catch {
      // Unknown: what might be her only way to be heard is not cut.
      return false;
    }
  }

  async revoke(order: RevocationOrder): Promise<boolean> {
    if (!(await this.#ports.store.add(order))) return false;
    // One that is being read may have begun too early.
    await this.#reading;
    await this.#read();
    return true;
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #round(): Promise<void> {
    await this.#read();
    if (this.#stopped) return;
    const { clock } = this.#ports;
    this.#cancel = clock.at((clock.now() + READ_EVERY_MS) as Instant, () => void this.#round());
  }

  async #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
    for (const listener of this.#listeners) listener();
  }

  async #readOnce(): Promise<void> {
    const { store, clock, log, metrics } = this.#ports;
    try {
      const { mark, revoked, inactive } = await store.read(this.#mark, clock.now());
      if (revoked) this.#take(revoked);
      this.#mark = mark;
      this.#inactive = new Set(inactive);
      this.#failing = false;
    } catch (error) {
      metrics.count('hamrahi_core_revocations_unread_total');
      if (!this.#failing)
        log.warn('The revocations could not be read; the last list serves.', { error: String(error) });
      this.#failing = true;
    }
  }

  #take(revoked: readonly Revoked[]): void {
    const subjects = new Map<string, Instant>();
    for (const one of revoked) if (one.kind === 'subject') subjects.set(keyOf(one.role, one.subject), one.at);
    this.#subjects = subjects;
    this.#tokens = new Set(revoked.flatMap((one) => (one.kind === 'token' ? [one.tokenId] : [])));
  }
}

function keyOf(role: Caller['role'], subject: string): string {
  return `${role}:${subject}`;
}
