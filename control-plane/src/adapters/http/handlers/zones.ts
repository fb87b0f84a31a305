/** Duty zones and who is on duty in them. */
import type { z } from 'zod';
import type { rosterBody } from '../../../contracts/directory-api.ts';
import type { Instant, OperatorId, ZoneId } from '../../../domain/ids.ts';
import { judgeRoster } from '../../../domain/rights/roster-rights.ts';
import type { Directory, RosterEntry, Zone } from '../../../ports/directory.ts';
import { failure, reply, type Handlers, type Outcome } from '../http-call.ts';

const ROSTER_REFUSALS = {
  'not-supervisor': 'only a supervisor on duty in this zone writes its roster, or a backend or admin',
  'own-entry': 'a supervisor neither adds nor changes entries of his own',
} as const;

type ZoneOperation = 'putZone' | 'getZone' | 'deleteZone' | 'putRoster' | 'getRoster';

export function zoneHandlers(directory: Directory): Pick<Handlers, ZoneOperation> {
  return {
    putZone: async ({ params, body }) => {
      const zone: Zone = {
        id: params.id as ZoneId,
        name: body.name,
        polygon: body.polygon?.coordinates ?? null,
      };
      const result = await directory.putZone(zone);
      return result.ok ? reply(200, zoneEntry(zone)) : failure(result.code, result.detail);
    },
    getZone: async ({ params }) => {
      const zone = await findZone(directory, params.id);
      return zone ? reply(200, zoneEntry(zone)) : unknownZone();
    },
    deleteZone: async ({ params }) => {
      const result = await directory.deleteZone(params.id as ZoneId);
      return result.ok ? reply(204, null) : failure(result.code, result.detail);
    },
    putRoster: async ({ caller, receivedAt, params, body }) => {
      const zoneId = params.id as ZoneId;
      const wrong = periodErrors(body);
      if (wrong.length > 0) return failure('ERR_HTTP_VALIDATION', 'a period ends before it begins', wrong);
      const entries = body.entries.map((entry) => rosterEntryOf(zoneId, entry));
      const result = await directory.putRoster(zoneId, entries, (standing) => {
        const judged = judgeRoster(caller, standing, entries, receivedAt);
        return judged === null ? null : ROSTER_REFUSALS[judged];
      });
      return result.ok ? reply(200, rosterOf(zoneId, entries)) : failure(result.code, result.detail);
    },
    getRoster: async ({ params }) => {
      const zone = await findZone(directory, params.id);
      return zone ? reply(200, rosterOf(zone.id, await directory.roster(zone.id))) : unknownZone();
    },
  };
}

async function findZone(directory: Directory, id: string): Promise<Zone | null> {
  return (await directory.zones()).find((zone) => zone.id === id) ?? null;
}

function zoneEntry(zone: Zone) {
  return {
    id: zone.id,
    name: zone.name,
    polygon: zone.polygon === null ? null : { type: 'Polygon', coordinates: zone.polygon },
  };
}

type RosterPut = z.output<typeof rosterBody>;

function periodErrors(body: RosterPut): { path: string; message: string }[] {
  return body.entries.flatMap(({ from, until }, index) =>
    from !== null && until !== null && Date.parse(until) <= Date.parse(from)
      ? [{ path: `entries.${index}.until`, message: 'must be after `from`' }]
      : [],
  );
}

function rosterEntryOf(zoneId: ZoneId, entry: RosterPut['entries'][number]): RosterEntry {
  return {
    zoneId,
    operatorId: entry.operatorId as OperatorId,
    duty: entry.duty,
    priority: entry.priority,
    pressToAccept: entry.pressToAccept,
    from: entry.from === null ? null : (Date.parse(entry.from) as Instant),
    until: entry.until === null ? null : (Date.parse(entry.until) as Instant),
  };
}

function rosterOf(zoneId: ZoneId, entries: readonly RosterEntry[]) {
  return {
    zoneId,
    entries: entries.map(({ operatorId, duty, priority, pressToAccept, from, until }) => ({
      operatorId,
      duty,
      priority,
      pressToAccept,
      from: from === null ? null : new Date(from).toISOString(),
      until: until === null ? null : new Date(until).toISOString(),
    })),
  };
}

function unknownZone(): Outcome {
  return failure('ERR_DIRECTORY_NOT_FOUND', 'no such zone');
}
