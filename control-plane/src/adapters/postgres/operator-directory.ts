/** Operators and supervisors. */
import type { Knex } from 'knex';
import type { OperatorId } from '../../domain/ids.ts';
import type { DirectoryResult, Operator } from '../../ports/directory.ts';
import { directoryResult, DONE, refused } from './directory-result.ts';
import { guarded } from './guarded.ts';
import { storedPhone } from './stored-phone.ts';

const COLUMNS = ['id', 'name', 'duty_phone', 'capacity', 'active'];

/** Whoever is deleted is shut out by person, for longer than a token may live. */
const REVOKE_SQL = `
INSERT INTO revocations (kind, value, at, until, by)
SELECT 'subject', role || ?, now(), now() + interval '400 days', 'directory'
FROM unnest(ARRAY['operator:', 'supervisor:']) AS role
ON CONFLICT (kind, value) DO UPDATE SET id = DEFAULT, at = excluded.at, until = excluded.until, by = excluded.by`;

export class OperatorDirectory {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  put({ id, name, dutyPhone, capacity, active }: Operator): Promise<DirectoryResult> {
    const row = { id, name, duty_phone: dutyPhone?.reveal() ?? null, capacity, active };
    return directoryResult(
      this.#knex('operators')
        .insert(row)
        .onConflict('id')
        .merge()
        .then(() => DONE),
    );
  }

  async find(id: OperatorId): Promise<Operator | null> {
    const row = await guarded(
      this.#knex.from('operators').select<OperatorRow[]>(COLUMNS).where({ id }).first(),
    );
    return row ? operatorOf(row) : null;
  }

  async list(after: OperatorId | null, limit: number): Promise<readonly Operator[]> {
    const query = this.#knex.from('operators').select<OperatorRow[]>(COLUMNS).orderBy('id').limit(limit);
    if (after !== null) void query.where('id', '>', after);
    return (await guarded(query)).map(operatorOf);
  }

  delete(id: OperatorId): Promise<DirectoryResult> {
    return directoryResult(
      this.#knex.transaction(async (trx) => {
        // The lock that assignments take: none can come between the question and the deletion.
        const locked = await trx('operators')
          .select('id')
          .where({ id })
          .forUpdate()
          .first<object | undefined>();
        if (!locked) return refused('ERR_DIRECTORY_NOT_FOUND', 'no such operator');
        const open = await trx('sessions')
          .select('id')
          .where({ operator_id: id, open: true })
          .first<object | undefined>();
        if (open) return refused('ERR_DIRECTORY_IN_USE', 'an open session is assigned to the operator');
        // Tokens of hers or his outlive the entry that called them inactive.
        await trx.raw(REVOKE_SQL, [id]);
        await trx('operators').where({ id }).delete();
        return DONE;
      }),
      { inUse: 'the operator stands in a roster' },
    );
  }
}

interface OperatorRow {
  readonly id: OperatorId;
  readonly name: string;
  readonly duty_phone: string | null;
  readonly capacity: number;
  readonly active: boolean;
}

function operatorOf({ id, name, duty_phone: phone, capacity, active }: OperatorRow): Operator {
  return { id, name, dutyPhone: storedPhone(phone), capacity, active };
}
