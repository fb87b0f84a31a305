/** Panels on shift and SIP contacts, as nodes see them. Of two reports about one address the later one stands. */
import type { Knex } from 'knex';
import type { AddressOfRecord, Instant, OperatorId } from '../../domain/ids.ts';
import type { Fence } from '../../ports/lease.ts';
import type { PresenceStore } from '../../ports/session-store.ts';
import { guarded } from './guarded.ts';
import { timestampText } from './instant.ts';

const NOTE_SHIFT_SQL = `
INSERT INTO operator_presence AS p (aor, operator_id, on_shift, since, lease)
SELECT ?, ?, ?::boolean, ?::timestamptz, ? FROM hold_lease(?, ?::bigint)
ON CONFLICT (aor) DO UPDATE SET operator_id = excluded.operator_id, on_shift = excluded.on_shift,
  since = excluded.since, lease = excluded.lease
WHERE p.since <= excluded.since`;
const NOTE_CONTACT_SQL = `
INSERT INTO contacts AS c (aor, online, since, lease)
SELECT ?, ?::boolean, ?::timestamptz, ? FROM hold_lease(?, ?::bigint)
ON CONFLICT (aor) DO UPDATE SET online = excluded.online, since = excluded.since, lease = excluded.lease
WHERE c.since <= excluded.since`;

export class PostgresPresence implements PresenceStore {
  readonly #knex: Knex;
  readonly #fence: () => Fence;

  constructor(knex: Knex, fence: () => Fence) {
    this.#knex = knex;
    this.#fence = fence;
  }

  async setFeedPresence(
    operatorId: OperatorId,
    aor: AddressOfRecord,
    onShift: boolean,
    at: Instant,
  ): Promise<void> {
    await this.#note(NOTE_SHIFT_SQL, [aor, operatorId, onShift, timestampText(at)]);
  }

  async setContact(aor: AddressOfRecord, online: boolean, at: Instant): Promise<void> {
    await this.#note(NOTE_CONTACT_SQL, [aor, online, timestampText(at)]);
  }

  async contactOnline(aor: AddressOfRecord): Promise<boolean> {
    const row = await guarded(
      this.#knex.from('contacts').select<{ online: boolean }[]>('online').where({ aor }).first(),
    );
    return row?.online ?? false;
  }

  async clear(): Promise<void> {
    const { lease } = this.#fence();
    await guarded(
      this.#knex.transaction(async (trx) => {
        await trx('operator_presence').where({ lease }).delete();
        await trx('contacts').where({ lease }).delete();
      }),
    );
  }

  /** The word of a node that was fenced meanwhile must not stand over that of the node which has its place. */
  async #note(statement: string, values: readonly (string | boolean)[]): Promise<void> {
    const { lease, epoch } = this.#fence();
    await guarded(this.#knex.raw(statement, [...values, lease, lease, epoch]));
  }
}
