/** Attempts that have ended and are not written down yet: no more than are under way at once. */
import type { Instant } from '../../domain/ids.ts';
import { reasonOf } from '../../domain/webhook/judge-attempt.ts';
import type { AttemptResult, AttemptVerdict } from '../../domain/webhook/judge-attempt.ts';
import type { ClaimId } from '../../domain/webhook/webhook-ids.ts';
import type { AttemptRecord, ClaimedDelivery } from '../../ports/webhook-store.ts';

interface Ended {
  readonly record: AttemptRecord;
  /** Which attempt of its delivery it was. */
  readonly attempts: number;
  readonly isFirst: boolean;
}

export class AttemptEnds {
  readonly #ends = new Map<ClaimId, Ended>();

  get size(): number {
    return this.#ends.size;
  }

  add(delivery: ClaimedDelivery, result: AttemptResult, verdict: AttemptVerdict, at: Instant): void {
    const { claim, attempts, isFirst } = delivery;
    this.#ends.set(claim, { record: recordOf(delivery, result, verdict, at), attempts, isFirst });
  }

  /** Oldest first. */
  first(many: number): readonly AttemptRecord[] {
    return [...this.#ends.values()].slice(0, many).map(({ record }) => record);
  }

  recorded(ends: readonly AttemptRecord[]): void {
    for (const { claim } of ends) this.#ends.delete(claim);
  }

  /**
   * Whether this very attempt has ended: its lease was over before that could be written down. Its end counts for the new
   * claim then. Somebody may have asked for the delivery anew meanwhile, by which it is another attempt.
   */
  hasEnded({ claim, webhookId, messageId, attempts, isFirst }: ClaimedDelivery): boolean {
    for (const [before, ended] of this.#ends) {
      const { record } = ended;
      if (record.messageId !== messageId || record.webhookId !== webhookId) continue;
      if (ended.attempts !== attempts || ended.isFirst !== isFirst) continue;
      this.#ends.delete(before);
      this.#ends.set(claim, { ...ended, record: { ...record, claim } });
      return true;
    }
    return false;
  }
}

function recordOf(
  { claim, webhookId, messageId, url }: ClaimedDelivery,
  result: AttemptResult,
  verdict: AttemptVerdict,
  at: Instant,
): AttemptRecord {
  const isDelivered = verdict.next === 'delivered';
  return {
    claim,
    webhookId,
    messageId,
    url,
    at,
    status: result.kind === 'answered' ? result.status : null,
    reason: isDelivered ? null : reasonOf(result),
    then:
      verdict.next === 'again'
        ? { state: 'pending', dueAt: (at + verdict.afterMs) as Instant }
        : { state: isDelivered ? 'delivered' : 'failed' },
    isGone: verdict.next === 'gone',
  };
}
