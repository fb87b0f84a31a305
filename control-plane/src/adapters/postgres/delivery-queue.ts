/** Deliveries as jobs: rows with short leases, so that a process that dies delays one by seconds. */
import type { Knex } from 'knex';
import type { Instant } from '../../domain/ids.ts';
import type { ClaimId, MessageId, WebhookId } from '../../domain/webhook/webhook-ids.ts';
import type { Fence } from '../../ports/lease.ts';
import type { OutboxData } from '../../ports/outbox.ts';
import type {
  AttemptRecord,
  Backlog,
  ClaimedDelivery,
  ClaimOrder,
  DeliveryQueue,
} from '../../ports/webhook-store.ts';
import {
  BACKLOG_SQL,
  CLAIM_SQL,
  DROP_OVER_SQL,
  DROP_WAITING_SQLS,
  GIVE_BACK_SQLS,
  FAN_OUT_SQL,
  RECORD_SQL,
  TAKE_OVER_SQLS,
} from './delivery-queue-sql.ts';
import { guarded } from './guarded.ts';
import { timestampText, timestampTextOrNull } from './instant.ts';

const STEP_ROWS = 1000;

export class PostgresDeliveryQueue implements DeliveryQueue {
  readonly #knex: Knex;
  readonly #fence: () => Fence;

  constructor(knex: Knex, fence: () => Fence) {
    this.#knex = knex;
    this.#fence = fence;
  }

  async fanOut(limit: number, now: Instant): Promise<number> {
    const { lease, epoch } = this.#fence();
    const values = [lease, epoch, limit, timestampText(now)];
    const [row] = await guarded(rows<{ taken: number }>(this.#knex, FAN_OUT_SQL, values));
    return row?.taken ?? 0;
  }

  async claim({ owner, now, until, room, busy }: ClaimOrder): Promise<readonly ClaimedDelivery[]> {
    const { lease, epoch } = this.#fence();
    const nowText = timestampText(now);
    const claimed = await guarded(
      rows<ClaimedRow>(this.#knex, CLAIM_SQL, [
        owner,
        timestampText(until),
        lease,
        epoch,
        [...busy.keys()],
        [...busy.values()].map(({ first }) => first),
        [...busy.values()].map(({ again }) => again),
        room.first,
        room.again,
        nowText,
        nowText,
        nowText,
        nowText,
      ]),
    );
    return claimed.toSorted((a, b) => Number(a.position) - Number(b.position)).map(claimedOf);
  }

  async record(ends: readonly AttemptRecord[]): Promise<void> {
    await guarded(
      run(this.#knex, RECORD_SQL, [
        ends.map(({ webhookId }) => webhookId),
        ends.map(({ messageId }) => messageId),
        ends.map(({ claim }) => claim),
        ends.map(({ then }) => then.state),
        ends.map(({ then }) => timestampTextOrNull(then.state === 'pending' ? then.dueAt : null)),
        ends.map(({ at }) => timestampText(at)),
        ends.map(({ status }) => status),
        ends.map(({ reason }) => reason),
        ends.map(({ isGone }) => isGone),
        ends.map(({ url }) => url),
      ]),
    );
  }

  async takeOver(owner: string): Promise<number> {
    const { lease, epoch } = this.#fence();
    let found = 0;
    for (const sql of TAKE_OVER_SQLS) found += await guarded(run(this.#knex, sql, [lease, epoch, owner]));
    return found;
  }

  async giveBack(owner: string): Promise<void> {
    for (const sql of GIVE_BACK_SQLS) await guarded(run(this.#knex, sql, [owner]));
  }

  async backlog(): Promise<Backlog> {
    const [row] = await guarded(rows<BacklogRow>(this.#knex, BACKLOG_SQL, []));
    if (!row) throw new Error('a count returned no row');
    const { outbox, untried, retrying, oldest_at: oldestUntriedAt } = row;
    return { outbox, untried, retrying, oldestUntriedAt };
  }

  async drop(deliveredBefore: Instant, failedBefore: Instant): Promise<number> {
    const failedText = timestampText(failedBefore);
    const delivered = await this.#inSteps(DROP_OVER_SQL, ['delivered', timestampText(deliveredBefore)]);
    let total = delivered + (await this.#inSteps(DROP_OVER_SQL, ['failed', failedText]));
    for (const sql of DROP_WAITING_SQLS) total += await this.#inSteps(sql, [failedText]);
    return total;
  }

  async #inSteps(sql: string, values: readonly string[]): Promise<number> {
    let total = 0;
    for (;;) {
      const gone = await guarded(run(this.#knex, sql, [...values, STEP_ROWS]));
      total += gone;
      if (gone < STEP_ROWS) return total;
    }
  }
}

async function rows<Row>(runner: Knex, sql: string, values: readonly unknown[]): Promise<Row[]> {
  return (await runner.raw<{ rows: Row[] }>(sql, values as Knex.RawBinding[])).rows;
}

/** How many rows it changed. */
async function run(runner: Knex, sql: string, values: readonly unknown[]): Promise<number> {
  return (await runner.raw<{ rowCount: number }>(sql, values as Knex.RawBinding[])).rowCount;
}

interface ClaimedRow {
  readonly claim: ClaimId;
  readonly webhook_id: WebhookId;
  readonly url: string;
  readonly secret: Buffer;
  readonly previous_secret: Buffer | null;
  readonly message_id: MessageId;
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly position: string;
  readonly at: Instant;
  readonly data: OutboxData;
  readonly attempts: number;
  readonly is_first: boolean;
}

interface BacklogRow {
  readonly outbox: number;
  readonly untried: number;
  readonly retrying: number;
  readonly oldest_at: Instant | null;
}

function claimedOf(row: ClaimedRow): ClaimedDelivery {
  const { claim, url, type, subject, sequence, at, data, attempts } = row;
  return {
    claim,
    webhookId: row.webhook_id,
    url,
    sealed: row.secret,
    previousSealed: row.previous_secret,
    messageId: row.message_id,
    type,
    subject,
    sequence,
    at,
    data,
    attempts,
    isFirst: row.is_first,
  };
}
