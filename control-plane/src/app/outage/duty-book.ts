/**
 * Who is on duty and there, in memory: roster and operators as read a moment ago (and as of the last reading while the
 * directory is away), shifts and contacts as this node has seen them.
 */
import type { AddressOfRecord, Instant, OperatorId, ZoneId } from '../../domain/ids.ts';
import type { FreeOperator } from '../../domain/routing/choose-operator.ts';
import type { Party } from '../../domain/session/leg.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Directory, Operator, RosterEntry } from '../../ports/directory.ts';
import type { Log } from '../../ports/log.ts';
import type { SessionBook } from './session-book.ts';

const READ_EVERY_MS = 5000;
const PAGE = 500;
const MAX_OPERATORS = 20_000;

export interface Shift {
  readonly operatorId: OperatorId;
  readonly onShift: boolean;
  readonly since: Instant;
}

export class DutyBook {
  readonly #directory: Pick<Directory, 'roster' | 'operators'>;
  readonly #clock: Clock;
  readonly #log: Log;
  #roster: readonly RosterEntry[] = [];
  #operators: ReadonlyMap<OperatorId, Operator> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #isStale = false;
  readonly #shifts = new Map<AddressOfRecord, Shift>();
  readonly #online = new Set<AddressOfRecord>();

  constructor(directory: Pick<Directory, 'roster' | 'operators'>, clock: Clock, log: Log) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads once, then again and again until stopped. */
  async start(): Promise<void> {
    await this.read();
    this.#readLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async read(): Promise<void> {
    const [roster, operators] = await Promise.all([this.#directory.roster(null), this.#allOperators()]);
    this.#roster = roster;
    this.#operators = operators;
    this.#readAt = this.#clock.now();
    this.#isStale = false;
  }

  noteShift(aor: AddressOfRecord, shift: Shift): void {
    if (shift.onShift) this.#shifts.set(aor, shift);
    else this.#shifts.delete(aor);
  }

  noteContact(aor: AddressOfRecord, online: boolean): void {
    if (online) this.#online.add(aor);
    else this.#online.delete(aor);
  }

  /** Nobody is there until he shows himself again. */
  forgetPresence(): void {
    this.#shifts.clear();
    this.#online.clear();
  }

  operator(id: OperatorId): Operator | null {
    return this.#operators.get(id) ?? null;
  }

  roster(): readonly RosterEntry[] {
    return this.#roster;
  }

  /** As `SessionTx.dutyOperators`, with the load that `book` knows. */
  operators(zoneId: ZoneId | null, at: Instant, book: SessionBook): readonly FreeOperator[] {
    const loads = book.loads();
    const onDuty = [...this.#onDuty('operator', zoneId, at)].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return onDuty.map(([operatorId, priority]) => {
      const present = this.#presentAt(operatorId);
      return {
        operatorId,
        aor: present?.aor ?? null,
        capacity: this.#operators.get(operatorId)?.capacity ?? 0,
        load: loads.get(operatorId) ?? 0,
        idleSince: Math.max(present?.since ?? 0, book.lastEndOf(operatorId)) as Instant,
        priority,
      };
    });
  }

  /** As `SessionTx.dutyPhones`. */
  phones(zoneId: ZoneId | null, at: Instant): readonly Party[] {
    const parties = new Map<OperatorId, Party>();
    for (const role of ['operator', 'supervisor'] as const) {
      const ordered = [...this.#onDuty(role, zoneId, at)]
        .filter(([id]) => this.#operators.get(id)?.dutyPhone)
        .toSorted(([a, first], [b, second]) => first - second || (a < b ? -1 : 1));
      for (const [operatorId] of ordered) {
        if (parties.has(operatorId)) continue;
        const mustAccept = this.#mustAccept(operatorId, role, zoneId, at);
        parties.set(operatorId, { role, operatorId, ...(mustAccept ? { acceptance: 'press-1' } : {}) });
      }
    }
    return [...parties.values()];
  }

  /** One of the entries by which this phone is called asks for a 1. */
  #mustAccept(
    operatorId: OperatorId,
    duty: RosterEntry['duty'],
    zoneId: ZoneId | null,
    at: Instant,
  ): boolean {
    return this.#roster.some(
      (entry) =>
        entry.pressToAccept &&
        entry.operatorId === operatorId &&
        entry.duty === duty &&
        (zoneId === null || entry.zoneId === zoneId) &&
        isValid(entry, at),
    );
  }

  /** Active operators with this duty now, with the first place that an entry gives them. */
  #onDuty(duty: RosterEntry['duty'], zoneId: ZoneId | null, at: Instant): ReadonlyMap<OperatorId, number> {
    const found = new Map<OperatorId, number>();
    for (const entry of this.#roster) {
      if (entry.duty !== duty || (zoneId !== null && entry.zoneId !== zoneId) || !isValid(entry, at))
        continue;
      const { operatorId, priority } = entry;
      if (this.#operators.get(operatorId)?.active !== true) continue;
      found.set(operatorId, Math.min(priority, found.get(operatorId) ?? Infinity));
    }
    return found;
  }

  /** Of several panels on shift with a contact, the one that came last. */
  #presentAt(operatorId: OperatorId): { readonly aor: AddressOfRecord; readonly since: Instant } | null {
    const present = [...this.#shifts].flatMap(([aor, shift]) =>
      shift.operatorId === operatorId && this.#online.has(aor) ? [{ aor, since: shift.since }] : [],
    );
    return present.toSorted((a, b) => b.since - a.since || (a.aor < b.aor ? -1 : 1))[0] ?? null;
  }

  async #allOperators(): Promise<ReadonlyMap<OperatorId, Operator>> {
    const all = new Map<OperatorId, Operator>();
    for (let after: OperatorId | null = null; all.size < MAX_OPERATORS;) {
      const page: readonly Operator[] = await this.#directory.operators(after, PAGE);
      for (const operator of page) all.set(operator.id, operator);
      after = page.at(-1)?.id ?? null;
      if (page.length < PAGE) break;
    }
    return all;
  }

  #readLater(): void {
    if (this.#stopped) return;
    this.#cancel();
    this.#cancel = this.#clock.at((this.#clock.now() + READ_EVERY_MS) as Instant, () => {
      void this.read()
        .catch((error: unknown) => {
          if (!this.#isStale)
            this.#log.warn('The roster could not be read; the last copy serves.', {
              ageMs: Math.round(this.#clock.now() - this.#readAt),
              error: String(error),
            });
          this.#isStale = true;
        })
        .finally(() => this.#readLater());
    });
  }
}

function isValid({ from, until }: RosterEntry, at: Instant): boolean {
  return (from === null || from <= at) && (until === null || at < until);
}
