import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { SESSION_ID } from '../../../support/fake-gateway.ts';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

describe('adapters/http activation', () => {
  let lab: HttpLab;
  let citizen: string;
  let backend: string;

  beforeEach(async () => {
    lab = await startHttpLab();
    citizen = await tokenFor('citizen', 'priya');
    backend = await tokenFor('backend', 'hamrahi-backend');
  });
  afterEach(() => lab.close());

  it('RTC-10 passes on what an identified citizen claims, with the time of arrival', async () => {
    const before = lab.clock.now();
    const body = {
      deviceId: 'phone1',
      location: { latitude: 28.6, longitude: 77.2 },
      clientTime: '2026-01-01T00:00:00Z',
    };
    const answer = await lab.call('POST', '/v1/sos', {
      token: citizen,
      body,
      headers: { 'Idempotency-Key': 'press-1' },
    });
    expect(answer.status).to.equal(201);
    const { request } = lab.gateway;
    expect(request.citizenId).to.equal('priya');
    expect(request).to.deep.include({ ...body, bodyMalformed: false, idempotencyKey: 'press-1' });
    expect(request.bodyHash).to.equal(createHash('sha256').update(JSON.stringify(body)).digest('hex'));
    expect(request.receivedAt).to.be.within(before, lab.clock.now());
  });

  it('answers 200 to a folded activation', async () => {
    if (lab.gateway.activated.ok)
      lab.gateway.activated = { ok: true, value: { ...lab.gateway.activated.value, folded: true } };
    expect((await lab.call('POST', '/v1/sos', { token: citizen, body: {} })).status).to.equal(200);
  });

  it('arms by the same rules', async () => {
    expect((await lab.call('POST', '/v1/sos/arm', { token: citizen, raw: '{broken' })).status).to.equal(201);
    expect(lab.gateway.calls.map(({ name }) => name)).to.deep.equal(['arm']);
    expect(lab.gateway.request.bodyMalformed).to.equal(true);
  });

  const served: readonly (readonly [string, string | Uint8Array | undefined, boolean])[] = [
    ['no body', undefined, false],
    ['an empty object', '{}', false],
    ['fields of wrong types', '{"deviceId":7,"location":"here","clientTime":[]}', false],
    ['broken JSON', '{"deviceId":"phone1"', true],
    ['an array', '[1,2]', true],
    ['null', 'null', true],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), true],
    ['a citizenId that is no text', '{"citizenId":42}', true],
    ['a body beyond the limit', JSON.stringify({ deviceId: 'x'.repeat(40_000) }), true],
  ];
  for (const [what, raw, malformed] of served) {
    it(`RTC-10 serves a citizen who sends ${what}${malformed ? ', flagged' : ''}`, async () => {
      const answer = await lab.call('POST', '/v1/sos', {
        token: citizen,
        ...(raw === undefined ? {} : { raw }),
        headers: { 'Content-Type': 'text/plain' },
      });
      expect(answer.status).to.equal(201);
      expect(lab.gateway.request.citizenId).to.equal('priya');
      expect(lab.gateway.request.bodyMalformed).to.equal(malformed);
    });
  }

  it('serves a citizen whose body stops half-way, within a second, as of her first byte', async () => {
    const socket = connect(lab.port, '127.0.0.1');
    await once(socket, 'connect');
    const sentAt = lab.clock.now();
    socket.write(
      `POST /v1/sos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${citizen}\r\nContent-Length: 100\r\n\r\n{"dev`,
    );
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(data.toString()).to.match(/^HTTP\/1.1 201 /);
    expect(lab.clock.now() - sentAt).to.be.within(900, 3000);
    expect(lab.gateway.request.bodyMalformed).to.equal(true);
    expect(lab.gateway.request.receivedAt - sentAt).to.be.below(900);
  });

  it('never refuses an activation for its rate', async () => {
    await lab.close();
    lab = await startHttpLab({ rateLimits: { citizenPerMin: 2, staffPerMin: 2, backendPerMin: 2 } });
    for (let press = 0; press < 10; press++)
      expect((await lab.call('POST', '/v1/sos', { token: citizen, body: {} })).status).to.equal(201);
    const path = `/v1/sos/${SESSION_ID}`;
    const answers = [];
    for (let read = 0; read < 3; read++) answers.push(await lab.call('GET', path, { token: citizen }));
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 429]);
    expect(answers[2]!.code).to.equal('ERR_HTTP_RATE_LIMITED');
    expect(Number(answers[2]!.headers.get('retry-after'))).to.be.within(1, 60);
    expect((await lab.call('POST', `${path}/activate`, { token: citizen })).status).to.equal(200);
    expect((await lab.call('POST', '/v1/sos', { token: citizen, body: {} })).status).to.equal(201);
  });

  it('limits warm-ups and the configuration as it does anything that is no SOS', async () => {
    await lab.close();
    lab = await startHttpLab({ rateLimits: { citizenPerMin: 2, staffPerMin: 2, backendPerMin: 2 } });
    const arm = () => lab.call('POST', '/v1/sos/arm', { token: citizen, body: {} });
    expect([await arm(), await arm(), await arm()].map(({ status }) => status)).to.deep.equal([
      201, 201, 429,
    ]);
    const config = await lab.call('GET', '/v1/client-config?deviceId=phone1', { token: citizen });
    expect([config.status, config.code]).to.deep.equal([429, 'ERR_HTTP_RATE_LIMITED']);
  });

  it('hashes an idempotency key that is absurdly long', async () => {
    await lab.call('POST', '/v1/sos', { token: citizen, headers: { 'Idempotency-Key': 'k'.repeat(2000) } });
    expect(lab.gateway.request.idempotencyKey).to.match(/^sha256:[0-9a-f]{64}$/);
  });

  describe('refuses only a failed identity', () => {
    const refused = async (token: string | undefined, body: unknown, status: number, code: string) => {
      const answer = await lab.call('POST', '/v1/sos', { ...(token === undefined ? {} : { token }), body });
      expect([answer.status, answer.code]).to.deep.equal([status, code]);
      expect(answer.headers.get('content-type')).to.equal('application/problem+json');
      expect(lab.gateway.calls).to.deep.equal([]);
      expect((await lab.metrics.exposition()).text).to.contain(
        `hamrahi_http_refused_total{code="${code}"} 1`,
      );
      return answer;
    };

    it('no token', async () => {
      const answer = await refused(undefined, {}, 401, 'ERR_AUTH_MISSING');
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer');
    });
    it('an expired token', async () => {
      await refused(await tokenFor('citizen', 'priya', -60), {}, 401, 'ERR_AUTH_EXPIRED');
    });
    it('a forged token', () => refused(`${citizen.slice(0, -6)}AAAAAA`, {}, 401, 'ERR_AUTH_INVALID'));
    it('a token of a role that may not', async () => {
      for (const role of ['operator', 'supervisor', 'admin'] as const) {
        const answer = await lab.call('POST', '/v1/sos', { token: await tokenFor(role, 'akram'), body: {} });
        expect([answer.status, answer.code]).to.deep.equal([403, 'ERR_AUTH_ROLE']);
      }
      expect(lab.gateway.calls).to.deep.equal([]);
    });
    it('a foreign citizen', () => refused(citizen, { citizenId: 'meera' }, 403, 'ERR_SOS_FOREIGN'));
    it('a backend that names nobody', () =>
      refused(backend, { deviceId: 'phone1' }, 400, 'ERR_SOS_CITIZEN_REQUIRED'));
    it('a backend that names what can be no citizen', () =>
      refused(backend, { citizenId: 'a b; rm' }, 400, 'ERR_SOS_CITIZEN_REQUIRED'));
  });

  it('refuses broken JSON and oversized bodies of a backend, whose citizen they hide', async () => {
    const broken = await lab.call('POST', '/v1/sos', { token: backend, raw: '{"citizenId":"pri' });
    expect([broken.status, broken.code]).to.deep.equal([400, 'ERR_HTTP_MALFORMED_JSON']);
    const large = await lab.call('POST', '/v1/sos', { token: backend, raw: `{"x":"${'y'.repeat(20_000)}"}` });
    expect([large.status, large.code]).to.deep.equal([413, 'ERR_HTTP_BODY_TOO_LARGE']);
    expect(lab.gateway.calls).to.deep.equal([]);
  });

  it('lets a backend activate for a citizen', async () => {
    const answer = await lab.call('POST', '/v1/sos', { token: backend, body: { citizenId: 'meera' } });
    expect(answer.status).to.equal(201);
    expect(lab.gateway.request.citizenId).to.equal('meera');
  });
});
