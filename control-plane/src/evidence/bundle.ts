/**
 * One session as a file that proves itself: its events, its record and calls, and the signed heads over it, each with
 * the path from its leaf to the root. To be checked with the public key alone.
 */
import { z } from 'zod';
import type { Instant } from '../domain/ids.ts';
import type { PersonalFacts } from '../ports/session-store.ts';
import { auditHead } from './anchor-line.ts';
import { headFault, leafHashOf } from './audit-head.ts';
import type { AuditHead } from '../ports/audit-log.ts';
import type { AuditLeaf } from './audit-head.ts';
import type { AuditSigner, AuditVerifier } from './audit-key.ts';
import { canonicalJson } from './canonical-json.ts';
import type { ChainRow } from './event-chain.ts';
import { microsecondsOf } from './microseconds.ts';
import { rootOfPath } from './merkle.ts';
import { sessionFault } from './session-fault.ts';
import type { Fault } from './session-fault.ts';
import type { SessionRecord } from './session-record.ts';

export interface ProvenHead {
  readonly head: AuditHead;
  readonly leaf: Extract<AuditLeaf, { kind: 'session' }>;
  /** Place of the leaf under its head. */
  readonly index: number;
  readonly path: readonly Buffer[];
}

const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
const columns = z.record(z.string(), z.unknown());
const event = z.strictObject({
  seq: z.int().positive(),
  type: z.string(),
  at: z.int(),
  event: z.unknown(),
  personalHash: hex.nullable(),
  hash: hex,
  personal: z.strictObject({ salt: hex, facts: z.unknown() }).nullable(),
});
const bundleSchema = z.strictObject({
  format: z.literal('hamrahi-bundle/1'),
  exportedAt: z.int(),
  keyId: z.string(),
  personal: z.enum(['included', 'left-out']),
  session: z.strictObject({
    id: z.uuid(),
    seq: z.int().nonnegative(),
    hash: hex,
    citizenId: z.string(),
    endedAt: z.int().nullable(),
    record: columns,
    legs: z.array(columns).max(10_000),
    events: z.array(event).max(100_000),
  }),
  heads: z
    .array(
      z.strictObject({
        head: auditHead,
        leaf: z.strictObject({
          kind: z.literal('session'),
          sessionId: z.uuid(),
          seq: z.int().nonnegative(),
          hash: hex,
          recordHash: hex.nullable(),
        }),
        index: z.int().nonnegative(),
        path: z.array(hex).max(64),
      }),
    )
    .max(1_000_000),
  signature: z.base64(),
});
type Bundle = z.infer<typeof bundleSchema>;

/** The text of the file. `withPersonal`: with positions, claims and their salts. */
export function bundleText(
  session: SessionRecord,
  heads: readonly ProvenHead[],
  withPersonal: boolean,
  signer: AuditSigner,
  exportedAt: Instant,
): string {
  const unsigned: Omit<Bundle, 'signature'> = {
    format: 'hamrahi-bundle/1',
    exportedAt: microsecondsOf(exportedAt),
    keyId: signer.keyId,
    personal: withPersonal ? 'included' : 'left-out',
    session: {
      id: session.sessionId,
      seq: session.seq,
      hash: session.hash.toString('hex'),
      citizenId: session.citizenId,
      endedAt: session.endedAt,
      record: session.columns,
      legs: [...session.legs],
      events: session.events.map((row) => ({
        seq: row.seq,
        type: row.type,
        at: microsecondsOf(row.at),
        event: row.event,
        personalHash: row.personalHash?.toString('hex') ?? null,
        hash: row.hash.toString('hex'),
        personal:
          withPersonal && row.personal
            ? { salt: row.personal.salt.toString('hex'), facts: row.personal.facts }
            : null,
      })),
    },
    heads: heads.map(({ head, leaf, index, path }) => ({
      head,
      leaf,
      index,
      path: path.map((one) => one.toString('hex')),
    })),
  };
  const signature = signer.sign(signedText(unsigned)).toString('base64');
  return `${JSON.stringify({ ...unsigned, signature }, null, 1)}\n`;
}

export interface BundleVerdict {
  readonly fault: Fault | null;
  readonly sessionId: string | null;
  readonly events: number;
  readonly heads: number;
}

/** `anchored` as in `verifyLog`. */
export function verifyBundle(
  text: string,
  verifier: AuditVerifier,
  anchored: ReadonlyMap<number, string> | null,
): BundleVerdict {
  const parsed = bundleSchema.safeParse(jsonOf(text));
  if (!parsed.success)
    return { fault: bundleFault('is no bundle of this format'), sessionId: null, events: 0, heads: 0 };
  const bundle = parsed.data;
  const about = {
    sessionId: bundle.session.id,
    events: bundle.session.events.length,
    heads: bundle.heads.length,
  };
  return { ...about, fault: faultOf(bundle, verifier, anchored) };
}

function faultOf(
  bundle: Bundle,
  verifier: AuditVerifier,
  anchored: ReadonlyMap<number, string> | null,
): Fault | null {
  const { signature, ...unsigned } = bundle;
  for (const one of bundle.heads) {
    const where = `head ${one.head.number}`;
    const own = headFault(one.head, verifier);
    if (own !== null) return { where, seq: null, what: own };
    const path = one.path.map((step) => Buffer.from(step, 'hex'));
    const root = rootOfPath(leafHashOf(one.leaf), one.index, one.head.leaves, path)?.toString('hex');
    if (root !== one.head.root)
      return { where, seq: null, what: 'was not signed over this session as it stands here' };
    const kept = anchored?.get(one.head.number);
    if (anchored && kept !== one.head.hash)
      return { where, seq: null, what: 'is not the one that was anchored' };
  }
  const { session } = bundle;
  if (bundle.heads.some(({ leaf }) => leaf.sessionId !== session.id))
    return bundleFault('its heads are of another session');
  const fault = sessionFault(recordOf(session), {
    sealed: bundle.heads.map(({ head, leaf }) => ({ head: head.number, leaf, previousHeadAt: null })),
    lastHeadAt: null,
    mayLackPersonal: true,
    mayLackEvents: false,
  });
  if (fault) return fault;
  const covered = bundle.heads.at(-1)?.leaf.seq ?? 0;
  if (covered < session.seq)
    return { where: `session ${session.id}`, seq: covered + 1, what: 'is under no head of this bundle' };
  // Last: it covers what has been named more closely above, and what no head covers.
  if (!verifier.verify(signedText(unsigned), Buffer.from(signature, 'base64')))
    return bundleFault('has no valid signature');
  return null;
}

function recordOf({ id, hash, record, legs, events, ...rest }: Bundle['session']): SessionRecord {
  return {
    ...rest,
    sessionId: id,
    hash: Buffer.from(hash, 'hex'),
    columns: record,
    legs,
    events: events.map((one): ChainRow => ({
      seq: one.seq,
      type: one.type,
      at: (one.at / 1000) as Instant,
      event: one.event,
      personalHash: one.personalHash === null ? null : Buffer.from(one.personalHash, 'hex'),
      hash: Buffer.from(one.hash, 'hex'),
      personal: one.personal && {
        salt: Buffer.from(one.personal.salt, 'hex'),
        facts: one.personal.facts as PersonalFacts,
      },
    })),
  };
}

function bundleFault(what: string): Fault {
  return { where: 'bundle', seq: null, what };
}

function signedText(unsigned: Omit<Bundle, 'signature'>): string {
  return canonicalJson(['hamrahi/bundle/1', unsigned]);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
