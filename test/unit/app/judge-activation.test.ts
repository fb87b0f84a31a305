import { expect } from 'chai';
import { judgeActivation } from '../../../control-plane/src/app/judge-activation.ts';
import { citizenAor } from '../../../control-plane/src/domain/ids.ts';
import type { AddressOfRecord, DeviceId, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import { DEFAULT_POLICY } from '../../../control-plane/src/domain/session/policy.ts';
import type { Citizen, Zone } from '../../../control-plane/src/ports/directory.ts';
import { citizenOf, MEERA, PHONE, PLACE, PRIYA, PRIYA_AOR, ZONE } from '../../support/core-lab.ts';

const north: Zone = {
  id: 'north' as ZoneId,
  name: 'North',
  polygon: [
    [
      [77, 28],
      [78, 28],
      [78, 29],
      [77, 29],
      [77, 28],
    ],
  ],
};
const rest: Zone = { id: ZONE, name: 'Rest', polygon: null };

interface Given {
  readonly deviceId?: unknown;
  readonly location?: unknown;
  readonly clientTime?: unknown;
  readonly citizen?: Citizen | null | 'unread';
  readonly zones?: readonly Zone[];
  readonly contacts?: readonly AddressOfRecord[];
}

function judged(given: Given = {}) {
  const { zones = [north, rest], contacts = [] } = given;
  return judgeActivation(
    {
      citizenId: PRIYA,
      deviceId: 'deviceId' in given ? given.deviceId : PHONE,
      location: 'location' in given ? given.location : PLACE,
      clientTime: given.clientTime,
    },
    given.citizen === undefined ? citizenOf(PRIYA) : given.citizen,
    zones,
    new Set(contacts),
    DEFAULT_POLICY,
  );
}

describe('app/judge-activation', () => {
  it('RTC-10 flags nothing of a known citizen with a known device in a known zone', () => {
    const { subject, personal } = judged();
    expect(subject.flags).to.be.empty;
    expect(subject).to.include({ zoneId: 'north', aor: PRIYA_AOR, deviceId: PHONE });
    expect(subject.profile).to.deep.equal({ phone: 'verified', silent: false });
    expect(personal.location).to.deep.equal(PLACE);
  });

  for (const [flag, given] of [
    ['location-missing', { location: undefined }],
    ['location-missing', { location: null }],
    ['location-absurd', { location: { latitude: 91, longitude: 0 } }],
    ['location-absurd', { location: { latitude: 0, longitude: 0 } }],
    ['location-absurd', { location: 'here' }],
    ['phone-missing', { citizen: citizenOf(PRIYA, { phone: null }) }],
    ['phone-unverified', { citizen: citizenOf(PRIYA, { phoneVerified: false }) }],
    ['unknown-device', { deviceId: 'stranger' }],
  ] as const) {
    it(`RTC-10 ${JSON.stringify(Object.keys(given))} is flagged ${flag}, alone`, () => {
      expect(judged(given).subject.flags).to.deep.equal([flag]);
    });
  }

  it('RTC-10 an unknown citizen is served at the catch-all, without a phone to call', () => {
    const { subject } = judged({ citizen: null, location: undefined });
    expect(subject.flags).to.have.members([
      'unknown-citizen',
      'phone-missing',
      'unknown-device',
      'location-missing',
      'unknown-zone',
    ]);
    expect(subject.zoneId).to.equal(ZONE);
  });

  it('RTC-5 the zone is where she is; without a place, her home; else the catch-all; else none', () => {
    const home = citizenOf(PRIYA, { homeZone: north.id });
    const away = { latitude: 12.97, longitude: 77.59 };
    expect(judged({ location: away }).subject.zoneId).to.equal(ZONE);
    expect(judged({ citizen: home, location: away }).subject).to.deep.include({
      zoneId: 'north',
      flags: ['unknown-zone'],
    });
    expect(judged({ citizen: home, location: null }).subject.zoneId).to.equal('north');
    const nowhere = judged({ citizen: citizenOf(PRIYA, { homeZone: null }), location: null, zones: [] });
    expect(nowhere.subject.zoneId).to.be.null;
    expect(nowhere.subject.flags).to.include('unknown-zone');
  });

  it('takes the device that she names, even when another one is connected', () => {
    const other = citizenAor(PRIYA, 'tablet' as DeviceId);
    expect(judged({ contacts: [other] }).subject.aor).to.equal(PRIYA_AOR);
  });

  it("without a usable device, one of hers that is connected; never another citizen's", () => {
    const hers = citizenAor(PRIYA, 'tablet' as DeviceId);
    const others = citizenAor(MEERA, PHONE);
    for (const deviceId of [undefined, 42, 'no-hyphens', '']) {
      const { subject } = judged({ deviceId, contacts: [others, hers] });
      expect(subject.aor).to.equal(hers);
      expect(subject.flags).to.include('unknown-device');
      expect(judged({ deviceId, contacts: [others] }).subject.aor).to.equal('citizen-priya-unknown');
    }
  });

  it('records what was claimed, and no more than 500 characters of each', () => {
    const { personal } = judged({ location: { note: 'x'.repeat(2000) }, clientTime: '12:00' });
    expect(personal.location).to.be.null;
    expect(personal.claimed).to.include({ clientTime: '12:00', deviceId: PHONE });
    expect(personal.claimed?.['location']).to.be.a('string').with.length(500);
  });

  it('FB-2 takes a citizen whom nobody could read for one whose phone may be called: that is asked at the call', () => {
    const { subject } = judged({ citizen: 'unread' });
    expect(subject.profile).to.deep.equal({ phone: 'verified', silent: false });
    expect(subject.flags).to.include('unknown-citizen').and.not.include('phone-missing');
  });
});
