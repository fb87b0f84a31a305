/** Citizens and their devices. */
import type { Knex } from 'knex';
import type { CitizenId, DeviceId, ZoneId } from '../../domain/ids.ts';
import type { Citizen, DirectoryResult } from '../../ports/directory.ts';
import { directoryResult, DONE, refused } from './directory-result.ts';
import { guarded } from './guarded.ts';
import { storedPhone } from './stored-phone.ts';

export class CitizenDirectory {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  put(citizen: Citizen): Promise<DirectoryResult> {
    const { id, phone, phoneVerified, homeZone, silent, devices } = citizen;
    const row = {
      id,
      phone: phone?.reveal() ?? null,
      phone_verified: phoneVerified,
      home_zone: homeZone,
      silent,
    };
    return directoryResult(
      this.#knex.transaction(async (trx) => {
        await trx('citizens').insert(row).onConflict('id').merge();
        await trx('citizen_devices').where({ citizen_id: id }).delete();
        const rows = [...new Set(devices)].map((device) => ({ citizen_id: id, device_id: device }));
        if (rows.length > 0) await trx('citizen_devices').insert(rows);
        return DONE;
      }),
      { missing: 'her home zone does not exist' },
    );
  }

  async find(id: CitizenId): Promise<Citizen | null> {
    const row = await guarded(
      this.#knex
        .from('citizens as c')
        .where('c.id', id)
        .select<CitizenRow[]>(
          'c.phone',
          'c.phone_verified',
          'c.home_zone',
          'c.silent',
          this.#knex.raw(
            'ARRAY(SELECT d.device_id FROM citizen_devices d WHERE d.citizen_id = c.id ORDER BY 1) AS devices',
          ),
        )
        .first(),
    );
    if (!row) return null;
    return {
      id,
      phone: storedPhone(row.phone),
      phoneVerified: row.phone_verified,
      homeZone: row.home_zone,
      silent: row.silent,
      devices: row.devices,
    };
  }

  /** Not while a session of hers is open: her number may be needed in the next second. */
  delete(id: CitizenId): Promise<DirectoryResult> {
    return directoryResult(
      this.#knex.transaction(async (trx) => {
        await trx.raw(`SELECT pg_advisory_xact_lock(hashtextextended('citizen:' || ?::text, 0))`, [id]);
        const open = await trx('sessions')
          .select('id')
          .where({ citizen_id: id, open: true })
          .first<object | undefined>();
        if (open) return refused('ERR_DIRECTORY_IN_USE', 'she has an open session');
        const deleted = await trx('citizens').where({ id }).delete();
        return deleted > 0 ? DONE : refused('ERR_DIRECTORY_NOT_FOUND', 'no such citizen');
      }),
    );
  }
}

interface CitizenRow {
  readonly phone: string | null;
  readonly phone_verified: boolean;
  readonly home_zone: ZoneId | null;
  readonly silent: boolean;
  readonly devices: readonly DeviceId[];
}
