/**
 * Whatever comes in that should not: it gets a stable code, it is counted, nothing is lost, and a session beside it,
 * whose tone an operator hears all the time, notices nothing.
 */
import { expect } from 'chai';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { Activated } from '../../control-plane/src/contracts/sos-api.ts';
import { bodyOf, headerOf, RawClient, statusOf } from '../integration/adapters/edge/raw-client.ts';
import type { District } from './support/district.ts';
import { eventually } from './support/eventually.ts';
import { openFeed, type FeedRefusal, type FeedSocket } from './support/feed-socket.ts';
import { Gateway, type Citizen, type CitizenWishes } from './support/gateway.ts';
import type { Answer, RequestWishes } from './support/http.ts';
import { dripInto } from './support/raw-connection.ts';
import { speakSip, type SipSpeaker } from './support/sip-speaker.ts';
import { SteadySession } from './support/steady-session.ts';

type Flag = SessionView['flags'][number];
type Labels = Readonly<Record<string, string>>;

const STARTED_MS = 60_000;
const MEGABYTE = 1_048_576;
/** Longer than the deadlines of HTTP headers (5 s) and of an edge's handshake (5 s). */
const DRIPPED_MS = 9_000;

describe('e2e: bad input', function () {
  this.timeout(20_000);
  const gateway = new Gateway();
  const endpointsThatStay = new Set<string>();
  let steady: SteadySession;
  let district: District;

  before('starts a sandbox with a healthy session in it', async function () {
    this.timeout(STARTED_MS);
    await gateway.start({});
    steady = await SteadySession.begin(gateway);
    district = await gateway.district();
  });
  afterEach('finds the healthy session untouched, and nothing else', async function () {
    this.timeout(STARTED_MS);
    if (this.currentTest?.state === 'failed') gateway.keepLogs(this.currentTest.fullTitle());
    await steady.assertAlone(endpointsThatStay);
    await steady.assertUntouched();
  });
  after('stops the sandbox', async function () {
    this.timeout(STARTED_MS);
    await gateway.stop();
  });

  /** What `act` brings, once the metric has grown. */
  const counted = async <Result>(
    name: string,
    labels: Labels,
    act: () => Promise<Result>,
  ): Promise<Result> => {
    const earlier = await gateway.metric(name, labels);
    const result = await act();
    await eventually(`${name}${JSON.stringify(labels)} grows`, async () =>
      (await gateway.metric(name, labels)) > earlier ? true : null,
    );
    return result;
  };
  const refused = async (status: number, code: string, act: () => Promise<Answer>): Promise<void> => {
    const answer = await counted('hamrahi_http_refused_total', { code }, act);
    expect(answer.status).to.equal(status);
    expect(answer.body).to.deep.include({ code, status });
    expect(answer.headers.get('content-type')).to.match(/^application\/problem\+json/);
  };
  const activate = (token: string | null, wishes: RequestWishes): Promise<Answer> =>
    gateway.send(token, 'POST', '/v1/sos', wishes);
  const sessionsOf = (citizenId: string): Promise<object[]> =>
    gateway.sql('SELECT 1 FROM sessions WHERE citizen_id = $1', [citizenId]);

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
        await refused(status, code, () =>
          activate(shown, {
            body: { citizenId: citizen.id, deviceId: 'phone1', location: district.location },
          }),
        );
        expect(await sessionsOf(citizen.id)).to.deep.equal([]);
      });

    it('RTC-10 refuses each of them at the edge and at the feed too', async () => {
      const { id } = await gateway.citizen();
      for (const { token, status, code } of cases.slice(2)) {
        const shown = await token(id);
        const feed = await counted('hamrahi_http_refused_total', { code }, () =>
          openFeed(gateway, { token: shown }),
        );
        expect(feed, 'feed').to.deep.equal({ status, code });
        const edge = await counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_ADMISSION' }, () =>
          refusalAtEdge(shown, `citizen-${id}-phone1`),
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
          const subject = role === 'citizen' ? (await gateway.citizen()).id : district.operators[0]!.id;
          const token = await gateway.token(role, subject);
          const [status, code] = (outOfRole[role] as readonly string[]).includes(path)
            ? ([403, 'ERR_AUTH_ROLE'] as const)
            : ([404, 'ERR_SOS_NOT_FOUND'] as const);
          await refused(status, code, () =>
            gateway.send(token, method, `/v1/sos/${steady.id}${path}`, body === undefined ? {} : { body }),
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
        send: () => ({ body: { deviceId: 'stolen', location: district.location } }),
        flag: 'unknown-device',
        zone: null,
      },
      {
        name: 'an unverified phone',
        citizen: { phoneVerified: false },
        send: () => ({ body: { deviceId: 'phone1', location: district.location } }),
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
        send: () => ({ body: { deviceId: 'phone1', location: district.location, note: 'x'.repeat(20_000) } }),
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
        const answer = await counted('hamrahi_http_flagged_total', { flag }, () =>
          activate(citizen.token, send()),
        );

        expect(answer.status).to.equal(201);
        const { id, flags } = answer.body as unknown as Activated;
        expect(flags).to.include(flag);
        await served(id, citizen.id, zone ?? district.zoneId);
        const [record] = await gateway.sql<{ state: { flags: Flag[] } }>(
          'SELECT state FROM sessions WHERE id = $1',
          [id],
        );
        expect(record!.state.flags).to.deep.equal(flags);
      });

    it('RTC-10 serves an unknown citizen in a place of no zone by the catch-all', async () => {
      const token = await gateway.token('citizen', 'nobody_knows_her');
      const location = { latitude: -45, longitude: -170 };
      const answer = await counted('hamrahi_http_flagged_total', { flag: 'unknown-citizen' }, () =>
        activate(token, { body: { deviceId: 'phone1', location } }),
      );

      expect(answer.status).to.equal(201);
      const { id, flags } = answer.body as unknown as Activated;
      expect(flags).to.include.members(['unknown-citizen', 'unknown-zone']);
      await served(id, 'nobody_knows_her', 'rest');
    });

    it('RTC-10 folds a repeated activation into the open session and flags it', async () => {
      const citizen = await gateway.citizen();
      const body = { deviceId: 'phone1', location: district.location };
      const first = await activate(citizen.token, { body });
      const again = await counted('hamrahi_http_flagged_total', { flag: 'folded' }, () =>
        activate(citizen.token, { body }),
      );

      const { id } = first.body as unknown as Activated;
      expect([first.status, again.status]).to.deep.equal([201, 200]);
      expect(again.body).to.deep.include({ id, folded: true });
      expect(await sessionsOf(citizen.id)).to.have.length(1);
      await served(id, citizen.id, district.zoneId);
    });

    it('RTC-10 folds an old idempotency key with another body and flags it', async () => {
      const citizen = await gateway.citizen();
      const headers = { 'idempotency-key': 'one-press' };
      const first = await activate(citizen.token, {
        headers,
        body: { deviceId: 'phone1', location: district.location },
      });
      const again = await counted('hamrahi_http_flagged_total', { flag: 'idempotency-key-reused' }, () =>
        activate(citizen.token, { headers, body: { deviceId: 'phone1' } }),
      );

      const { id } = first.body as unknown as Activated;
      expect(again.status).to.equal(200);
      expect(again.body).to.deep.include({ id, folded: true });
      expect(await sessionsOf(citizen.id)).to.have.length(1);
      expect((await gateway.view(id)).location, 'where she was').to.deep.equal(district.location);
    });

    it('RTC-10 serves a citizen whose body drips in, without waiting for its end', async () => {
      const citizen = await gateway.citizen();
      const answered = await counted('hamrahi_http_flagged_total', { flag: 'body-malformed' }, () =>
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
      await refused(413, 'ERR_HTTP_BODY_TOO_LARGE', () =>
        activate(token, { body: { citizenId: 'a', note } }),
      );
      await refused(400, 'ERR_HTTP_MALFORMED_JSON', () => activate(token, { body: '{"citizenId": "a"' }));
      await refused(400, 'ERR_SOS_CITIZEN_REQUIRED', () => activate(token, { body: {} }));
      expect(await sessionsOf('a')).to.deep.equal([]);
    });

    const served = async (id: string, citizenId: string, zoneId: string): Promise<void> => {
      expect(await gateway.view(id)).to.deep.include({ citizenId, zoneId, phase: 'connecting' });
      const watchdog = `SELECT 1 FROM timers WHERE session_id = $1 AND timer = 'watchdog'`;
      expect(await gateway.sql(watchdog, [id]), 'its watchdog runs').to.have.length(1);
    };
  });

  describe('a SIP client that misbehaves', () => {
    let speaker: SipSpeaker;

    beforeEach('registers as itself', async () => {
      const citizen = await gateway.citizen();
      const aor = `citizen-${citizen.id}-phone1`;
      endpointsThatStay.add(aor);
      speaker = await speakSip(gateway, { token: citizen.token, aor });
      expect(await answerTo(speaker.request('REGISTER'))).to.deep.include({ status: 200 });
    });

    const answerTo = async (request: string): Promise<{ status: number; code: string }> => {
      speaker.client.send(request);
      const answer = await speaker.client.response();
      return { status: statusOf(answer), code: headerOf(answer, 'X-Hamrahi-Code') };
    };
    const refusedAtEdge = async (request: () => string, status: number, code: string): Promise<void> => {
      const answer = await counted('hamrahi_edge_refused_total', { code }, () => answerTo(request()));
      expect(answer).to.deep.equal({ status, code });
      expect(await answerTo(speaker.request('REGISTER')), 'it may go on').to.deep.include({ status: 200 });
    };
    const closedAtEdge = async (act: () => void, closeCode: number, code: string): Promise<void> => {
      const closed = await counted('hamrahi_edge_refused_total', { code }, () => {
        act();
        return speaker.client.end();
      });
      expect(closed.code).to.equal(closeCode);
    };

    for (const what of ['registers', 'takes back the registration'] as const)
      it(`RTC-10 refuses one that ${what} as someone else's address of record: 403`, () => {
        const other = `<sip:${steady.aor}@${gateway.file.sipDomain}>`;
        const changes = what === 'registers' ? {} : { contact: '*', headers: ['Expires: 0'] };
        return refusedAtEdge(
          () => speaker.request('REGISTER', { from: other, to: other, ...changes }),
          403,
          'ERR_EDGE_IDENTITY',
        );
      });

    for (const [method, status] of [
      ['INVITE', 403],
      ['MESSAGE', 405],
      ['REFER', 405],
      ['SUBSCRIBE', 405],
    ] as const)
      it(`RTC-10 refuses ${method} out of a dialog: ${status}`, () =>
        refusedAtEdge(
          () => speaker.request(method, { uri: `sip:${steady.aor}@${gateway.file.sipDomain}` }),
          status,
          'ERR_EDGE_METHOD',
        ));

    it('RTC-10 refuses BYE for a call that is not its own: 481', () =>
      refusedAtEdge(
        () => speaker.request('BYE', { uri: `sip:${steady.aor}@${gateway.file.sipDomain}` }),
        481,
        'ERR_EDGE_DIALOG',
      ));

    it('RTC-10 ends a flood with 4008', () =>
      closedAtEdge(
        () => {
          for (let count = 0; count < 120; count += 1) speaker.client.send(speaker.request('OPTIONS'));
        },
        4008,
        'ERR_EDGE_FLOOD',
      ));

    it('RTC-10 ends a frame of 1 MB with 1009', () =>
      closedAtEdge(() => speaker.client.send('x'.repeat(MEGABYTE)), 1009, 'ERR_EDGE_FRAME_SIZE'));

    it('RTC-10 ends garbage with 4002, and says each time what is wrong', async () => {
      await counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_SIP_SYNTAX' }, () =>
        closedAtEdge(
          () => {
            for (let count = 0; count < 20; count += 1) speaker.client.send(`{"noise":${count}}`);
          },
          4002,
          'ERR_EDGE_MALFORMED',
        ),
      );
    });

    it('RTC-10 counts a binary frame that is no UTF-8, and lets it go on', async () => {
      await counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_FRAME' }, async () => {
        speaker.client.socket.send(Buffer.from([0xff, 0xfe, 0x00]));
        expect(await answerTo(speaker.request('REGISTER'))).to.deep.include({ status: 200 });
      });
    });
  });

  describe('a panel feed that misbehaves', () => {
    let feed: FeedSocket;

    beforeEach('opens a feed of another zone', async () => {
      const token = await gateway.token('operator', district.operators[0]!.id);
      feed = opened(await openFeed(gateway, { token }));
    });

    it('RTC-10 answers garbage with ERR_FEED_MALFORMED and stays open', async () => {
      await counted('hamrahi_feed_errors_total', { code: 'ERR_FEED_MALFORMED' }, async () => {
        feed.socket.send('{"type":');
        feed.socket.send(Buffer.from([0, 1, 2]));
        feed.socket.send('{"type":"shift.begin","as":"somebody else"}');
        await eventually('three answers', () => (errorsOf(feed).length === 3 ? true : null));
      });
      expect(new Set(errorsOf(feed))).to.deep.equal(new Set(['ERR_FEED_MALFORMED']));
      expect(feed.socket.readyState).to.equal(feed.socket.OPEN);
    });

    it("RTC-10 refuses what it says of somebody else's session", async () => {
      const { legs } = steady.citizen;
      await counted('hamrahi_feed_errors_total', {}, async () => {
        const about = { sessionId: steady.id };
        feed.socket.send(JSON.stringify({ type: 'alert.acknowledge', ...about, kind: 'no-operator' }));
        feed.socket.send(
          JSON.stringify({ type: 'audio.report', ...about, legId: legs[0]!.legId, packets: 9 }),
        );
        await eventually('two answers', () => (errorsOf(feed).length === 2 ? true : null));
      });
      expect(feed.messages.some((message) => JSON.stringify(message).includes(steady.citizen.id))).to.equal(
        false,
      );
    });

    it('RTC-10 ends a flood with 1008', async () => {
      const end = await counted('hamrahi_feed_closed_total', { reason: 'ERR_FEED_FLOOD' }, () => {
        for (let count = 0; count < 120; count += 1) feed.socket.send('{}');
        return feed.end();
      });
      expect(end).to.deep.equal({ code: 1008, reason: 'ERR_FEED_FLOOD' });
    });

    it('RTC-10 ends a frame of 1 MB with 1009', async () => {
      const end = await counted('hamrahi_feed_closed_total', { reason: 'ERR_FEED_TOO_LARGE' }, () => {
        feed.socket.send('x'.repeat(MEGABYTE));
        return feed.end();
      });
      expect(end.code).to.equal(1009);
    });
  });

  describe('a ticket', () => {
    it('RTC-10 is refused at the feed when it is used or expired', async () => {
      const token = await gateway.token('operator', district.operators[0]!.id);
      const [used, expired] = [await ticket(token, 'feed'), await ticket(token, 'feed')];
      opened(await openFeed(gateway, { ticket: used }));
      await expire();
      for (const shown of [used, expired]) {
        const refusal = await counted('hamrahi_http_refused_total', { code: 'ERR_AUTH_TICKET' }, () =>
          openFeed(gateway, { ticket: shown }),
        );
        expect(refusal).to.deep.equal({ status: 401, code: 'ERR_AUTH_TICKET' });
      }
    });

    it('RTC-10 is refused at the edge when it is used, expired or meant for the feed', async () => {
      const citizen = await gateway.citizen();
      const aor = `citizen-${citizen.id}-phone1`;
      endpointsThatStay.add(aor);
      const other = await ticket(await gateway.token('operator', district.operators[0]!.id), 'feed');
      const [used, expired] = [await ticket(citizen.token, 'sip'), await ticket(citizen.token, 'sip')];
      const first = await RawClient.connect({
        url: `${gateway.file.urls.sip}?ticket=${used}`,
        aor,
        headers: {},
      });
      first.terminate();
      expect(await refusalAtEdge(other, aor, 'ticket'), 'meant for the feed').to.deep.include({
        status: 401,
      });
      await expire();
      for (const shown of [used, expired]) {
        const refusal = await counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_ADMISSION' }, () =>
          refusalAtEdge(shown, aor, 'ticket'),
        );
        expect(refusal).to.deep.equal({ status: 401, code: 'ERR_AUTH_TICKET' });
      }
    });

    const ticket = async (token: string, purpose: 'sip' | 'feed'): Promise<string> => {
      const { body } = await gateway.send(token, 'POST', '/v1/tickets', {
        body: { purpose, deviceId: 'phone1' },
      });
      return String(body!['ticket']);
    };
    const expire = (): Promise<object[]> =>
      gateway.sql(`UPDATE tickets SET expires_at = now() - interval '1 s'`);
  });

  it('RTC-10 refuses a call from the trunk that nobody expects: 480', async () => {
    const name = 'hamrahi_core_unexpected_calls_total';
    const placed = await counted(name, { source: 'trunk' }, () =>
      gateway.carrier.placeCall({ to: '+911204567890', from: '+919811111100' }),
    );
    expect(placed.finalStatus).to.equal(480);
  });

  it('ends slow senders at the API and at the edge after 5 s', async () => {
    const { api, sip } = gateway.file.urls;
    const slowly = 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ';
    const [http, edge] = await Promise.all([
      counted('hamrahi_http_refused_total', { code: 'ERR_HTTP_TIMEOUT' }, () =>
        dripInto(api, slowly, 500, DRIPPED_MS),
      ),
      counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_HANDSHAKE' }, () =>
        dripInto(sip, slowly, 500, DRIPPED_MS),
      ),
    ]);
    expect(http.text).to.match(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(bodyOf(http.text))).to.deep.include({ code: 'ERR_HTTP_TIMEOUT' });
    for (const { afterMs } of [http, edge]) expect(afterMs).to.be.within(4_500, 7_000);
  });

  it('answers a path and a method that it does not have', async () => {
    const { token } = gateway.file.tokens.admin;
    await refused(404, 'ERR_HTTP_NOT_FOUND', () => gateway.send(token, 'GET', '/v1/nothing'));
    await refused(405, 'ERR_HTTP_METHOD', () => gateway.send(token, 'DELETE', `/v1/sos/${steady.id}`));
  });

  async function refusalAtEdge(
    credential: string,
    aor: string,
    kind: 'bearer' | 'ticket' = 'bearer',
  ): Promise<{ status: unknown; code: unknown }> {
    const { sip } = gateway.file.urls;
    const options =
      kind === 'ticket'
        ? { url: `${sip}?ticket=${credential}`, headers: {} }
        : { url: sip, headers: { authorization: `Bearer ${credential}`, 'x-hamrahi-device': 'phone1' } };
    try {
      (await RawClient.connect({ ...options, aor })).terminate();
    } catch (error) {
      const { status, problem } = error as { status: unknown; problem: { code: unknown } };
      return { status, code: problem.code };
    }
    throw new Error('the edge let it in');
  }
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

function opened(feed: FeedSocket | FeedRefusal): FeedSocket {
  if (!('socket' in feed)) throw new Error(`the feed was refused: ${JSON.stringify(feed)}`);
  return feed;
}

function errorsOf({ messages }: FeedSocket): readonly (string | undefined)[] {
  return messages.flatMap((message) => (message.type === 'error' ? [message.code] : []));
}
