/** Who may activate for whom, and what becomes of an activation that is not as it should be (decisions: it is served). */
import { expect } from 'chai';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { Activated } from '../../control-plane/src/contracts/sos-api.ts';
import { useGateway, type Citizen, type CitizenWishes } from './support/gateway.ts';
import type { District } from './support/district.ts';
import type { Answer } from './support/http.ts';
import { press, story, told } from './support/sos.ts';
import type { HeadlessOperator } from '../support/headless/index.ts';

type Flag = SessionView['flags'][number];

describe('e2e: the activation', function () {
  this.timeout(20_000);
  const gateway = useGateway();
  let district: District;

  beforeEach(async () => {
    district = await gateway.district();
  });

  const activate = (
    token: string | null,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => gateway.send(token, 'POST', '/v1/sos', { body, headers });

  const sessionsOf = async (citizenId: string): Promise<number> =>
    (await gateway.sql(`SELECT 1 FROM sessions WHERE citizen_id = $1`, [citizenId])).length;

  describe('refuses a failed identity, and nothing of it remains', () => {
    const cases: readonly {
      readonly name: string;
      readonly token: (citizen: Citizen) => Promise<string | null>;
      readonly status: number;
      readonly code: string;
    }[] = [
      {
        name: "a token of another citizen's",
        token: () => gateway.token('citizen', 'somebody_else'),
        status: 403,
        code: 'ERR_SOS_FOREIGN',
      },
      {
        name: "an operator's token",
        token: ({ id }) => gateway.token('operator', id),
        status: 403,
        code: 'ERR_AUTH_ROLE',
      },
      {
        name: 'an expired token',
        token: ({ id }) => gateway.token('citizen', id, { ttlS: -120 }),
        status: 401,
        code: 'ERR_AUTH_EXPIRED',
      },
      {
        name: 'a forged token',
        token: ({ id }) => gateway.token('citizen', id, { secret: 'x'.repeat(43) }),
        status: 401,
        code: 'ERR_AUTH_INVALID',
      },
      {
        name: "another issuer's token",
        token: ({ id }) => gateway.token('citizen', id, { issuer: 'somebody' }),
        status: 401,
        code: 'ERR_AUTH_INVALID',
      },
      {
        name: 'a token for another audience',
        token: ({ id }) => gateway.token('citizen', id, { audience: 'something-else' }),
        status: 401,
        code: 'ERR_AUTH_INVALID',
      },
      { name: 'no token', token: () => Promise.resolve(null), status: 401, code: 'ERR_AUTH_MISSING' },
    ];

    for (const { name, token, status, code } of cases) {
      it(`RTC-10 refuses ${name} with ${status} ${code}`, async () => {
        const citizen = await gateway.citizen();
        const refused = await gateway.metric('hamrahi_http_refused_total', { code });

        const answer = await activate(await token(citizen), {
          citizenId: citizen.id,
          deviceId: 'phone1',
          location: district.location,
        });

        expect(answer.status).to.equal(status);
        expect(answer.body).to.deep.include({ code, status });
        expect(answer.headers.get('content-type')).to.match(/^application\/problem\+json/);
        expect(await sessionsOf(citizen.id)).to.equal(0);
        expect(await gateway.metric('hamrahi_http_refused_total', { code })).to.equal(refused + 1);
      });
    }
  });

  describe('serves everybody else, and flags what was wrong', () => {
    interface Case {
      readonly name: string;
      readonly citizen?: CitizenWishes;
      readonly body: (district: District) => unknown;
      readonly flags: readonly Flag[];
      /** `null`: the zone of the test's own district. */
      readonly zone: string | null;
    }
    const cases: readonly Case[] = [
      {
        name: 'an unknown device',
        body: ({ location }) => ({ deviceId: 'stolen', location }),
        flags: ['unknown-device'],
        zone: null,
      },
      {
        name: 'an unverified phone',
        citizen: { phoneVerified: false },
        body: ({ location }) => ({ deviceId: 'phone1', location }),
        flags: ['phone-unverified'],
        zone: null,
      },
      {
        name: 'no phone at all',
        citizen: { phone: null },
        body: ({ location }) => ({ deviceId: 'phone1', location }),
        flags: ['phone-missing'],
        zone: null,
      },
      {
        name: 'absurd coordinates: her home zone',
        body: () => ({ deviceId: 'phone1', location: { latitude: 512, longitude: 'north' } }),
        flags: ['location-absurd'],
        zone: 'central',
      },
      {
        name: 'missing coordinates: her home zone',
        body: () => ({ deviceId: 'phone1' }),
        flags: ['location-missing'],
        zone: 'central',
      },
      {
        name: 'a device that is no text and a clock that is no time',
        body: ({ location }) => ({ deviceId: { a: 1 }, location, clientTime: [1, 2] }),
        flags: ['unknown-device'],
        zone: null,
      },
    ];

    for (const { name, citizen: wishes = {}, body, flags, zone } of cases) {
      it(`RTC-10 serves ${name}`, async () => {
        const citizen = await gateway.citizen(wishes);
        const answer = await activate(citizen.token, body(district));

        expect(answer.status).to.equal(201);
        const { id, flags: given } = answer.body as unknown as Activated;
        expect(given).to.have.members(flags);
        const view = await gateway.view(id);
        expect(view.zoneId).to.equal(zone ?? district.zoneId);
        expect(view.activatedAt).to.not.equal(null);
        expect(
          await gateway.sql('SELECT 1 FROM timers WHERE session_id = $1 AND timer = $2', [id, 'watchdog']),
        ).to.have.length(1);
      });
    }

    it('RTC-10 serves a citizen nobody has registered, in a place of no zone, by the catch-all', async () => {
      const token = await gateway.token('citizen', 'stranger');
      const answer = await activate(token, {
        deviceId: 'phone1',
        location: { latitude: -45, longitude: -170 },
      });

      expect(answer.status).to.equal(201);
      const { id, flags } = answer.body as unknown as Activated;
      expect(flags).to.have.members(['unknown-citizen', 'phone-missing', 'unknown-device', 'unknown-zone']);
      expect((await gateway.view(id)).zoneId).to.equal('rest');
    });

    it('RTC-10 serves an SOS with a damaged body, whoever sends it too much or nonsense', async () => {
      const damaged = await gateway.citizen();
      const huge = await gateway.citizen();
      const malformed = await activate(damaged.token, '{"deviceId":"phone1", "location": {');
      const tooLarge = await activate(huge.token, { deviceId: 'phone1', note: 'x'.repeat(20_000) });

      for (const answer of [malformed, tooLarge]) {
        expect(answer.status).to.equal(201);
        expect((answer.body as unknown as Activated).flags).to.include('body-malformed');
      }
    });

    it('RTC-10 an SOS with a wrong device still streams by the device that is connected', async () => {
      const panel = await gateway.panel(district.operators[0]!.id);
      const citizen = await gateway.armedCitizen(district.location, { toneHz: 1800 });
      const answer = await activate(citizen.token, { location: district.location });
      const { id, flags, sipUri } = answer.body as unknown as Activated;
      await press(citizen, district.location);
      await Promise.all([told(panel, id, 'sos.active'), panel.tone(1800, 10_000)]);

      expect(flags).to.deep.equal(['unknown-device']);
      expect(sipUri).to.match(new RegExp(`^sip:citizen-${citizen.id}-phone1@`));
    });
  });

  describe('folds what is repeated into the open session', () => {
    let panel: HeadlessOperator;
    let citizen: Citizen;

    beforeEach(async () => {
      panel = await gateway.panel(district.operators[0]!.id);
      citizen = await gateway.armedCitizen(district.location);
    });

    const again = (key: string | null, change: Record<string, unknown> = {}): Promise<Answer> =>
      activate(
        citizen.token,
        { deviceId: 'phone1', location: district.location, ...change },
        key === null ? {} : { 'idempotency-key': key },
      );

    it('RTC-10 a second press is the same session, told to the panel, and its voice goes on', async () => {
      const id = await press(citizen, district.location);
      await told(panel, id, 'sos.active');
      const answer = await again(null);
      await told(panel, id, 'sos.folded');

      expect(answer.status).to.equal(200);
      expect(answer.body).to.deep.include({ id, folded: true });
      expect((answer.body as unknown as Activated).flags).to.include('folded');
      expect(await gateway.view(id)).to.deep.include({ phase: 'active', streaming: true, heard: true });
      expect(citizen.legs, 'no second call').to.have.length(1);
      expect(await sessionsOf(citizen.id)).to.equal(1);
    });

    it('RTC-10 a repeated request under one key is one session; under an old key with another body it is flagged', async () => {
      const first = await again('key-1');
      const { id } = first.body as unknown as Activated;
      const same = await again('key-1');
      const other = await again('key-1', { location: { latitude: 1, longitude: 1 } });

      expect([first.status, same.status, other.status]).to.deep.equal([201, 200, 200]);
      for (const answer of [same, other]) expect(answer.body).to.deep.include({ id, folded: true });
      expect((same.body as unknown as Activated).flags).to.not.include('idempotency-key-reused');
      expect((other.body as unknown as Activated).flags).to.include('idempotency-key-reused');
      await told(panel, id, 'sos.folded');
      expect(story(panel, id).filter((type) => type === 'sos.activated')).to.have.length(1);
    });

    it('RTC-8 RTC-10 ten presses at the same instant are one session and one call', async () => {
      // Her app's own press among them, so that it takes the call.
      const pressed = press(citizen, district.location);
      const answers = await Promise.all(Array.from({ length: 9 }, (_, index) => again(`key-${index}`)));
      const own = await pressed;
      await told(panel, own, 'sos.active');
      const ids = new Set(answers.map((answer) => (answer.body as unknown as Activated).id));

      expect([...ids]).to.deep.equal([own]);
      expect(answers.filter((answer) => answer.status === 201).length).to.be.at.most(1);
      expect(await sessionsOf(citizen.id)).to.equal(1);
      const legs = await gateway.sql(`SELECT 1 FROM legs WHERE session_id = $1 AND kind = 'citizen-app'`, [
        own,
      ]);
      expect(legs).to.have.length(1);
    });
  });

  it('RTC-10 lets a backend activate for a citizen, and asks it whose SOS it is', async () => {
    const { token } = gateway.file.tokens.backend;
    const citizen = await gateway.citizen();
    const nobody = await activate(token, { location: district.location });
    const hers = await activate(token, {
      citizenId: citizen.id,
      deviceId: 'phone1',
      location: district.location,
    });

    expect(nobody.status).to.equal(400);
    expect(nobody.body).to.deep.include({ code: 'ERR_SOS_CITIZEN_REQUIRED' });
    expect(hers.status).to.equal(201);
    expect((await gateway.view((hers.body as unknown as Activated).id)).citizenId).to.equal(citizen.id);
  });
});
