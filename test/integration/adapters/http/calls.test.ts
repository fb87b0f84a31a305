import { expect } from 'chai';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import { CALL_ID, SAMPLE_CALL } from '../../../support/fake-calls.ts';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

const PATH = `/v1/calls/${CALL_ID}`;
const KEY = { 'Idempotency-Key': 'a-key' };
const TO = '+919810012300';

describe('adapters/http calls', () => {
  let lab: HttpLab;
  let token: string;
  beforeEach(async () => {
    lab = await startHttpLab();
    token = await tokenFor('backend', 'dispatch');
  });
  afterEach(() => lab.close());

  const permitted: readonly (readonly [string, string, unknown?])[] = [
    ['POST', '/v1/calls', { to: TO }],
    ['GET', '/v1/calls'],
    ['GET', PATH],
    ['DELETE', PATH],
    ['POST', `${PATH}/hold`],
    ['POST', `${PATH}/unhold`],
    ['POST', `${PATH}/transfer`, { to: TO }],
    ['GET', '/v1/call-records'],
  ];
  for (const [method, path, body] of permitted) {
    it(`permits ${method} ${path.replace(CALL_ID, '{id}')} to backend and admin and nobody else`, async () => {
      for (const role of ['citizen', 'operator', 'supervisor', 'admin', 'backend'] as const) {
        const answer = await lab.call(method, path, {
          token: await tokenFor(role, 'somebody'),
          headers: KEY,
          ...(body === undefined ? {} : { body }),
        });
        const may = role === 'admin' || role === 'backend';
        expect(answer.status).to.equal(may ? (method === 'POST' && path === '/v1/calls' ? 201 : 200) : 403);
      }
      expect((await lab.call(method, path)).code).to.equal('ERR_AUTH_MISSING');
      expect(lab.calls.asked).to.have.length(2);
    });
  }

  const create = (body: unknown, headers: Record<string, string> = KEY) =>
    lab.call('POST', '/v1/calls', { token, body, headers });

  it('TEL-4 takes a call with its defaults, and answers with the call', async () => {
    const answer = await create({ to: TO });
    expect(answer.status).to.equal(201);
    expect(answer.body).to.deep.equal(SAMPLE_CALL);
    expect(lab.calls.request).to.deep.include({
      to: TO,
      bridgeTo: [],
      bridgeWhen: 'answered',
      ringTimeoutS: 30,
      maxDurationS: 14_400,
      callerId: null,
      purpose: 'call',
      metadata: {},
      idempotencyKey: 'a-key',
    });
    lab.calls.created = { ok: true, value: { call: SAMPLE_CALL, isNew: false } };
    expect((await create({ to: TO })).status, 'a repetition').to.equal(200);
  });

  it('takes one number or up to five to be joined with', async () => {
    await create({ to: TO, bridgeTo: '+917000012400' });
    expect(lab.calls.request.bridgeTo).to.deep.equal(['+917000012400']);
    const five = Array.from({ length: 5 }, (_, index) => `+91700001240${index}`);
    await create({ to: TO, bridgeTo: five });
    expect(lab.calls.request.bridgeTo).to.deep.equal(five);
    expect((await create({ to: TO, bridgeTo: [...five, TO] })).code).to.equal('ERR_HTTP_VALIDATION');
    expect((await create({ to: TO, bridgeTo: [] })).code).to.equal('ERR_HTTP_VALIDATION');
  });

  it('tells bodies apart by a hash that is no number’s: keyed, whatever the order of fields', async () => {
    const hashOf = async (body: unknown, key = 'k') => {
      await create(body, { 'Idempotency-Key': key });
      return lab.calls.request.bodyHash;
    };
    const first = await hashOf({ to: TO, purpose: 'test', metadata: { a: '1', b: '2' } });
    expect(await hashOf({ metadata: { b: '2', a: '1' }, purpose: 'test', to: TO })).to.equal(first);
    expect(await hashOf({ to: TO, purpose: 'test' })).to.not.equal(first);
    expect(await hashOf({ to: TO, purpose: 'test', metadata: { a: '1', b: '2' } }, 'k2')).to.not.equal(first);
    expect(first).to.match(/^[0-9a-f]{64}$/);
  });

  it('asks for an Idempotency-Key', async () => {
    expect((await create({ to: TO }, {})).code).to.equal('ERR_CALL_KEY_REQUIRED');
    const long = 'x'.repeat(256);
    expect((await create({ to: TO }, { 'Idempotency-Key': long })).code).to.equal('ERR_CALL_KEY_REQUIRED');
    expect(lab.calls.asked).to.deep.equal([]);
  });

  it('refuses what does not fit, field by field, and never repeats a number', async () => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['to', {}],
      ['to', { to: 919810012300 }],
      ['ringTimeoutS', { to: TO, ringTimeoutS: 4 }],
      ['ringTimeoutS', { to: TO, ringTimeoutS: 121 }],
      ['ringTimeoutS', { to: TO, ringTimeoutS: 30.5 }],
      ['maxDurationS', { to: TO, maxDurationS: 14_401 }],
      ['maxDurationS', { to: TO, maxDurationS: 9 }],
      ['bridgeWhen', { to: TO, bridgeWhen: 'later' }],
      ['purpose', { to: TO, purpose: 'With spaces' }],
      ['metadata', { to: TO, metadata: { a: 'x'.repeat(1000), b: 'y'.repeat(1000), c: 'z'.repeat(100) } }],
      ['metadata.a', { to: TO, metadata: { a: { nested: 'x' } } }],
      ['metadata.a', { to: TO, metadata: { a: 1 } }],
      ['metadata.a b', { to: TO, metadata: { 'a b': 'x' } }],
      ['', { to: TO, from: TO }],
    ];
    for (const [path, body] of wrong) {
      const answer = await create(body);
      expect(answer.code, JSON.stringify(body)).to.equal('ERR_HTTP_VALIDATION');
      const { errors } = answer.body as { errors: { path: string }[] };
      expect(errors.map((one) => one.path)).to.deep.equal([path]);
      expect(answer.text).to.not.include('9810012300');
    }
    expect((await create({ to: TO, metadata: { a: 'x'.repeat(9000) } })).code).to.equal(
      'ERR_HTTP_BODY_TOO_LARGE',
    );
    expect(lab.calls.asked).to.deep.equal([]);
  });

  it('passes each refusal on with its status, its fields and its time', async () => {
    const refusals = [
      ['ERR_CALL_NUMBER_REFUSED', 422],
      ['ERR_CALL_CALLER_ID', 422],
      ['ERR_CALL_KEY_REUSED', 409],
      ['ERR_CALL_TOO_MANY', 429],
      ['ERR_CALL_UNAVAILABLE', 503],
      ['ERR_HTTP_RATE_LIMITED', 429],
    ] as const;
    for (const [code, status] of refusals) {
      const errors = [{ path: 'to', message: 'an emergency number, which is never called' }];
      lab.calls.created = { ok: false, code, detail: 'no', errors, retryAfterS: 2 };
      const answer = await create({ to: TO });
      expect([answer.status, answer.code]).to.deep.equal([status, code]);
      expect(answer.body).to.deep.include({ errors });
      expect(answer.headers.get('retry-after')).to.equal('2');
    }
    lab.calls.create = () => Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'away'));
    const away = await create({ to: TO });
    expect([away.status, away.code]).to.deep.equal([503, 'ERR_STORE_UNAVAILABLE']);
    lab.calls.viewed = { ok: false, code: 'ERR_CALL_NOT_FOUND', detail: 'no' };
    expect((await lab.call('GET', PATH, { token })).status).to.equal(404);
    lab.calls.viewed = { ok: false, code: 'ERR_CALL_STATE', detail: 'no' };
    expect((await lab.call('POST', `${PATH}/hold`, { token })).status).to.equal(409);
  });

  it('passes on what a list asks for', async () => {
    const query =
      'state=queued,ringing&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z&metadataKey=case&metadataValue=4711&limit=1';
    const answer = await lab.call('GET', `/v1/calls?${query}`, { token });
    expect(answer.body).to.deep.equal({ calls: [SAMPLE_CALL], next: CALL_ID });
    expect(lab.calls.argsOf('list')[0]?.[1]).to.deep.equal({
      states: ['queued', 'ringing'],
      since: Date.UTC(2026, 0, 1),
      until: Date.UTC(2026, 1, 1),
      metadata: { key: 'case', value: '4711' },
      before: null,
      limit: 1,
    });
    for (const wrong of [
      'state=open',
      'limit=201',
      'limit=0',
      'metadataKey=a',
      'metadataValue=a',
      'since=now',
    ])
      expect((await lab.call('GET', `/v1/calls?${wrong}`, { token })).code, wrong).to.equal(
        'ERR_HTTP_VALIDATION',
      );
    await lab.call('GET', '/v1/calls', { token });
    expect(lab.calls.argsOf('list')[1]?.[1]).to.deep.include({ states: [], limit: 50, metadata: null });
  });

  it('TEL-11 passes on which records are asked for', async () => {
    const legId = `${CALL_ID}.call-to.1`;
    const query = `owner=${CALL_ID}&trunk=tata&outcome=busy&before=${legId}&limit=500`;
    const answer = await lab.call('GET', `/v1/call-records?${query}`, { token });
    expect(answer.body).to.deep.equal({ records: [], next: null });
    expect(lab.calls.argsOf('records')[0]?.[0]).to.deep.equal({
      since: null,
      until: null,
      trunk: 'tata',
      outcome: 'busy',
      owner: CALL_ID,
      before: legId,
      limit: 500,
    });
    for (const wrong of ['limit=501', 'outcome=odd', 'owner=me', 'before=x', 'trunk=A%20B'])
      expect((await lab.call('GET', `/v1/call-records?${wrong}`, { token })).code, wrong).to.equal(
        'ERR_HTTP_VALIDATION',
      );
  });

  it('FB-2 takes any telephone for a citizen and a duty phone, and refuses what can be none', async () => {
    const put = (path: string, body: unknown) => lab.call('PUT', path, { token, body });
    const citizen = (phone: string) => put('/v1/citizens/priya', { phone, phoneVerified: true });
    const operator = (dutyPhone: string) => put('/v1/operators/akram', { name: 'Akram', dutyPhone });
    for (const phone of ['+919810012300', '+97798123456', '+915555555555']) {
      expect((await citizen(phone)).status, phone).to.equal(200);
      expect((await operator(phone)).status, phone).to.equal(200);
    }
    for (const phone of ['+911861123456789', '+911800111109', '+9111100']) {
      for (const answer of [await citizen(phone), await operator(phone)]) {
        expect(answer.code, phone).to.equal('ERR_HTTP_VALIDATION');
        expect(answer.text).to.not.include(phone);
      }
    }
  });
});
