/** Bodies of the master data that a backend and admins keep: citizens, operators, zones and the duty roster. */
import { z } from 'zod';
import { e164, humanText, subjectId, timestamp } from './common.ts';

export const zoneId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .meta({ description: 'Letters, digits, underscore and hyphen, at most 64.' });

const redactedPhone = z.string().nullable().meta({
  description: 'Redacted: country and last two digits. The number itself never leaves the gateway.',
});

export const citizenBody = z
  .object({
    phone: e164.nullable().meta({ description: 'Her registered number, E.164; null: she has none.' }),
    phoneVerified: z.boolean().meta({ description: 'Only a verified number is ever called.' }),
    homeZone: zoneId.nullable().default(null),
    silent: z.boolean().default(false).meta({ description: 'Never ring her phone: it may give her away.' }),
    devices: z.array(subjectId).max(20).default([]),
  })
  .meta({ id: 'CitizenEntry' });
export const citizenView = z
  .object({
    id: subjectId,
    phone: redactedPhone,
    phoneVerified: z.boolean(),
    homeZone: zoneId.nullable(),
    silent: z.boolean(),
    devices: z.array(subjectId).max(20),
  })
  .meta({ id: 'Citizen' });

export const operatorBody = z
  .object({
    name: humanText(100, 1),
    dutyPhone: e164.nullable().default(null),
    capacity: z.int().min(1).max(20).default(1).meta({ description: 'Sessions at once.' }),
    active: z
      .boolean()
      .default(true)
      .meta({ description: 'false: is offered no SOS, sees none and ends none, whatever token is shown.' }),
  })
  .meta({ id: 'OperatorEntry' });
export const operatorView = z
  .object({
    id: subjectId,
    name: z.string(),
    dutyPhone: redactedPhone,
    capacity: z.int(),
    active: z.boolean(),
  })
  .meta({ id: 'Operator' });
export const operatorList = z.object({
  operators: z.array(operatorView).max(200),
  next: z.string().nullable().meta({ description: 'Pass it as `after` for the next page.' }),
});

const position = z
  .tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)])
  .meta({ description: 'Longitude, latitude: WGS 84 degrees.' });
const ring = z
  .array(position)
  .min(4)
  .max(5000)
  .refine((points) => points[0]?.join() === points.at(-1)?.join(), {
    message: 'the first and last position of a ring are the same',
  });

/** RFC 7946 §3.1.6: the first ring is the outline, the others are holes. */
export const geoPolygon = z
  .object({ type: z.literal('Polygon'), coordinates: z.array(ring).min(1).max(50) })
  .meta({ id: 'Polygon', description: 'GeoJSON Polygon (RFC 7946).' });

export const zoneBody = z
  .object({
    name: humanText(100, 1),
    polygon: geoPolygon.nullable().meta({ description: 'null: the catch-all; at most one zone has it.' }),
  })
  .meta({ id: 'ZoneEntry' });
export const zoneView = z
  .object({ id: zoneId, name: z.string(), polygon: geoPolygon.nullable() })
  .meta({ id: 'Zone' });

const duty = z.enum(['operator', 'supervisor']);
const priority = z.int().min(0).max(1000).meta({ description: 'Order inside the zone, lowest first.' });
const pressToAccept = z
  .boolean()
  .meta({ description: 'The duty phone must press 1 to take a call: a voicemail answers like a human.' });
const rosterEntry = z
  .object({
    operatorId: subjectId,
    duty: duty.default('operator'),
    priority: priority.default(0),
    pressToAccept: pressToAccept.default(false),
    from: timestamp.nullable().default(null),
    until: timestamp.nullable().default(null),
  })
  .meta({ id: 'RosterEntry' });
/** The whole roster of a zone: what is not in it ends. */
export const rosterBody = z.object({ entries: z.array(rosterEntry).max(500) }).meta({ id: 'RosterPut' });
export const rosterView = z
  .object({
    zoneId,
    entries: z
      .array(
        z.object({
          operatorId: subjectId,
          duty,
          priority,
          pressToAccept,
          from: timestamp.nullable(),
          until: timestamp.nullable(),
        }),
      )
      .max(500),
  })
  .meta({ id: 'Roster' });
