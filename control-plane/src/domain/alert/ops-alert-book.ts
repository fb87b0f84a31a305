/**
 * Which alerts stand, who has to be told of them and when. One that is not acknowledged is told again and again. One that
 * comes back soon after it went is told to have gone only once it has stayed away for a while, longer each time: whoever
 * is on call hears of a trouble that flickers, and not of each flicker.
 */
import type { Instant } from '../ids.ts';
import type { OpsAlert, OpsAlertKind, OpsAlertNews, OpsAlertRecord } from './ops-alert.ts';

/** Coming back within this makes it the same trouble. */
const RETURN_MS = 600_000;
const FIRST_HOLD_MS = 30_000;
const LONGEST_HOLD_MS = 600_000;
export const MAX_STANDING = 1000;
/** So that a thousand sessions in trouble leave room for the reason why. */
export const MAX_OF_A_KIND = 200;
const MAX_PAST = 1000;
const MAX_EARLY = 10_000;

interface Standing {
  record: OpsAlertRecord;
  /** The trouble is gone, which nobody has been told yet. */
  clearedAt: Instant | null;
  /** From before this process began, and not raised in it so far. */
  isUnseen: boolean;
}

export type Acknowledged =
  | { readonly ok: true; readonly record: OpsAlertRecord; readonly news: readonly OpsAlertNews[] }
  | { readonly ok: false; readonly why: 'unknown' | 'resolved' };

export class OpsAlertBook {
  readonly #repeatMs: number;
  /** By kind and subject. */
  readonly #standing = new Map<string, Standing>();
  /** Oldest first. */
  #past: OpsAlertRecord[] = [];
  /** What was called gone before `restore`, and when: that may be of what an earlier process left. `null`: it is restored. */
  #early: Map<string, Instant> | null = new Map();

  constructor(repeatMs: number) {
    this.#repeatMs = repeatMs;
  }

