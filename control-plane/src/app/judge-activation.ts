/** What is trusted of an activation, and what is only recorded and flagged (decision 1). Nothing here refuses. */
import type { Location } from '../contracts/common.ts';
import { citizenAor, isAorPart } from '../domain/ids.ts';
import type { AddressOfRecord, CitizenId, DeviceId, SessionId } from '../domain/ids.ts';
import { parsePoint } from '../domain/routing/point.ts';
import { zoneOf } from '../domain/routing/zone-of.ts';
import type { Subject } from '../domain/session/event.ts';
import type { Policy } from '../domain/session/policy.ts';
import type { CitizenProfile, Flag } from '../domain/session/session.ts';
import type { Citizen, Zone } from '../ports/directory.ts';
import type { ActivateRequest } from '../ports/gateway.ts';
import type { PersonalFacts } from '../ports/session-store.ts';

const MAX_CLAIM_CHARS = 500;
/** Nobody could say whether her phone may be called: that is asked again when it is to be called. */
const UNREAD_PROFILE: CitizenProfile = { phone: 'verified', silent: false };

export interface Judged {
  readonly subject: Omit<Subject, 'sessionId'>;
  readonly personal: PersonalFacts;
}

export function judgeActivation(
  request: Pick<ActivateRequest, 'citizenId' | 'deviceId' | 'location' | 'clientTime'> & {
    readonly bodyMalformed?: boolean;
  },
  found: Citizen | null | 'unread',
  zones: readonly Zone[],
  contacts: ReadonlySet<AddressOfRecord>,
  policy: Policy,
): Judged {
  const flags: Flag[] = [];
  const citizen = found === 'unread' ? null : found;
  if (!citizen) flags.push('unknown-citizen');
  const profile = found === 'unread' ? UNREAD_PROFILE : profileOf(citizen);
  if (profile.phone === 'missing') flags.push('phone-missing');
  if (profile.phone === 'unverified') flags.push('phone-unverified');
  const deviceId = deviceOf(request, contacts);
  if (!deviceId.claimed || citizen?.devices.includes(deviceId.value) !== true) flags.push('unknown-device');
  const place = placeOf(request.location);
  if (place.flag) flags.push(place.flag);
  const home = citizen?.homeZone ?? null;
  const zone = zoneOf(place.location, home, zones);
  // Her home zone serves her, but the card must say that she is not there.
  const isElsewhere = place.location !== null && zone.by === 'home';
  if (isElsewhere || zone.by === 'catch-all' || zone.by === 'none') flags.push('unknown-zone');
  return {
    subject: {
      citizenId: request.citizenId,
      deviceId: deviceId.value,
      aor: citizenAor(request.citizenId, deviceId.value),
      zoneId: zone.zoneId,
      profile,
      flags,
      policy,
    },
    personal: {
      location: place.location,
      claimed: {
        location: clipped(request.location),
        deviceId: clipped(request.deviceId),
        clientTime: clipped(request.clientTime),
      },
    },
  };
}

export function withSessionId(subject: Judged['subject'], sessionId: SessionId): Subject {
  return { ...subject, sessionId };
}

function profileOf(citizen: Citizen | null): CitizenProfile {
  if (!citizen?.phone) return { phone: 'missing', silent: citizen?.silent ?? false };
  return { phone: citizen.phoneVerified ? 'verified' : 'unverified', silent: citizen.silent };
}

/** The device that she names; else one of hers that is connected now; else a name that no device has. */
function deviceOf(
  request: { readonly citizenId: CitizenId; readonly deviceId: unknown },
  contacts: ReadonlySet<AddressOfRecord>,
): { readonly value: DeviceId; readonly claimed: boolean } {
  if (typeof request.deviceId === 'string' && isAorPart(request.deviceId)) {
    return { value: request.deviceId as DeviceId, claimed: true };
  }
  const prefix = `citizen-${request.citizenId}-`;
  const connected = [...contacts].find((aor) => aor.startsWith(prefix));
  return { value: (connected?.slice(prefix.length) ?? 'unknown') as DeviceId, claimed: false };
}

function placeOf(claimed: unknown): { readonly location: Location | null; readonly flag: Flag | null } {
  if (claimed === undefined || claimed === null) return { location: null, flag: 'location-missing' };
  const point = parsePoint(claimed);
  return point ? { location: point, flag: null } : { location: null, flag: 'location-absurd' };
}

function clipped(value: unknown): unknown {
  if (value === undefined) return null;
  const text = JSON.stringify(value);
  return text.length <= MAX_CLAIM_CHARS ? value : text.slice(0, MAX_CLAIM_CHARS);
}
