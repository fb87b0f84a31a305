/** Endpoints of webhooks, and what the API asks of their deliveries. */
import type { Knex } from 'knex';
import type { Instant } from '../../domain/ids.ts';
import type { MessageId, WebhookId } from '../../domain/webhook/webhook-ids.ts';
import type { WebhookEndpointStore } from '../../ports/webhook-store.ts';
import { MAX_WEBHOOKS } from '../../ports/webhooks.ts';
import type { Delivery, DeliveryFilter, Webhook, WebhookSettings } from '../../ports/webhooks.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

/** Of whoever adds an endpoint ("WHKS"): their number is counted under it. */
const LOCK_SQL = 'SELECT pg_advisory_xact_lock(1464355667, 1)';

const WEBHOOK = `id, owner, url, description, events, enabled, disabled_because, ${instantSql('created_at')} AS created_at,
  ${instantSql('changed_at')} AS changed_at, ${instantSql('previous_until')} AS previous_until`;
const DELIVERY = `message_id, position::text AS position, type, subject, subject_seq::float8 AS sequence,
  ${instantSql('at')} AS at, state, attempts, ${instantSql('due_at')} AS due_at,
  ${instantSql('last_attempt_at')} AS last_attempt_at, last_status, last_reason`;

const ADD_SQL = `
INSERT INTO webhook_endpoints (id, owner, url, description, events, enabled, disabled_because, secret, created_at, changed_at)
SELECT ?::uuid, ?, ?, ?, ?::text[], ?::boolean, ?, ?, ?::timestamptz, ?::timestamptz
WHERE (SELECT count(*) FROM webhook_endpoints) < ${MAX_WEBHOOKS}`;
const LIST_SQL = `
SELECT ${WEBHOOK} FROM webhook_endpoints WHERE ?::text IS NULL OR owner IS NULL OR owner = ?::text
ORDER BY created_at, id LIMIT ${MAX_WEBHOOKS}`;
const REPLACE_SQL = `
UPDATE webhook_endpoints SET url = ?, description = ?, events = ?::text[], enabled = ?::boolean,
  disabled_because = CASE WHEN ?::boolean THEN NULL ELSE coalesce(disabled_because, 'asked') END, changed_at = ?::timestamptz
WHERE id = ?::uuid RETURNING ${WEBHOOK}`;
const RENEW_SQL = `
UPDATE webhook_endpoints SET previous_secret = secret, previous_until = ?::timestamptz, secret = ?, changed_at = ?::timestamptz
WHERE id = ?::uuid RETURNING ${WEBHOOK}`;
/** Its place in the order is drawn where events draw theirs. */
const ADD_TEST_SQL = `
INSERT INTO webhook_deliveries (endpoint_id, message_id, position, subject, subject_seq, type, at, data, state, untried, due_at)
SELECT e.id, n.message_id, nextval(pg_get_serial_sequence('outbox', 'id')), n.message_id, 1, 'webhook.test', n.at,
  json_build_object('webhookId', e.id), 'pending', true, n.at
FROM (SELECT ?::text AS message_id, ?::timestamptz AS at) n JOIN webhook_endpoints e ON e.id = ?::uuid
RETURNING ${DELIVERY}`;
const DELIVERIES_SQL = `
SELECT ${DELIVERY} FROM webhook_deliveries
WHERE endpoint_id = ?::uuid AND webhook_deliveries.position < coalesce(?::bigint, 9223372036854775807)
  AND (?::text IS NULL OR state = ?::text) AND (?::text IS NULL OR type = ?::text)
ORDER BY webhook_deliveries.position DESC LIMIT ?`;
/** What follows of its subject waits for it no more: it was told long ago, or could be. */
const REDELIVER_SQL = `
UPDATE webhook_deliveries SET state = 'pending', untried = false, attempts = 0, due_at = ?::timestamptz,
  claim = NULL, claimed_by = NULL, claimed_until = NULL
WHERE endpoint_id = ?::uuid AND message_id = ? RETURNING ${DELIVERY}`;

const DISABLE_SQL = `
UPDATE webhook_endpoints SET enabled = false, disabled_because = 'asked' WHERE id = ?::uuid AND enabled`;
const REMOVED_AT_ONCE = 5000;
const REMOVE_DELIVERIES_SQL = `
WITH gone AS (
  DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM webhook_deliveries WHERE endpoint_id = ?::uuid LIMIT ? FOR UPDATE))
  RETURNING 1
) SELECT FROM gone LIMIT 1`;

