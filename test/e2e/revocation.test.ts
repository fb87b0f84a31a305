/** A stolen laptop: what it hears, shows and may do ends within 5 s, and the citizen does not notice. */
import { expect } from 'chai';
import { withDeadline } from '../../control-plane/client/deadline.ts';
import type { HeadlessOperator } from '../../control-plane/client/headless/index.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { press, told } from './support/sos.ts';

const IN_FORCE_MS = 5_000;
const HEARD_MS = 10_000;

describe('e2e: a revoked token', function () {
  this.timeout(30_000);
  const gateway = useGateway();

  for (const how of ['by its id', 'by the name of its operator', 'by the directory'] as const)
    it(`RTC-5 RTC-10 revoked ${how}: feed, SIP socket and audio of an operator end, the next one hears her`, async () => {
      const district = await gateway.district({ operators: [{}, {}] });
      const [first, second] = district.operators;
      const token = await gateway.token('operator', first!.id);
      const stolen = await gateway.panel(first!.id, {
        token,
        credentials: how === 'by its id' ? 'ticket' : 'header',
      });
      const citizen = await gateway.armedCitizen(district.location, { toneHz: 1500 });
      const id = await press(citizen, district.location);
      await told(stolen, id, 'sos.active');
      const next = await gateway.panel(second!.id);
      const phase = async (): Promise<string> => (await gateway.view(id)).phase;

      const at = Date.now();
      const closed = Promise.all([until(stolen, 'feed', 'open'), until(stolen, 'connection', 'registered')]);
      await revoke(how, first!.id, token);
      await eventually(
        'his audio has ended',
        async () => ((await operatorLegs(id, first!.id)) === 0 ? true : null),
        IN_FORCE_MS,
      );
      const endedMs = Date.now() - at;
      await closed;
      const { at: heardAt } = await next.tone(1500, HEARD_MS);

      expect(endedMs).to.be.below(IN_FORCE_MS);
      expect(heardAt - at, 'the next one hears her').to.be.below(IN_FORCE_MS + 1_000);
      await gateway.viewWhen(
        id,
        'active again',
        (view) => view.phase === 'active' && view.operatorId === second!.id,
      );
      expect(await gateway.carrier.fetchCalls(), 'no phone rang').to.deep.equal([]);
      const api = await gateway.send(token, 'GET', '/v1/sos');
      expect([api.status, (api.body as { code?: string }).code]).to.deep.equal([401, 'ERR_AUTH_REVOKED']);
      expect(await phase()).to.equal('active');
    });

  const revoke = async (how: string, operatorId: string, token: string): Promise<void> => {
    if (how === 'by the directory') {
      const path = `/v1/operators/${operatorId}`;
      const { body } = await gateway.send(gateway.file.tokens.admin.token, 'GET', path);
      const { id: _, ...operator } = body as Record<string, unknown>;
      await gateway.put(path, { ...operator, dutyPhone: null, active: false });
      return;
    }
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string };
    const body = how === 'by its id' ? { jti } : { role: 'operator', subject: operatorId };
    const answer = await gateway.send(gateway.file.tokens.supervisor.token, 'POST', '/v1/tokens/revoke', {
      body,
    });
    expect(answer.status).to.equal(200);
  };

  const operatorLegs = async (id: string, operatorId: string): Promise<number> => {
    const legs = `SELECT 1 FROM legs WHERE session_id = $1 AND party_id = $2 AND ended_at IS NULL`;
    return (await gateway.sql(legs, [id, operatorId])).length;
  };

  it("RTC-9 RTC-10 a citizen's own token, revoked in the middle: she is heard to the end, and refused afterwards", async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1300 });
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    const body = { role: 'citizen', subject: citizen.id };
    const { token } = gateway.file.tokens.admin;
    const revokedAt = Date.now();
    expect((await gateway.send(token, 'POST', '/v1/tokens/revoke', { body })).status).to.equal(200);
    citizen.cutSignalling();
    await eventually(
      'more than 5 s have gone',
      () => (Date.now() - revokedAt > IN_FORCE_MS ? true : null),
      7_000,
    );
    const during = await gateway.send(citizen.token, 'GET', `/v1/sos/${id}`);
    expect(during.status, 'her app may still ask').to.equal(200);
    expect(await gateway.view(id)).to.deep.include({ phase: 'active', streaming: true, heard: true });
    await gateway.resolve(id);
    const after = await gateway.send(citizen.token, 'GET', `/v1/sos/${id}`);
    expect((after.body as { code?: string }).code).to.equal('ERR_AUTH_REVOKED');
    expect((await gateway.send(citizen.token, 'POST', '/v1/sos', { body: {} })).status).to.equal(401);
  });
});

/** The first time that this is no longer so, within 5 s of the call. */
function until(panel: HeadlessOperator, name: 'feed' | 'connection', state: string): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    panel.client.on(name, (now: string) => {
      if (now !== state) resolve();
    });
  });
  return withDeadline(gone, IN_FORCE_MS, `${name} to end`);
}
