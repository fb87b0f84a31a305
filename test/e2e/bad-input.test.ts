/**
 * What comes in at the API and should not: it gets a stable code, it is counted, nothing is lost, and a session beside
 * it, whose tone an operator hears all the time, notices nothing.
 */
import { expect } from 'chai';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { Activated } from '../../control-plane/src/contracts/sos-api.ts';
import { bodyOf } from '../integration/adapters/edge/raw-client.ts';
import { useBadInputLab } from './support/bad-input-lab.ts';
import { openFeed } from './support/feed-socket.ts';
import type { Citizen, CitizenWishes } from './support/gateway.ts';
import type { RequestWishes } from './support/http.ts';
import { dripInto } from './support/raw-connection.ts';

type Flag = SessionView['flags'][number];

const DRIPPED_MS = 4_000;

describe('e2e: bad input at the API', function () {
  this.timeout(20_000);
  const lab = useBadInputLab();
  const { gateway } = lab;

  describe('an identity that fails', () => {
    const cases: readonly {
      readonly name: string;
      readonly token: (id: string) => Promise<string>;
      readonly status: number;
      readonly code: string;
    }[] = [
      {
        name: 'a foreign citizen',
        token: () => gateway.token('citizen', 'somebody_else'),
        status: 403,
        code: 'ERR_SOS_FOREIGN',
      },
      {
        name: 'a token of the wrong role',
        token: (id) => gateway.token('operator', id),
        status: 403,
        code: 'ERR_AUTH_ROLE',
      },
      {
        name: 'an expired token',
        token: (id) => gateway.token('citizen', id, { ttlS: -120 }),
        status: 401,
        code: 'ERR_AUTH_EXPIRED',
      },
      {
        name: 'a forged token',
        token: (id) => gateway.token('citizen', id, { secret: 'f'.repeat(43) }),
        status: 401,
        code: 'ERR_AUTH_INVALID',
      },
      {
        name: 'a token with its signature cut off and the algorithm "none"',
        token: async (id) => unsigned(await gateway.token('citizen', id), ''),
        status: 401,
        code: 'ERR_AUTH_INVALID',
      },
      {
        name: 'a token with the algorithm "none" and a signature',
        token: async (id) => unsigned(await gateway.token('citizen', id), 'c2lnbmF0dXJl'),
        status: 401,
        code: 'ERR_AUTH_INVALID',
      },
    ];

    for (const { name, token, status, code } of cases)
      it(`RTC-10 refuses an SOS by ${name}: ${status} ${code}`, async () => {
        const citizen = await gateway.citizen();
        const shown = await token(citizen.id);
        await lab.refused(status, code, () =>
          lab.activate(shown, {
            body: { citizenId: citizen.id, deviceId: 'phone1', location: lab.district.location },
          }),
        );
        expect(await lab.sessionsOf(citizen.id)).to.deep.equal([]);
      });

    it('RTC-10 refuses each of them at the edge and at the feed too', async () => {
      const { id } = await gateway.citizen();
      for (const { token, status, code } of cases.slice(2)) {
        const shown = await token(id);
        const feed = await lab.counted('hamrahi_http_refused_total', { code }, () =>
          openFeed(gateway, { token: shown }),
        );
        expect(feed, 'feed').to.deep.equal({ status, code });
        const edge = await lab.counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_ADMISSION' }, () =>
          lab.refusalAtEdge(shown, `citizen-${id}-phone1`),
        );
        expect(edge, 'edge').to.deep.equal({ status, code });
      }
    });
  });

  describe("somebody else's session", () => {
    const attempts = [
      ['GET', '', undefined],
      ['GET', '/timeline', undefined],
      ['POST', '/resolve', {}],
      ['POST', '/redial', {}],
      ['POST', '/release', {}],
      ['POST', '/activate', {}],
    ] as const;
    /** Operations that a role may not use at all are refused before anything is looked for. */
    const outOfRole = {
      citizen: ['/timeline', '/resolve', '/redial'],
      operator: ['/release', '/activate'],
    } as const;

    for (const role of ['citizen', 'operator'] as const)
      for (const [method, path, body] of attempts)
        it(`refuses ${method} …${path} to ${role === 'citizen' ? 'another citizen' : "another zone's operator"}`, async () => {
          const subject = role === 'citizen' ? (await gateway.citizen()).id : lab.district.operators[0]!.id;
          const token = await gateway.token(role, subject);
          const [status, code] = (outOfRole[role] as readonly string[]).includes(path)
            ? ([403, 'ERR_AUTH_ROLE'] as const)
            : ([404, 'ERR_SOS_NOT_FOUND'] as const);
          await lab.refused(status, code, () =>
            gateway.send(
              token,
              method,
              `/v1/sos/${lab.steady.id}${path}`,
              body === undefined ? {} : { body },
            ),
          );
        });
  });

  describe('an activation that is not as it should be, by somebody who is', () => {
    const cases: readonly {
      readonly name: string;
      readonly citizen?: CitizenWishes;
      readonly send: () => RequestWishes;
      readonly flag: Flag;
      /** `null`: that of the district where she is. */
      readonly zone: string | null;
    }[] = [
      {
        name: 'an unknown device',
        send: () => ({ body: { deviceId: 'stolen', location: lab.district.location } }),
        flag: 'unknown-device',
        zone: null,
      },
      {
        name: 'an unverified phone',
        citizen: { phoneVerified: false },
        send: () => ({ body: { deviceId: 'phone1', location: lab.district.location } }),
        flag: 'phone-unverified',
        zone: null,
      },
      {
        name: 'missing coordinates',
        send: () => ({ body: { deviceId: 'phone1' } }),
        flag: 'location-missing',
        zone: 'central',
      },
      {
        name: 'absurd coordinates',
        send: () => ({ body: { deviceId: 'phone1', location: { latitude: 91, longitude: '77' } } }),
        flag: 'location-absurd',
        zone: 'central',
      },
      {
        name: 'a place of no zone',
        send: () => ({ body: { deviceId: 'phone1', location: { latitude: -45, longitude: -170 } } }),
        flag: 'unknown-zone',
        zone: 'central',
      },
      {
        name: 'a body that is too large',
        send: () => ({
          body: { deviceId: 'phone1', location: lab.district.location, note: 'x'.repeat(20_000) },
        }),
        flag: 'body-malformed',
        zone: 'central',
      },
      {
        name: 'a body that is no JSON',
        send: () => ({ body: '{"deviceId": "phone1", "location": {' }),
        flag: 'body-malformed',
        zone: 'central',
      },
      {
        name: 'a body that is no UTF-8',
        send: () => ({ body: Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d) }),
        flag: 'body-malformed',
        zone: 'central',
      },
    ];

    for (const { name, citizen: wishes, send, flag, zone } of cases)
      it(`RTC-10 records, flags and serves an SOS with ${name}`, async () => {
        const citizen = await gateway.citizen(wishes);
        const answer = await lab.counted('hamrahi_http_flagged_total', { flag }, () =>
          lab.activate(citizen.token, send()),
        );

        expect(answer.status).to.equal(201);
        const { id, flags } = answer.body as unknown as Activated;
        expect(flags).to.include(flag);
        await served(id, citizen.id, zone ?? lab.district.zoneId);
        const [record] = await gateway.sql<{ state: { flags: Flag[] } }>(
          'SELECT state FROM sessions WHERE id = $1',
          [id],
        );
        expect(record!.state.flags).to.deep.equal(flags);
      });

    it('RTC-10 serves an unknown citizen in a place of no zone by the catch-all', async () => {
      const token = await gateway.token('citizen', 'nobody_knows_her');
      const location = { latitude: -45, longitude: -170 };
      const answer = await lab.counted('hamrahi_http_flagged_total', { flag: 'unknown-citizen' }, () =>
        lab.activate(token, { body: { deviceId: 'phone1', location } }),
      );

      expect(answer.status).to.equal(201);
      const { id, flags } = answer.body as unknown as Activated;
      expect(flags).to.include.members(['unknown-citizen', 'unknown-zone']);
      await served(id, 'nobody_knows_her', 'rest');
    });

    it('RTC-10 folds a repeated activation into the open session and flags it', async () => {
      const citizen = await gateway.citizen();
      const body = { deviceId: 'phone1', location: lab.district.location };
      const first = await lab.activate(citizen.token, { body });
      const again = await lab.counted('hamrahi_http_flagged_total', { flag: 'folded' }, () =>
        lab.activate(citizen.token, { body }),
      );

      const { id } = first.body as unknown as Activated;
      expect([first.status, again.status]).to.deep.equal([201, 200]);
      expect(again.body).to.deep.include({ id, folded: true });
      expect(await lab.sessionsOf(citizen.id)).to.have.length(1);
      await served(id, citizen.id, lab.district.zoneId);
    });

    it('RTC-10 folds an old idempotency key with another body and flags it', async () => {
      const citizen = await gateway.citizen();
      const headers = { 'idempotency-key': 'one-press' };
      const first = await lab.activate(citizen.token, {
        headers,
        body: { deviceId: 'phone1', location: lab.district.location },
      });
      const again = await lab.counted('hamrahi_http_flagged_total', { flag: 'idempotency-key-reused' }, () =>
        lab.activate(citizen.token, { headers, body: { deviceId: 'phone1' } }),
      );

      const { id } = first.body as unknown as Activated;
      expect(again.status).to.equal(200);
      expect(again.body).to.deep.include({ id, folded: true });
      expect(await lab.sessionsOf(citizen.id)).to.have.length(1);
      expect((await gateway.view(id)).location, 'where she was').to.deep.equal(lab.district.location);
    });

    it('RTC-10 serves a citizen whose body drips in, without waiting for its end', async () => {
      const citizen = await gateway.citizen();
      const answered = await lab.counted('hamrahi_http_flagged_total', { flag: 'body-malformed' }, () =>
        dripInto(gateway.file.urls.api, dripping(citizen, 4_000), 100, DRIPPED_MS),
      );

      expect(answered.text).to.match(/^HTTP\/1\.1 201 /);
      const { id, flags } = JSON.parse(bodyOf(answered.text)) as Activated;
      expect(flags).to.include('body-malformed');
      await served(id, citizen.id, 'central');
    });

    it("RTC-10 refuses a backend's body that is too large, no JSON, or about nobody", async () => {
      const { token } = gateway.file.tokens.backend;
      const note = 'x'.repeat(20_000);
      await lab.refused(413, 'ERR_HTTP_BODY_TOO_LARGE', () =>
        lab.activate(token, { body: { citizenId: 'a', note } }),
      );
      await lab.refused(400, 'ERR_HTTP_MALFORMED_JSON', () =>
        lab.activate(token, { body: '{"citizenId": "a"' }),
      );
      await lab.refused(400, 'ERR_SOS_CITIZEN_REQUIRED', () => lab.activate(token, { body: {} }));
      expect(await lab.sessionsOf('a')).to.deep.equal([]);
    });

    const served = async (id: string, citizenId: string, zoneId: string): Promise<void> => {
      expect(await gateway.view(id)).to.deep.include({ citizenId, zoneId, phase: 'connecting' });
      const watchdog = `SELECT 1 FROM timers WHERE session_id = $1 AND timer = 'watchdog'`;
      expect(await gateway.sql(watchdog, [id]), 'its watchdog runs').to.have.length(1);
    };
  });

  it('answers a path and a method that it does not have', async () => {
    const { token } = gateway.file.tokens.admin;
    await lab.refused(404, 'ERR_HTTP_NOT_FOUND', () => gateway.send(token, 'GET', '/v1/nothing'));
    await lab.refused(405, 'ERR_HTTP_METHOD', () =>
      gateway.send(token, 'DELETE', `/v1/sos/${lab.steady.id}`),
    );
  });
});

/** The same claims under the algorithm "none" (RFC 7519 §6). */
function unsigned(token: string, signature: string): string {
  const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  return `${header}.${token.split('.')[1] ?? ''}.${signature}`;
}

/** An activation's head, and the beginning of a body whose end never comes. */
function dripping({ token }: Citizen, contentLength: number): string {
  return [
    'POST /v1/sos HTTP/1.1',
    'Host: sandbox',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${contentLength}`,
    'Connection: close',
    '',
    '{"deviceId":"phone1","note":"',
  ].join('\r\n');
}
