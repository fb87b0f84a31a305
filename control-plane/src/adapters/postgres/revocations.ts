/** Revocations as rows; every node reads them once a second, and whole only when something has changed. */
import type { Knex } from 'knex';
import type { CitizenId, Instant } from '../../domain/ids.ts';
import type { Caller } from '../../ports/gateway.ts';
import {
  MAX_REVOCATIONS,
  roomFor,
  type RevocationOrder,
  type RevocationState,
  type RevocationStore,
  type Revoked,
} from '../../ports/revocations.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

const MAX_INACTIVE = 100_000;

const ADD_SQL = `
INSERT INTO revocations (kind, value, at, until, by)
SELECT ?, ?, ?, ?, ?
WHERE EXISTS (SELECT 1 FROM revocations WHERE kind = ? AND value = ?)
  OR (SELECT count(*) < ? AND count(*) FILTER (WHERE by = ?) < ? FROM revocations WHERE kind = ? AND until > ?)
ON CONFLICT (kind, value) DO UPDATE
SET id = DEFAULT, at = greatest(revocations.at, excluded.at), until = greatest(revocations.until, excluded.until), by = excluded.by`;

/** Changes with any of the lines: one that is written anew has a greater id than all before it. */
const MARK_SQL = `
SELECT concat_ws(' ', count(*), max(id), sum(id)) AS mark FROM revocations WHERE until > ?`;

interface Row {
  readonly kind: 'token' | 'subject';
  readonly value: string;
  readonly at: Instant;
}

export class PostgresRevocations implements RevocationStore {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async add(order: RevocationOrder): Promise<boolean> {
    const value = order.kind === 'token' ? order.tokenId : `${order.role}:${order.subject}`;
    const room = roomFor(order);
    const { rowCount } = await guarded(
      this.#knex.raw<{ rowCount: number }>(ADD_SQL, [
        order.kind,
        value,
        timestampText(order.at),
        timestampText(order.until),
        order.by,
        order.kind,
        value,
        room.inAll,
        order.by,
        room.byOne,
        order.kind,
        timestampText(order.at),
      ]),
    );
    return rowCount > 0;
  }

  async read(knownMark: string | null, now: Instant): Promise<RevocationState> {
    const [marks, inactive] = await Promise.all([
      guarded(this.#knex.raw<{ rows: { mark: string }[] }>(MARK_SQL, [timestampText(now)])),
      guarded<{ id: string }[]>(
        this.#knex('operators').select('id').where({ active: false }).limit(MAX_INACTIVE),
      ),
    ]);
    const mark = marks.rows[0]?.mark ?? 'none';
    const revoked = mark === knownMark ? null : await this.#list(now);
    return { mark, revoked, inactive: inactive.map(({ id }) => id) };
  }

  async hasOpenSos(citizenId: CitizenId): Promise<boolean> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: unknown[] }>(
        'SELECT 1 FROM sessions WHERE citizen_id = ? AND open AND activated_at IS NOT NULL LIMIT 1',
        [citizenId],
      ),
    );
    return rows.length > 0;
  }

  async #list(now: Instant): Promise<readonly Revoked[]> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: Row[] }>(
        `SELECT kind, value, ${instantSql('at')} AS at FROM revocations WHERE until > ? LIMIT ${MAX_REVOCATIONS}`,
        [timestampText(now)],
      ),
    );
    return rows.map(revokedOf);
  }
}

function revokedOf({ kind, value, at }: Row): Revoked {
  if (kind === 'token') return { kind, tokenId: value, at };
  const [role = '', ...rest] = value.split(':');
  return { kind, role: role as Caller['role'], subject: rest.join(':'), at };
}
