/** Zones and the duty roster of each. */
import type { Knex } from 'knex';
import type { Instant, OperatorId, ZoneId } from '../../domain/ids.ts';
import type { Polygon } from '../../domain/routing/zone-of.ts';
import type { DirectoryResult, RosterEntry, Zone } from '../../ports/directory.ts';
import { directoryResult, DONE, refused } from './directory-result.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampTextOrNull } from './instant.ts';

/** More zones or roster entries than a deployment can have; they are held in memory. */
const MAX_ROWS = 20_000;

export class ZoneDirectory {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  put({ id, name, polygon }: Zone): Promise<DirectoryResult> {
    const row = { id, name, polygon: polygon === null ? null : JSON.stringify(polygon) };
    return directoryResult(
      this.#knex('zones')
        .insert(row)
        .onConflict('id')
        .merge()
        .then(() => DONE),
      { conflict: 'another zone is the catch-all already' },
    );
  }

  async list(): Promise<readonly Zone[]> {
    return guarded(
      this.#knex
        .from('zones')
        .select<{ id: ZoneId; name: string; polygon: Polygon | null }[]>('id', 'name', 'polygon')
        .orderBy('id')
        .limit(MAX_ROWS),
    );
  }

  delete(id: ZoneId): Promise<DirectoryResult> {
    return directoryResult(
      this.#knex.transaction(async (trx) => {
        const open = await trx('sessions')
          .select('id')
          .where({ zone_id: id, open: true })
          .first<object | undefined>();
        if (open) return refused('ERR_DIRECTORY_IN_USE', 'a session of the zone is open');
        const deleted = await trx('zones').where({ id }).delete();
        return deleted > 0 ? DONE : refused('ERR_DIRECTORY_NOT_FOUND', 'no such zone');
      }),
      { inUse: 'a roster or a home zone refers to the zone' },
    );
  }

  /** Replaces the roster of the zone as a whole, unless `refusal` has a word against it. */
  putRoster(
    zoneId: ZoneId,
    entries: readonly RosterEntry[],
    refusal: (standing: readonly RosterEntry[]) => string | null = () => null,
  ): Promise<DirectoryResult> {
    const rows = entries.map((entry) => ({
      zone_id: zoneId,
      operator_id: entry.operatorId,
      duty: entry.duty,
      priority: entry.priority,
      press_to_accept: entry.pressToAccept,
      valid_from: timestampTextOrNull(entry.from),
      valid_until: timestampTextOrNull(entry.until),
    }));
    return directoryResult(
      this.#knex.transaction(async (trx) => {
        // Two replacements of one roster come one after the other, never mixed.
        const zone = await trx('zones')
          .select('id')
          .where({ id: zoneId })
          .forUpdate()
          .first<object | undefined>();
        if (!zone) return refused('ERR_DIRECTORY_NOT_FOUND', 'no such zone');
        const why = refusal((await rosterRows(trx, zoneId)).map(entryOf));
        if (why !== null) return refused('ERR_DIRECTORY_FOREIGN', why);
        await trx('roster').where({ zone_id: zoneId }).delete();
        if (rows.length > 0) await trx('roster').insert(rows);
        return DONE;
      }),
      {
        missing: 'an operator of the roster does not exist',
        conflict: 'an operator stands twice in the roster with one duty and one beginning',
      },
    );
  }

  async roster(zoneId: ZoneId | null): Promise<readonly RosterEntry[]> {
    return (await guarded(rosterRows(this.#knex, zoneId))).map(entryOf);
  }
}

function rosterRows(knex: Knex, zoneId: ZoneId | null) {
  const query = knex
    .from('roster')
    .select<RosterRow[]>(
      'zone_id',
      'operator_id',
      'duty',
      'priority',
      'press_to_accept',
      knex.raw(`${instantSql('valid_from')} as valid_from, ${instantSql('valid_until')} as valid_until`),
    )
    .orderByRaw('zone_id, duty, priority, operator_id, roster.valid_from NULLS FIRST')
    .limit(MAX_ROWS);
  return zoneId === null ? query : query.where({ zone_id: zoneId });
}

interface RosterRow {
  readonly zone_id: ZoneId;
  readonly operator_id: OperatorId;
  readonly duty: RosterEntry['duty'];
  readonly priority: number;
  readonly press_to_accept: boolean;
  readonly valid_from: Instant | null;
  readonly valid_until: Instant | null;
}

function entryOf(row: RosterRow): RosterEntry {
  const { zone_id: zoneId, operator_id: operatorId, duty, priority, press_to_accept: pressToAccept } = row;
  return {
    zoneId,
    operatorId,
    duty,
    priority,
    pressToAccept,
    from: row.valid_from,
    until: row.valid_until,
  };
}
