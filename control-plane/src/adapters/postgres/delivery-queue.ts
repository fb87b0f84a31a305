/** Deliveries as jobs: rows with short leases, so that a process that dies delays one by seconds. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Instant } from '../../domain/ids.ts';
import { matchesAny } from '../../domain/webhook/event-filter.ts';
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
  DISABLE_GONE_SQL,
  DROP_OUTBOX_SQL,
  DROP_OVER_SQL,
  DROP_WAITING_SQLS,
  ENABLED_SQL,
  GIVE_BACK_SQL,
  MAKE_DELIVERIES_SQL,
  RECORD_SQL,
  TAKE_OUTBOX_SQL,
  TAKE_OVER_SQL,
} from './delivery-queue-sql.ts';
import { guarded } from './guarded.ts';
import { timestampText, timestampTextOrNull } from './instant.ts';

const STEP_ROWS = 1000;

type Runner = Knex | Knex.Transaction;

export class PostgresDeliveryQueue implements DeliveryQueue {
  readonly #knex: Knex;
  readonly #fence: () => Fence;

  constructor(knex: Knex, fence: () => Fence) {
    this.#knex = knex;
    this.#fence = fence;
  }

  fanOut(limit: number, now: Instant): Promise<number> {
    const { lease, epoch } = this.#fence();
    return guarded(
      this.#knex.transaction(async (trx) => {
        const taken = await rows<OutboxHead>(trx, TAKE_OUTBOX_SQL, [lease, epoch, limit]);
        if (taken.length === 0) return 0;
        const endpoints = await rows<Endpoint>(trx, ENABLED_SQL, []);
        const made = taken.flatMap(({ id, type }) => {
          const messageId = `msg_${randomUUID()}`;
          return endpoints
            .filter(({ events }) => matchesAny(events, type))
            .map((endpoint) => [id, endpoint.id, messageId] as const);
        });
        if (made.length > 0)
          await run(trx, MAKE_DELIVERIES_SQL, [
            timestampText(now),
            made.map(([id]) => id),
            made.map(([, endpointId]) => endpointId),
            made.map(([, , messageId]) => messageId),
          ]);
        await run(trx, DROP_OUTBOX_SQL, [taken.map(({ id }) => id)]);
        return taken.length;
      }),
    );
  }

  async claim({ owner, now, until, room, busy }: ClaimOrder): Promise<readonly ClaimedDelivery[]> {
    const { lease, epoch } = this.#fence();
    const claimed = await guarded(
      rows<ClaimedRow>(this.#knex, CLAIM_SQL, [
        lease,
        epoch,
        timestampText(now),
        room.first,
        room.again,
        [...busy.keys()],
        [...busy.values()].map(({ first }) => first),
        [...busy.values()].map(({ again }) => again),
        owner,
        timestampText(until),
      ]),
    );
    return claimed.toSorted((a, b) => Number(a.position) - Number(b.position)).map(claimedOf);
  }

  async record(ends: readonly AttemptRecord[]): Promise<void> {
    const gone = ends.filter(({ isGone }) => isGone);
    await guarded(
      this.#knex.transaction(async (trx) => {
        await run(trx, RECORD_SQL, [
          ends.map(({ claim }) => claim),
          ends.map(({ then }) => then.state),
          ends.map(({ then }) => timestampTextOrNull(then.state === 'pending' ? then.dueAt : null)),
          ends.map(({ at }) => timestampText(at)),
          ends.map(({ status }) => status),
          ends.map(({ reason }) => reason),
        ]);
        if (gone.length === 0) return;
        await run(trx, DISABLE_GONE_SQL, [
          gone.map(({ webhookId }) => webhookId),
          gone.map(({ url }) => url),
          gone.map(({ at }) => timestampText(at)),
        ]);
      }),
    );
  }

  takeOver(owner: string): Promise<number> {
    const { lease, epoch } = this.#fence();
    return guarded(run(this.#knex, TAKE_OVER_SQL, [lease, epoch, owner]));
  }

  async giveBack(owner: string): Promise<void> {
    await guarded(run(this.#knex, GIVE_BACK_SQL, [owner]));
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

async function rows<Row>(runner: Runner, sql: string, values: readonly unknown[]): Promise<Row[]> {
  return (await runner.raw<{ rows: Row[] }>(sql, values as Knex.RawBinding[])).rows;
}

/** How many rows it changed. */
async function run(runner: Runner, sql: string, values: readonly unknown[]): Promise<number> {
  return (await runner.raw<{ rowCount: number }>(sql, values as Knex.RawBinding[])).rowCount;
}

interface OutboxHead {
  readonly id: string;
  readonly type: string;
}

interface Endpoint {
  readonly id: WebhookId;
  readonly events: readonly string[];
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
