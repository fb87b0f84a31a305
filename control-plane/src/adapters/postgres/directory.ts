/** The directory on PostgreSQL. Numbers leave it as `PhoneNumber` only. */
import type { Knex } from 'knex';
import type { CitizenId, OperatorId, ZoneId } from '../../domain/ids.ts';
import type { Citizen, Directory, Operator, Zone } from '../../ports/directory.ts';
import { CitizenDirectory } from './citizen-directory.ts';
import { OperatorDirectory } from './operator-directory.ts';
import { ZoneDirectory } from './zone-directory.ts';

export function postgresDirectory(knex: Knex): Directory {
  const citizens = new CitizenDirectory(knex);
  const operators = new OperatorDirectory(knex);
  const zones = new ZoneDirectory(knex);
  return {
    putCitizen: (citizen: Citizen) => citizens.put(citizen),
    citizen: (id: CitizenId) => citizens.find(id),
    deleteCitizen: (id: CitizenId) => citizens.delete(id),
    putOperator: (operator: Operator) => operators.put(operator),
    operator: (id: OperatorId) => operators.find(id),
    operators: (after: OperatorId | null, limit: number) => operators.list(after, limit),
    deleteOperator: (id: OperatorId) => operators.delete(id),
    putZone: (zone: Zone) => zones.put(zone),
    zones: () => zones.list(),
    deleteZone: (id: ZoneId) => zones.delete(id),
    putRoster: (...roster) => zones.putRoster(...roster),
    roster: (zoneId: ZoneId | null) => zones.roster(zoneId),
  };
}