export class PostgresWebhookEndpoints implements WebhookEndpointStore {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async add(
    id: WebhookId,
    owner: string,
    settings: WebhookSettings,
    sealed: Uint8Array,
    at: Instant,
  ): Promise<boolean> {
    const { url, description, events, enabled } = settings;
    const atText = timestampText(at);
    const values = [
      id,
      owner,
      url,
      description,
      [...events],
      enabled,
      enabled ? null : 'asked',
      Buffer.from(sealed),
      atText,
      atText,
    ];
    const { rowCount } = await guarded(
      this.#knex.transaction(async (trx) => {
        await trx.raw(LOCK_SQL);
        return trx.raw<{ rowCount: number }>(ADD_SQL, values as Knex.RawBinding[]);
      }),
    );
    return rowCount === 1;
  }

  async list(owner: string | null): Promise<readonly Webhook[]> {
    return (await this.#rows<WebhookRow>(LIST_SQL, [owner, owner])).map(webhookOf);
  }

  async find(id: WebhookId): Promise<Webhook | null> {
    const sql = `SELECT ${WEBHOOK} FROM webhook_endpoints WHERE id = ?::uuid`;
    return first((await this.#rows<WebhookRow>(sql, [id])).map(webhookOf));
  }

  async replace(id: WebhookId, settings: WebhookSettings, at: Instant): Promise<Webhook | null> {
    const { url, description, events, enabled } = settings;
    const values = [url, description, [...events], enabled, enabled, timestampText(at), id];
    return first((await this.#rows<WebhookRow>(REPLACE_SQL, values)).map(webhookOf));
  }

  async renewSecret(
    id: WebhookId,
    sealed: Uint8Array,
    previousUntil: Instant,
    at: Instant,
  ): Promise<Webhook | null> {
    const values = [timestampText(previousUntil), Buffer.from(sealed), timestampText(at), id];
    return first((await this.#rows<WebhookRow>(RENEW_SQL, values)).map(webhookOf));
  }

  async remove(id: WebhookId): Promise<boolean> {
    // Of its deliveries there may be more than one statement has time for; and no more come meanwhile.
    await this.#rows(DISABLE_SQL, [id]);
    while ((await this.#rows(REMOVE_DELIVERIES_SQL, [id, REMOVED_AT_ONCE])).length > 0);
    const gone = await guarded<number>(this.#knex('webhook_endpoints').where({ id }).delete());
    return gone > 0;
  }

  async addTest(id: WebhookId, messageId: MessageId, at: Instant): Promise<Delivery | null> {
    const values = [messageId, timestampText(at), id];
    return first((await this.#rows<DeliveryRow>(ADD_TEST_SQL, values)).map(deliveryOf));
  }

  async deliveries(id: WebhookId, filter: DeliveryFilter): Promise<readonly Delivery[]> {
    const { state, type, before, limit } = filter;
    const values = [id, before, state, state, type, type, limit];
    return (await this.#rows<DeliveryRow>(DELIVERIES_SQL, values)).map(deliveryOf);
  }

  async redeliver(id: WebhookId, messageId: MessageId, at: Instant): Promise<Delivery | null> {
    const values = [timestampText(at), id, messageId];
    return first((await this.#rows<DeliveryRow>(REDELIVER_SQL, values)).map(deliveryOf));
  }

  async #rows<Row>(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await guarded(this.#knex.raw<{ rows: Row[] }>(sql, values as Knex.RawBinding[]))).rows;
  }
}

interface WebhookRow {
  readonly id: WebhookId;
  readonly owner: string | null;
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly disabled_because: Webhook['disabledBecause'];
  readonly created_at: Instant;
  readonly changed_at: Instant;
  readonly previous_until: Instant | null;
}

interface DeliveryRow {
  readonly message_id: MessageId;
  readonly position: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly at: Instant;
  readonly state: Delivery['state'];
  readonly attempts: number;
  readonly due_at: Instant;
  readonly last_attempt_at: Instant | null;
  readonly last_status: number | null;
  readonly last_reason: Delivery['lastReason'];
}

function webhookOf(row: WebhookRow): Webhook {
  const { id, owner, url, description, events, enabled } = row;
  return {
    id,
    owner,
    url,
    description,
    events,
    enabled,
    disabledBecause: row.disabled_because,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    previousSecretUntil: row.previous_until,
  };
}

function deliveryOf(row: DeliveryRow): Delivery {
  const { position, type, subject, sequence, at, state, attempts } = row;
  return {
    messageId: row.message_id,
    position,
    type,
    subject,
    sequence,
    at,
    state,
    attempts,
    nextAttemptAt: state === 'pending' ? row.due_at : null,
    lastAttemptAt: row.last_attempt_at,
    lastStatus: row.last_status,
    lastReason: row.last_reason,
  };
}

function first<T>(rows: readonly T[]): T | null {
  return rows[0] ?? null;
}
