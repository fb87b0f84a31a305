import { expect } from 'chai';
import type { OpsAlertView } from '../../../../control-plane/src/contracts/alert-api.ts';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

const TATA = { kind: 'trunk-down', subject: 'tata', severity: 'critical', summary: 'Down.' } as const;
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

describe('adapters/http alerts', () => {
  let lab: HttpLab;
  beforeEach(async () => {
    lab = await startHttpLab();
  });
  afterEach(() => lab.close());

  type Role = Parameters<typeof tokenFor>[0];
  const ask = async (role: Role, method: string, path: string, subject = 'chief') =>
    lab.call(method, path, { token: await tokenFor(role, subject) });
  const list = async (query = '') => {
    const answer = await ask('supervisor', 'GET', `/v1/alerts${query}`);
    return answer.body as { readonly alerts: readonly OpsAlertView[]; readonly next: string | null };
  };

  it('TEL-8: shows what stands and what is over, page by page', async () => {
    for (const subject of ['t0', 't1', 't2']) lab.alerts.raise({ ...TATA, subject });
    lab.alerts.resolve('trunk-down', 't1');
    const subjects = ({ alerts }: Awaited<ReturnType<typeof list>>) => alerts.map(({ subject }) => subject);
    expect(subjects(await list('?state=standing')).sort()).to.deep.equal(['t0', 't2']);
    expect(subjects(await list('?state=resolved'))).to.deep.equal(['t1']);
    const first = await list('?limit=2');
    const second = await list(`?limit=2&before=${first.next ?? ''}`);
    expect([...subjects(first), ...subjects(second)].sort()).to.deep.equal(['t0', 't1', 't2']);
    expect(second.next).to.equal(null);
  });

  it('TEL-8: an acknowledgement names who cares, once; what is over or unknown has its own code', async () => {
    lab.alerts.raise(TATA);
    const id = (await list()).alerts[0]!.id;
    const path = `/v1/alerts/${id}/acknowledge`;
    const answer = await ask('supervisor', 'POST', path);
    expect((answer.body as OpsAlertView).acknowledged?.by).to.equal('chief');
    expect(((await ask('admin', 'POST', path, 'root')).body as OpsAlertView).acknowledged?.by).to.equal(
      'chief',
    );
    lab.alerts.resolve('trunk-down', 'tata');
    expect(await ask('supervisor', 'POST', path)).to.deep.include({
      status: 409,
      code: 'ERR_ALERT_RESOLVED',
    });
    expect(await ask('supervisor', 'POST', `/v1/alerts/${UNKNOWN}/acknowledge`)).to.deep.include({
      status: 404,
      code: 'ERR_ALERT_NOT_FOUND',
    });
  });

  it('is for supervisors and admins; a backend may look', async () => {
    const path = `/v1/alerts/${UNKNOWN}/acknowledge`;
    for (const role of ['citizen', 'operator'] as const)
      expect(await ask(role, 'GET', '/v1/alerts')).to.deep.include({ status: 403, code: 'ERR_AUTH_ROLE' });
    for (const role of ['supervisor', 'admin', 'backend'] as const)
      expect((await ask(role, 'GET', '/v1/alerts')).status).to.equal(200);
    for (const role of ['citizen', 'operator', 'backend'] as const)
      expect((await ask(role, 'POST', path)).code).to.equal('ERR_AUTH_ROLE');
  });

  it('says what is wrong with a question', async () => {
    for (const query of ['?state=open', '?before=x', '?limit=0', '?limit=201', '?limit=many'])
      expect((await ask('admin', 'GET', `/v1/alerts${query}`)).code, query).to.equal('ERR_HTTP_VALIDATION');
    expect((await ask('admin', 'POST', '/v1/alerts/x/acknowledge')).code).to.equal('ERR_HTTP_VALIDATION');
  });

  it('TEL-8: /readyz says that nobody would hear of an alert, and stays ready', async () => {
    const { status, body } = await lab.call('GET', '/readyz');
    expect(status).to.equal(200);
    expect(body).to.deep.include({ ready: true, degraded: false });
    expect((body as { checks: unknown }).checks).to.deep.include({
      alerting: { ok: false, reason: 'no channel for alerts is set' },
    });
  });
});
