/** Reads a whole log and names what is wrong with it, the heads first: they say what the sessions are held against. */
import { FIRST_PREVIOUS, headFault, leafHashOf, recordHash } from './audit-head.ts';
import type { AuditHead } from '../ports/audit-log.ts';
import type { AuditLeaf, AuditRecord } from './audit-head.ts';
import type { AuditVerifier } from './audit-key.ts';
import { merkleRoot } from './merkle.ts';
import { sessionFault } from './session-fault.ts';
import type { Fault, Sealed } from './session-fault.ts';
import type { SessionRecord } from './session-record.ts';

/** Everything of one moment, in order; each part is read once. */
export interface LogSource {
  heads(): AsyncIterable<{ readonly head: AuditHead; readonly leaves: readonly AuditLeaf[] }>;
  /** Entries about the log, and the hash that a head was signed over; `null`: none yet. */
  records(): AsyncIterable<{ readonly record: AuditRecord; readonly sealedHash: string | null }>;
  sessions(): AsyncIterable<{ readonly session: SessionRecord; readonly sealed: readonly Sealed[] }>;
  /** Leaves whose session or entry is not there. */
  orphans(): AsyncIterable<{ readonly head: number; readonly leaf: AuditLeaf }>;
}

export interface LogSummary {
  heads: number;
  sessions: number;
  events: number;
  erasures: number;
}

/** `anchored`: hashes of heads by number, as the anchor outside keeps them; `null`: no anchor was given. */
export async function* verifyLog(
  source: LogSource,
  verifier: AuditVerifier,
  anchored: ReadonlyMap<number, string> | null,
  summary: LogSummary,
): AsyncGenerator<Fault> {
  const lastHeadAt = yield* verifyHeads(source, verifier, anchored, summary);
  const pardons = new Pardons();
  yield* verifyRecords(source, pardons, summary);
  for await (const { head, leaf } of source.orphans()) {
    if (leaf.kind === 'session')
      yield {
        where: `session ${leaf.sessionId}`,
        seq: 1,
        what: `is missing: the whole session was deleted; head ${head} was signed over it`,
      };
    else
      yield {
        where: `record ${leaf.number}`,
        seq: null,
        what: `is missing: head ${head} was signed over it`,
      };
  }
  for await (const { session, sealed } of source.sessions()) {
    summary.sessions += 1;
    summary.events += session.events.length;
    const fault = sessionFault(session, { sealed, lastHeadAt, ...pardons.of(session) });
    if (fault) yield fault;
  }
}

async function* verifyHeads(
  source: LogSource,
  verifier: AuditVerifier,
  anchored: ReadonlyMap<number, string> | null,
  summary: LogSummary,
): AsyncGenerator<Fault, number | null> {
  let before: AuditHead | null = null;
  for await (const { head, leaves } of source.heads()) {
    summary.heads += 1;
    const fault = (what: string): Fault => ({ where: `head ${head.number}`, seq: null, what });
    const expected: number = (before?.number ?? 0) + 1;
    const own = headFault(head, verifier);
    if (head.number !== expected) yield { where: `head ${expected}`, seq: null, what: 'is missing' };
    else if (own !== null) yield fault(own);
    else if (head.previous !== (before?.hash ?? FIRST_PREVIOUS))
      yield fault('does not follow the head before it');
    else if (before !== null && head.at < before.at) yield fault('is older than the head before it');
    else if (
      leaves.length !== head.leaves ||
      merkleRoot(leaves.map(leafHashOf)).toString('hex') !== head.root
    )
      yield fault('its leaves are not those that were signed');
    const kept = anchored?.get(head.number);
    if (kept !== undefined && kept !== head.hash) yield fault('is another one than was anchored');
    before = head;
  }
  let newest = 0;
  for (const number of anchored?.keys() ?? []) newest = Math.max(newest, number);
  if (newest > (before?.number ?? 0))
    yield {
      where: 'anchor',
      seq: null,
      what: `knows head ${newest}, the database ends at head ${before?.number ?? 0}: it was rolled back, or its newest heads were deleted`,
    };
  return before?.at ?? null;
}

async function* verifyRecords(
  source: LogSource,
  pardons: Pardons,
  summary: LogSummary,
): AsyncGenerator<Fault> {
  let expected = 1;
  for await (const { record, sealedHash } of source.records()) {
    const where = `record ${expected}`;
    if (record.number !== expected) yield { where, seq: null, what: 'is missing' };
    else if (sealedHash !== null && recordHash(record) !== sealedHash)
      yield { where, seq: null, what: 'was altered' };
    else pardons.note(record);
    if (record.kind === 'erasure') summary.erasures += 1;
    expected = record.number + 1;
  }
}

/** What erasures and retentions allow to be gone. */
class Pardons {
  readonly #erased = new Map<string, number>();
  #personalBefore = Number.NEGATIVE_INFINITY;
  #eventsBefore = Number.NEGATIVE_INFINITY;

  note({ kind, at, detail }: AuditRecord): void {
    if (kind === 'erasure') {
      this.#erased.set(String(detail['citizenId']), at);
      return;
    }
    const before = Number(detail['endedBefore']);
    this.#personalBefore = Math.max(this.#personalBefore, before);
    if (detail['what'] === 'events') this.#eventsBefore = Math.max(this.#eventsBefore, before);
  }

  of({ citizenId, endedAt }: SessionRecord): {
    readonly mayLackPersonal: boolean;
    readonly mayLackEvents: boolean;
  } {
    if (endedAt === null) return { mayLackPersonal: false, mayLackEvents: false };
    const erasedAt = this.#erased.get(citizenId) ?? Number.NEGATIVE_INFINITY;
    return {
      mayLackPersonal: endedAt <= erasedAt || endedAt < this.#personalBefore,
      mayLackEvents: endedAt < this.#eventsBefore,
    };
  }
}
