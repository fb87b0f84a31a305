/** What is wrong with one session, held against its chain and against the heads that were signed over it. */
import type { SessionId } from '../domain/ids.ts';
import type { AuditLeaf } from './audit-head.ts';
import { verifyChain } from './event-chain.ts';
import { microsecondsOf } from './microseconds.ts';
import { recordHashOf } from './session-record.ts';
import type { SessionRecord } from './session-record.ts';

/** Sealing may be so much behind, in microseconds. */
const GRACE = 10 * 60 * 1_000_000;

export interface Fault {
  /** `session <id>`, `head <n>`, `record <n>`, `anchor`, `bundle`. */
  readonly where: string;
  /** The first event that is not as it was; `null`: it is not about one event. */
  readonly seq: number | null;
  readonly what: string;
}

/** A head's word on the session, and when the last head before it was made that left nothing out (microseconds). */
export interface Sealed {
  readonly head: number;
  readonly leaf: Extract<AuditLeaf, { kind: 'session' }>;
  readonly previousHeadAt: number | null;
}

export interface Circumstances {
  /** In the order of the heads. */
  readonly sealed: readonly Sealed[];
  /** When the last head of the log was made; `null`: there is none, or nothing is known of it. */
  readonly lastHeadAt: number | null;
  /** Her data may be gone, because an erasure or a retention says so. */
  readonly mayLackPersonal: boolean;
  readonly mayLackEvents: boolean;
}

export function sessionFault(record: SessionRecord, around: Circumstances): Fault | null {
  const fault = (seq: number | null, what: string): Fault => ({
    where: `session ${record.sessionId}`,
    seq,
    what,
  });
  const dropped = record.events.length === 0 && record.seq > 0 && around.mayLackEvents;
  if (!dropped) {
    const chain = verifyChain(record.sessionId as SessionId, record.events, record);
    if (!chain.whole) return fault(chain.brokenAt, CHAIN_WORDS[chain.why]);
  }
  const against = againstHeads(record, around, dropped);
  if (against) return fault(against.seq, against.what);
  const erased = record.events.find((one) => one.personalHash !== null && one.personal === null);
  if (erased && !around.mayLackPersonal)
    return fault(erased.seq, 'its personal data are gone, and no erasure or retention was recorded');
  return null;
}

const CHAIN_WORDS = {
  missing: 'is missing',
  altered: 'was altered',
  'personal-altered': 'its personal data were altered',
  'cut-off': 'the chain does not end where the session says: events were cut off or added',
} as const;

type Finding = { readonly seq: number | null; readonly what: string } | null;

function againstHeads(record: SessionRecord, around: Circumstances, dropped: boolean): Finding {
  let good = 0;
  for (const { head, leaf } of around.sealed) {
    if (leaf.seq > record.seq)
      return { seq: record.seq + 1, what: `is missing: head ${head} was signed over it` };
    const hash = dropped
      ? leaf.seq === record.seq
        ? record.hash.toString('hex')
        : leaf.hash
      : record.events[leaf.seq - 1]?.hash.toString('hex');
    if (hash !== leaf.hash)
      return {
        seq: good + 1,
        what: `was rewritten, or one after it, since head ${head} was signed over ${leaf.seq} events`,
      };
    good = leaf.seq;
  }
  return unsealed(record, around) ?? recordAltered(record, around);
}

/** What is older than the grace and under no head, or came under one long after it says it happened. */
function unsealed(record: SessionRecord, { sealed, lastHeadAt }: Circumstances): Finding {
  const began = record.events[0];
  const first = sealed[0];
  if (began && first && first.previousHeadAt !== null) {
    const lateBy = first.previousHeadAt - microsecondsOf(began.at);
    if (lateBy > GRACE)
      return {
        seq: 1,
        what: `was entered at least ${Math.floor(lateBy / 60_000_000)} min after it says it happened`,
      };
  }
  const last = sealed.at(-1);
  const next = record.events[last?.leaf.seq ?? 0];
  if (next === undefined || lastHeadAt === null) return null;
  if (lastHeadAt - microsecondsOf(next.at) <= GRACE) return null;
  return { seq: next.seq, what: 'is under no head: it was inserted, or sealing stood still' };
}

function recordAltered(record: SessionRecord, { sealed }: Circumstances): Finding {
  const atRest = sealed.findLast(({ leaf }) => leaf.recordHash !== null && leaf.seq === record.seq);
  if (!atRest || recordHashOf(record.columns, record.legs) === atRest.leaf.recordHash) return null;
  return { seq: null, what: `its record or its calls were altered since head ${atRest.head} was signed` };
}
