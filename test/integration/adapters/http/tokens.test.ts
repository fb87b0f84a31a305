import { expect } from 'chai';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

describe('adapters/http tokens', () => {
  let lab: HttpLab;
  beforeEach(async () => {
    lab = await startHttpLab();
  });
  afterEach(() => lab.close());

  type Role = Parameters<typeof tokenFor>[0];
  const revoke = async (role: Role, body: unknown): Promise<unknown> => {
    const token = await tokenFor(role, 'somebody');
    const answer = await lab.call('POST', '/v1/tokens/revoke', { token, body });
    return answer.code ?? answer.status;
  };
  const claimsOf = (token: string): { readonly jti: string } =>
    JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string };

  it('RTC-10 shuts a token out by its id: 401 from then on, its tickets too, and no other token', async () => {
    const [stolen, own] = [await tokenFor('operator', 'akram'), await tokenFor('operator', 'akram')];
    const list = (token: string) => lab.call('GET', '/v1/sos', { token });
    expect((await list(stolen)).status).to.equal(200);
    expect(await revoke('supervisor', { jti: claimsOf(stolen).jti })).to.equal(200);
    const refused = await list(stolen);
    expect([refused.status, refused.code]).to.deep.equal([401, 'ERR_AUTH_REVOKED']);
    expect((await list(own)).status).to.equal(200);
  });

  it('RTC-10 shuts somebody out by name, in one role, until a newer token is issued', async () => {
    const operator = await tokenFor('operator', 'akram');
    const citizen = await tokenFor('citizen', 'akram');
    expect(await revoke('admin', { role: 'operator', subject: 'akram' })).to.equal(200);
    expect((await lab.call('GET', '/v1/sos', { token: operator })).code).to.equal('ERR_AUTH_REVOKED');
    const path = '/v1/client-config?deviceId=phone1';
    expect((await lab.call('GET', path, { token: citizen })).status).to.equal(200);
  });

  it('lets supervisors and admins do so; a supervisor nobody but operators by name', async () => {
    const subject = 'somebody_else';
    for (const role of ['citizen', 'operator', 'backend'] as const)
      expect(await revoke(role, { role: 'operator', subject })).to.equal('ERR_AUTH_ROLE');
    for (const role of ['backend', 'admin', 'supervisor', 'citizen'] as const) {
      expect(await revoke('supervisor', { role, subject })).to.equal('ERR_AUTH_ROLE');
      expect(await revoke('admin', { role, subject })).to.equal(200);
    }
    expect(await revoke('supervisor', { role: 'operator', subject })).to.equal(200);
  });

  it('keeps it for 30 days or as long as it is told, 400 days at most', async () => {
    const token = await tokenFor('admin', 'root');
    const ask = async (until?: string) => {
      const body = { jti: 'one', ...(until === undefined ? {} : { until }) };
      const answer = await lab.call('POST', '/v1/tokens/revoke', { token, body });
      return (
        answer.code ??
        Math.round((Date.parse((answer.body as { until: string }).until) - Date.now()) / 86_400_000)
      );
    };
    const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
    expect(await ask()).to.equal(30);
    expect(await ask(inDays(90))).to.equal(90);
    for (const bad of [inDays(-1), inDays(401), 'tomorrow'])
      expect(await ask(bad)).to.equal('ERR_HTTP_VALIDATION');
  });

  it('asks for one token or one person, never both, never neither', async () => {
    for (const body of [
      {},
      { jti: '' },
      { subject: 'x' },
      { jti: 'a', role: 'operator', subject: 'b' },
      { jti: 'x'.repeat(201) },
    ])
      expect(await revoke('admin', body), JSON.stringify(body)).to.equal('ERR_HTTP_VALIDATION');
  });
});
