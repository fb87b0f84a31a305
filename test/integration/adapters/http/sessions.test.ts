import { expect } from 'chai';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import { SAMPLE_VIEW, SESSION_ID } from '../../../support/fake-gateway.ts';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

const PATH = `/v1/sos/${SESSION_ID}`;

describe('adapters/http sessions', () => {
  let lab: HttpLab;
  beforeEach(async () => {
    lab = await startHttpLab();
  });
  afterEach(() => lab.close());

  const permitted: readonly (readonly [string, string, readonly string[], unknown?])[] = [
    ['POST', `${PATH}/activate`, ['citizen', 'backend']],
    ['POST', `${PATH}/release`, ['citizen', 'backend']],
    ['POST', `${PATH}/resolve`, ['operator', 'supervisor', 'admin', 'backend'], { reason: 'over' }],
    ['POST', `${PATH}/redial`, ['operator', 'supervisor', 'admin']],
    ['POST', `${PATH}/transfer`, ['operator', 'supervisor', 'admin'], { to: 'next' }],
    ['POST', `${PATH}/join`, ['operator', 'supervisor']],
    ['POST', `${PATH}/listen`, ['supervisor']],
    ['DELETE', `${PATH}/listen`, ['supervisor']],
    ['GET', PATH, ['citizen', 'operator', 'supervisor', 'admin', 'backend']],
    ['GET', `${PATH}/timeline`, ['operator', 'supervisor', 'admin', 'backend']],
    ['GET', '/v1/sos', ['operator', 'supervisor', 'admin', 'backend']],
  ];
  for (const [method, path, roles, body] of permitted) {
    it(`permits ${method} ${path.replace(SESSION_ID, '{id}')} to ${roles.join(', ')} and nobody else`, async () => {
      for (const role of ['citizen', 'operator', 'supervisor', 'admin', 'backend'] as const) {
        const token = await tokenFor(role, 'somebody');
        const answer = await lab.call(method, path, { token, ...(body === undefined ? {} : { body }) });
        expect([answer.status, answer.code]).to.deep.equal(
          roles.includes(role) ? [200, undefined] : [403, 'ERR_AUTH_ROLE'],
        );
      }
      expect((await lab.call(method, path)).code).to.equal('ERR_AUTH_MISSING');
      expect(lab.gateway.calls).to.have.length(roles.length);
    });
  }

  it('RTC-9 passes the reason of a resolve on', async () => {
    const token = await tokenFor('operator', 'akram');
    await lab.call('POST', `${PATH}/resolve`, { token, body: { reason: 'safe' } });
    await lab.call('POST', `${PATH}/resolve`, { token });
    const caller = { role: 'operator', subject: 'akram' };
    const [first, second] = lab.gateway.argsOf('resolve');
    expect(first?.[0]).to.include(caller);
    expect(first?.slice(1)).to.deep.equal([SESSION_ID, 'safe']);
    expect(second?.slice(1)).to.deep.equal([SESSION_ID, null]);
  });

  it('TEL-10 passes on who is to take her over, and which panel is called', async () => {
    const token = await tokenFor('supervisor', 'boss');
    await lab.call('POST', `${PATH}/transfer`, { token, body: { to: 'next', reason: 'shift ends' } });
    await lab.call('POST', `${PATH}/transfer`, { token, body: { to: 'bina' } });
    await lab.call('POST', `${PATH}/join`, { token });
    await lab.call('POST', `${PATH}/listen`, { token, body: { deviceId: 'panel2' } });
    const told = (name: string) => lab.gateway.argsOf(name).map((args) => args.slice(1));
    expect(told('transfer')).to.deep.equal([
      [SESSION_ID, null, 'shift ends'],
      [SESSION_ID, 'bina', null],
    ]);
    expect(told('join')).to.deep.equal([[SESSION_ID, null]]);
    expect(told('listen')).to.deep.equal([[SESSION_ID, 'panel2']]);
    for (const body of [{}, { to: 'a-b' }, { to: '' }])
      expect((await lab.call('POST', `${PATH}/transfer`, { token, body })).code).to.equal(
        'ERR_HTTP_VALIDATION',
      );
  });

  it('pages through sessions', async () => {
    const token = await tokenFor('supervisor', 'boss');
    const page = await lab.call('GET', `/v1/sos?open=true&limit=1&before=${SESSION_ID}`, { token });
    expect(page.body).to.deep.equal({ sessions: [SAMPLE_VIEW], next: SESSION_ID });
    expect(lab.gateway.argsOf('list')[0]?.slice(1)).to.deep.equal([true, SESSION_ID, 1, false]);
    await lab.call('GET', '/v1/sos?synthetic=true', { token });
    expect(lab.gateway.argsOf('list').at(-1)?.at(-1), 'synthetic ones, too').to.equal(true);
    expect((await lab.call('GET', '/v1/sos', { token })).body).to.have.property('next', null);
    for (const query of ['limit=0', 'limit=9999', 'limit=x', 'open=perhaps', 'before=1'])
      expect((await lab.call('GET', `/v1/sos?${query}`, { token })).code).to.equal('ERR_HTTP_VALIDATION');
  });

  it('says which field of a request is wrong, without repeating it', async () => {
    const token = await tokenFor('operator', 'akram');
    const answer = await lab.call('POST', `${PATH}/resolve`, { token, body: { reason: 5_550_123 } });
    expect([answer.status, answer.code]).to.deep.equal([400, 'ERR_HTTP_VALIDATION']);
    expect(answer.body).to.have.nested.property('errors[0].path', 'reason');
    expect(answer.text).not.to.contain('5550123');
  });

  it('tells refusals of the use case by their code and status', async () => {
    const token = await tokenFor('operator', 'akram');
    const cases = [
      ['ERR_SOS_NOT_FOUND', 404],
      ['ERR_SOS_FOREIGN', 403],
      ['ERR_SOS_PHASE', 409],
      ['ERR_SOS_OPERATOR_UNAVAILABLE', 409],
      ['ERR_SOS_PANEL_ABSENT', 409],
      ['ERR_GATEWAY_BUSY', 503],
      ['ERR_GATEWAY_UNAVAILABLE', 503],
    ] as const;
    for (const [code, status] of cases) {
      lab.gateway.viewed = { ok: false, code, detail: 'because' };
      const answer = await lab.call('POST', `${PATH}/redial`, { token });
      expect([answer.status, answer.code]).to.deep.equal([status, code]);
      expect(answer.headers.get('retry-after')).to.equal(status === 503 ? '1' : null);
    }
  });

  it('tells a failure of the database by its code', async () => {
    lab.gateway.before = () => Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'db-host is down'));
    const answer = await lab.call('GET', PATH, { token: await tokenFor('operator', 'akram') });
    expect([answer.status, answer.code]).to.deep.equal([503, 'ERR_STORE_UNAVAILABLE']);
    expect(answer.text).not.to.contain('db-host');
  });

  it('answers a bug with 500 and nothing about it; the log has the rest', async () => {
    lab.gateway.before = () => Promise.reject(new TypeError('secret internals'));
    const answer = await lab.call('GET', PATH, { token: await tokenFor('operator', 'akram') });
    expect([answer.status, answer.code]).to.deep.equal([500, 'ERR_HTTP_INTERNAL']);
    expect(answer.text).not.to.contain('internals').and.not.to.contain('.ts');
    const line = lab.log.lines.find((one) => one.includes('secret internals'));
    expect(line).to.contain(answer.headers.get('x-request-id'));
  });

  it('answers by its deadline though the use case never does', async () => {
    await lab.close();
    lab = await startHttpLab({ timeouts: { handlerMs: 100 } });
    lab.gateway.before = () => new Promise(() => undefined);
    const answer = await lab.call('GET', PATH, { token: await tokenFor('operator', 'akram') });
    expect([answer.status, answer.code]).to.deep.equal([503, 'ERR_HTTP_DEADLINE']);
  });
});
