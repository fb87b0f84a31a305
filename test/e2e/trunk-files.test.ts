/** Trunk files that change under a gateway that runs: right ones serve the next call, wrong ones change nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TrunkView } from '../../control-plane/src/contracts/trunk-api.ts';
import { callsTo, callTo } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen } from './support/gateway.ts';

/** Quick, so that each call of the test comes soon. */
const QUICK = { HAMRAHI_WATCHDOG_MS: '600', HAMRAHI_FIRST_RETRY_MS: '300' };
const FIRST = '+911140000100';
const SECOND = '+911140000101';
const FOREIGN = '+911149999999';

describe('e2e: trunk files', function () {
  this.timeout(60_000);
  const gateway = useGateway({ env: QUICK });
  const file = (): string => join(gateway.file.runDir, 'trunks/sandbox.yml');
  let good = '';

  before(() => {
    good = readFileSync(file(), 'utf8');
  });
  afterEach('the trunk as it was', async () => {
    writeFileSync(file(), good);
    expect((await reload()).status).to.equal(200);
  });

  const withDefault = (number: string): string => good.replace(/default: .*/, `default: '${number}'`);
  const admin = () => gateway.file.tokens.admin.token;
  const reload = () => gateway.send(admin(), 'POST', '/v1/trunks/reload');
  const trunk = async (): Promise<TrunkView> => {
    const { body } = await gateway.send(admin(), 'GET', '/v1/trunks');
    return (body as unknown as { trunks: TrunkView[] }).trunks[0]!;
  };
  /** What whoever is on call is told of. */
  const standing = async (): Promise<readonly string[]> => {
    const { body } = await gateway.send(admin(), 'GET', '/v1/alerts?state=standing');
    const { alerts } = body as unknown as { alerts: { kind: string; subject: string }[] };
    return alerts.map(({ kind, subject }) => `${kind} ${subject}`);
  };
  const logOf = (): string => readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8');
  /** SIGHUP, and what the gateway says when it has read the files. */
  const hangUp = async (said: string): Promise<void> => {
    const before = logOf().split(said).length;
    gateway.sandbox.controlPlane().signal('SIGHUP');
    await eventually(said, () => (logOf().split(said).length > before ? true : null));
  };
  /** An SOS of somebody whose app is away: her phone is called at the deadline. */
  const sos = async (): Promise<Citizen> => {
    const district = await gateway.district();
    const citizen = await gateway.citizen();
    const body = { deviceId: 'phone1', location: district.location };
    const { status } = await gateway.send(citizen.token, 'POST', '/v1/sos', { body });
    expect(status).to.equal(201);
    return citizen;
  };
  const callerSeen = async (): Promise<string | null | undefined> => {
    const { phone } = await sos();
    return (await callTo(gateway, phone)).from?.user;
  };

  it('TEL-9, TEL-2: a caller id that is changed is the next call’s, by SIGHUP and without a restart', async () => {
    expect(await callerSeen()).to.equal(FIRST);
    const { pid } = gateway.sandbox.controlPlane();
    writeFileSync(file(), withDefault(SECOND));
    await hangUp('the trunk files were read anew');
    expect(await callerSeen()).to.equal(SECOND);
    expect(gateway.sandbox.controlPlane().pid).to.equal(pid);
  });

  it('TEL-9: a broken file changes nothing, at SIGHUP and by the API, and each mistake is named', async () => {
    const broken = good
      .replace('policy: any-owned', 'policy: anybody')
      .replace('channels: 500', 'channels: no');
    writeFileSync(file(), broken);
    await hangUp('the trunk files are wrong: the last good ones stay in force');
    expect(await standing()).to.include('trunk-files-wrong trunk-files');
    const lineOf = (part: string): number => broken.slice(0, broken.indexOf(part)).split('\n').length;
    const refused = await reload();
    expect([refused.status, refused.body?.['code']]).to.deep.equal([422, 'ERR_TRUNK_FILES_WRONG']);
    expect(refused.body?.['errors']).to.deep.equal([
      {
        path: `${file()}:${lineOf('policy:')}: callerId.policy`,
        message: 'expected one of default-only, any-owned',
      },
      {
        path: `${file()}:${lineOf('channels:')}: capacity.channels`,
        message: 'expected a whole number from 1 to 10000',
      },
    ]);
    expect(await trunk()).to.include({ name: 'sandbox', usable: true });
    expect(await callerSeen()).to.equal(FIRST);
  });

  it('TEL-2: a trunk whose caller id is none of its own is not used; the gateway stands, and says so', async () => {
    writeFileSync(file(), withDefault(FOREIGN));
    const { status, body } = await reload();
    expect([status, body?.['changes']]).to.deep.equal([
      200,
      [{ trunk: 'sandbox', change: 'changed', needs: [] }],
    ]);
    expect(await trunk()).to.deep.include({ usable: false });
    expect((await trunk()).reason?.code).to.equal('ERR_TRUNK_CALLER_ID_NOT_OWNED');
    expect((await gateway.send(null, 'GET', '/readyz')).body).to.include({ ready: true, degraded: true });
    const citizen = await sos();
    await eventually('the failed call is noted', async () => {
      const legs = await gateway.sql(
        "SELECT 1 FROM legs WHERE kind = 'citizen-phone' AND ended_at IS NOT NULL",
      );
      return legs.length > 0 ? true : null;
    });
    expect(await callsTo(gateway, citizen.phone)).to.deep.equal([]);

    await gateway.sandbox.controlPlane().stop();
    await gateway.sandbox.restartControlPlane();
    expect((await gateway.send(null, 'GET', '/readyz')).body, 'it starts so, too').to.include({
      degraded: true,
    });
    expect(await standing()).to.include.members(['trunk-disabled sandbox', 'trunks-dead trunk-files']);
    expect(logOf()).to.not.include('9999999');

    writeFileSync(file(), good);
    await reload();
    expect(await trunk()).to.deep.include({ usable: true, reason: null });
    expect((await gateway.send(null, 'GET', '/readyz')).body).to.include({ ready: true, degraded: false });
    expect(await callerSeen()).to.equal(FIRST);
    expect((await standing()).filter((alert) => alert.includes('trunk'))).to.deep.equal([]);
  });
});