  /** `full`: too many stand already. */
  raise(alert: OpsAlert, id: string, at: Instant): readonly OpsAlertNews[] | 'full' {
    const standing = this.#standing.get(keyOf(alert.kind, alert.subject));
    if (standing) return this.#raiseAgain(standing, alert, at);
    if (this.#isFull(alert.kind)) return 'full';
    const last = this.#past.findLast(({ kind, subject }) => kind === alert.kind && subject === alert.subject);
    const hasReturned = last !== undefined && at - (last.resolvedAt ?? at) < RETURN_MS;
    const record: OpsAlertRecord = {
      ...pick(alert),
      id,
      raisedAt: at,
      acknowledged: null,
      resolvedAt: null,
      toldAt: at,
      returns: hasReturned ? last.returns + 1 : 0,
    };
    this.#standing.set(keyOf(alert.kind, alert.subject), { record, clearedAt: null, isUnseen: false });
    return [{ what: 'raised', record }];
  }

  resolve(kind: OpsAlertKind, subject: string, at: Instant): readonly OpsAlertNews[] {
    const standing = this.#standing.get(keyOf(kind, subject));
    if (!standing) this.#noteEarly(keyOf(kind, subject), at);
    if (!standing || standing.clearedAt !== null) return [];
    standing.clearedAt = at;
    return holdMs(standing.record) === 0 ? [this.#end(standing)] : [];
  }

  acknowledge(id: string, by: string, at: Instant): Acknowledged {
    const standing = [...this.#standing.values()].find(({ record }) => record.id === id);
    if (!standing)
      return { ok: false, why: this.#past.some((record) => record.id === id) ? 'resolved' : 'unknown' };
    if (standing.record.acknowledged) return { ok: true, record: standing.record, news: [] };
    const record = { ...standing.record, acknowledged: { by, at } };
    standing.record = record;
    return { ok: true, record, news: [{ what: 'acknowledged', record }] };
  }

  /** What is to be told now: that an alert still stands, or that one has gone for good. */
  due(at: Instant): readonly OpsAlertNews[] {
    return [...this.#standing.values()].flatMap((standing) => this.#dueOf(standing, at));
  }

  /** When `due` has something to say next; `null`: never, as it stands. */
  nextDueAt(): Instant | null {
    let next: number | null = null;
    for (const standing of this.#standing.values()) {
      const dueAt = this.#nextOf(standing);
      if (dueAt !== null && (next === null || dueAt < next)) next = dueAt;
    }
    return next as Instant | null;
  }

  /** What an earlier process left, whatever of it still stands included. Returns what has changed by it. */
  restore(records: readonly OpsAlertRecord[], at: Instant): readonly OpsAlertNews[] {
    const superseded: OpsAlertNews[] = [];
    const known = new Set([...this.#past, ...this.standing()].map(({ id }) => id));
    const past: OpsAlertRecord[] = [];
    for (const record of records.toSorted((a, b) => a.raisedAt - b.raisedAt)) {
      if (known.has(record.id)) continue;
      const key = keyOf(record.kind, record.subject);
      const standing = this.#standing.get(key);
      if (record.resolvedAt !== null) past.push(record);
      else if (!standing) this.#standing.set(key, { record, clearedAt: null, isUnseen: true });
      else {
        // The same trouble, raised anew in this process: who has acknowledged it is not called again.
        standing.record = {
          ...standing.record,
          acknowledged: standing.record.acknowledged ?? record.acknowledged,
        };
        const ended = { ...record, resolvedAt: at };
        past.push(ended);
        superseded.push({ what: 'resolved', record: ended });
      }
    }
    this.#past = [...past, ...this.#past].slice(-MAX_PAST);
    return superseded;
  }

  /** Once, after `restore`: what was called gone before it could be read. */
  endEarly(at: Instant): readonly OpsAlertNews[] {
    const early = this.#early ?? new Map<string, Instant>();
    this.#early = null;
    return this.#unseen().flatMap(({ record: { kind, subject, raisedAt } }) =>
      (early.get(keyOf(kind, subject)) ?? raisedAt) > raisedAt ? this.resolve(kind, subject, at) : [],
    );
  }

  /** What nobody has raised again since `restore` is over, unless somebody minds it. */
  endUnseen(at: Instant, isMinded: (alert: OpsAlert) => boolean): readonly OpsAlertNews[] {
    const left = this.#unseen().filter(({ record, clearedAt }) => clearedAt === null && !isMinded(record));
    return left.map((standing) => {
      standing.clearedAt = at;
      return this.#end(standing);
    });
  }

  get hasUnseen(): boolean {
    return this.#unseen().length > 0;
  }

  /** Oldest first. */
  standing(): readonly OpsAlertRecord[] {
    return [...this.#standing.values()].map(({ record }) => record);
  }

  /** Newest first. */
  all(): readonly OpsAlertRecord[] {
    return [...this.standing(), ...this.#past].toSorted(
      (a, b) => b.raisedAt - a.raisedAt || (a.id < b.id ? 1 : -1),
    );
  }

  #unseen(): readonly Standing[] {
    return [...this.#standing.values()].filter(({ isUnseen }) => isUnseen);
  }

  #noteEarly(key: string, at: Instant): void {
    if (!this.#early) return;
    this.#early.delete(key);
    this.#early.set(key, at);
    const [oldest] = this.#early.keys();
    if (this.#early.size > MAX_EARLY && oldest !== undefined) this.#early.delete(oldest);
  }

  #raiseAgain(standing: Standing, alert: OpsAlert, at: Instant): readonly OpsAlertNews[] {
    const { record: before, clearedAt } = standing;
    standing.isUnseen = false;
    standing.clearedAt = null;
    const isWorse = before.severity === 'warning' && alert.severity === 'critical';
    const isSame = before.severity === alert.severity && before.summary === alert.summary;
    if (isSame && clearedAt === null) return [];
    const record = {
      ...before,
      ...pick(alert),
      returns: before.returns + (clearedAt === null ? 0 : 1),
      ...(isWorse ? { toldAt: at, acknowledged: null } : {}),
    };
    standing.record = record;
    return [{ what: isWorse ? 'raised' : 'changed', record }];
  }

  #dueOf(standing: Standing, at: Instant): OpsAlertNews[] {
    const dueAt = this.#nextOf(standing);
    if (dueAt === null || dueAt > at) return [];
    if (standing.clearedAt !== null) return [this.#end(standing)];
    standing.record = { ...standing.record, toldAt: at };
    return [{ what: 'repeated', record: standing.record }];
  }

  #nextOf({ record, clearedAt }: Standing): number | null {
    if (clearedAt !== null) return clearedAt + holdMs(record);
    return record.acknowledged === null ? record.toldAt + this.#repeatMs : null;
  }

  #end({ record, clearedAt }: Standing): OpsAlertNews {
    const ended = { ...record, resolvedAt: clearedAt };
    this.#standing.delete(keyOf(record.kind, record.subject));
    this.#past = [...this.#past, ended].slice(-MAX_PAST);
    return { what: 'resolved', record: ended };
  }

  #isFull(kind: OpsAlertKind): boolean {
    if (this.#standing.size >= MAX_STANDING) return true;
    return this.standing().filter((record) => record.kind === kind).length >= MAX_OF_A_KIND;
  }
}

/** How long it has to stay away before it counts as gone. */
function holdMs({ returns }: OpsAlertRecord): number {
  return returns === 0 ? 0 : Math.min(FIRST_HOLD_MS * 2 ** (returns - 1), LONGEST_HOLD_MS);
}

function keyOf(kind: OpsAlertKind, subject: string): string {
  return `${kind}\0${subject}`;
}

/** Nothing but what an alert is made of. */
function pick({ kind, subject, severity, summary }: OpsAlert): OpsAlert {
  return { kind, subject, severity, summary };
}
