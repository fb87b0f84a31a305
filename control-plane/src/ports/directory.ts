/** Citizens, operators, zones and the duty roster: master data that the backend and admins keep. */
import type { CitizenId, DeviceId, Instant, OperatorId, ZoneId } from '../domain/ids.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { Polygon } from '../domain/routing/zone-of.ts';

export interface Citizen {
  readonly id: CitizenId;
  readonly phone: PhoneNumber | null;
  readonly phoneVerified: boolean;
  readonly homeZone: ZoneId | null;
  readonly silent: boolean;
  readonly devices: readonly DeviceId[];
}

export interface Operator {
  readonly id: OperatorId;
  readonly name: string;
  readonly dutyPhone: PhoneNumber | null;
  readonly capacity: number;
  readonly active: boolean;
}

export interface Zone {
  readonly id: ZoneId;
  readonly name: string;
  /** `null`: the catch-all; at most one zone has it. */
  readonly polygon: Polygon | null;
}

export interface RosterEntry {
  readonly zoneId: ZoneId;
  readonly operatorId: OperatorId;
  readonly duty: 'operator' | 'supervisor';
  readonly priority: number;
  /** The duty phone must press 1 before a call counts as taken: a voicemail answers like a human. */
  readonly pressToAccept: boolean;
  readonly from: Instant | null;
  readonly until: Instant | null;
}

export type DirectoryResult<T = void> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code:
        | 'ERR_DIRECTORY_NOT_FOUND'
        | 'ERR_DIRECTORY_IN_USE'
        | 'ERR_DIRECTORY_CONFLICT'
        | 'ERR_DIRECTORY_FOREIGN';
      readonly detail: string;
    };

/** Lists are in id order, `after` exclusive, at most `limit`. */
export interface Directory {
  putCitizen(citizen: Citizen): Promise<DirectoryResult>;
  citizen(id: CitizenId): Promise<Citizen | null>;
  deleteCitizen(id: CitizenId): Promise<DirectoryResult>;
  putOperator(operator: Operator): Promise<DirectoryResult>;
  operator(id: OperatorId): Promise<Operator | null>;
  operators(after: OperatorId | null, limit: number): Promise<readonly Operator[]>;
  deleteOperator(id: OperatorId): Promise<DirectoryResult>;
  putZone(zone: Zone): Promise<DirectoryResult>;
  zones(): Promise<readonly Zone[]>;
  deleteZone(id: ZoneId): Promise<DirectoryResult>;
  /**
   * Replaces the roster of the zone as a whole. `refusal` is asked about the roster that stands, which nobody else
   * changes meanwhile: why it may not be replaced, or `null`.
   */
  putRoster(
    zoneId: ZoneId,
    entries: readonly RosterEntry[],
    refusal?: (standing: readonly RosterEntry[]) => string | null,
  ): Promise<DirectoryResult>;
  roster(zoneId: ZoneId | null): Promise<readonly RosterEntry[]>;
}
