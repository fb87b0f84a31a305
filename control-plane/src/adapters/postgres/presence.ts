/** Panels on shift and SIP contacts, as nodes see them. Of two reports about one address the later one stands. */
import type { Knex } from 'knex';
import type { AddressOfRecord, Instant, OperatorId } from '../../domain/ids.ts';
import type { PresenceStore } from '../../ports/session-store.ts';
import { guarded } from './guarded.ts';
import { timestampText } from './instant.ts';

export class PostgresPresence implements PresenceStore {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async setFeedPresence(
    operatorId: OperatorId,
    aor: AddressOfRecord,
    onShift: boolean,
    at: Instant,
  ): Promise<void> {
    await this.#note('operator_presence', {
      aor,
      operator_id: operatorId,
      on_shift: onShift,
      since: timestampText(at),
    });
  }

  async setContact(aor: AddressOfRecord, online: boolean, at: Instant): Promise<void> {
    await this.#note('contacts', { aor, online, since: timestampText(at) });
  }

  async contactOnline(aor: AddressOfRecord): Promise<boolean> {
    const row = await guarded(
      this.#knex.from('contacts').select<{ online: boolean }[]>('online').where({ aor }).first(),
    );
    return row?.online ?? false;
  }

  async clear(): Promise<void> {
    await guarded(
      this.#knex.transaction(async (trx) => {
        await trx('operator_presence').delete();
        await trx('contacts').delete();
      }),
    );
  }

  async #note(
    table: string,
    row: Readonly<Record<string, unknown>> & { readonly since: string },
  ): Promise<void> {
    await guarded(
      this.#knex(table).insert(row).onConflict('aor').merge().where(`${table}.since`, '<=', row.since),
    );
  }
}
