import { expect } from 'chai';
import type { AriClient } from '../../../../control-plane/src/adapters/asterisk/ari-connection.ts';
import type { AriOperation, ConfigTuple } from '../../../../control-plane/src/adapters/asterisk/ari.gen.ts';
import type { AriResult } from '../../../../control-plane/src/adapters/asterisk/ari-result.ts';
import { TrunkProvisioner } from '../../../../control-plane/src/adapters/asterisk/trunk-provisioner.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import type { PbxErrorCode } from '../../../../control-plane/src/ports/pbx-driver.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { memorySecrets } from '../../../support/memory-secrets.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { trunkList } from '../../../support/trunk-list.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const PASSWORD = 'the-carriers-password';
const REGISTERING: Trunk = {
  ...PLAIN_TRUNK,
  auth: {
    ...{ kind: 'registration', username: 'u', secret: 'trunks/plain/password' },
    ...{ registrar: '192.0.2.10:5060', domain: 'ims.invalid', expirySeconds: 300 },
  },
};
const DIGEST: Trunk = {
  ...PLAIN_TRUNK,
  auth: { kind: 'digest', username: 'u', secret: 'trunks/plain/password' },
};

interface ObjectParameters {
  readonly objectType: string;
  readonly id: string;
  readonly fields?: readonly ConfigTuple[];
}

/** Asterisk's memory, and a way to let it fail. */
function engine() {
  const objects = new Map<string, readonly ConfigTuple[]>();
  const orders: string[] = [];
  const failing: { code: PbxErrorCode | null } = { code: null };
  const client: AriClient = {
    request: <P, R>({ method }: AriOperation<P, R>, parameters: P): Promise<AriResult<R>> => {
      const { objectType, id, fields } = parameters as unknown as ObjectParameters;
      const key = `${objectType} ${id}`;
      const no = (code: PbxErrorCode): AriResult<R> => ({
        ok: false,
        code,
        httpStatus: null,
        detail: 'not done',
      });
      if (failing.code !== null) return Promise.resolve(no(failing.code));
      if (method !== 'GET') orders.push(`${method} ${key}`);
      const standing = objects.get(key);
      if (method === 'PUT') objects.set(key, fields ?? []);
      else if (standing === undefined) return Promise.resolve(no('ERR_PBX_NOT_FOUND'));
      else if (method === 'DELETE') objects.delete(key);
      return Promise.resolve({ ok: true, value: (standing ?? null) as R });
    },
  };
  return {
    client,
    failing,
    keys: () => [...objects.keys()].sort(),
    /** Orders that changed something, since the last asking. */
    changes: () => orders.splice(0).filter((order) => order.startsWith('PUT')),
    lose: () => objects.clear(),
    valueOf: (key: string, attribute: string) =>
      objects.get(key)?.find((one) => one.attribute === attribute)?.value,
  };
}

async function setUp(
  trunks: readonly Trunk[],
  passwords: Readonly<Record<string, string>> = { 'trunks/plain/password': PASSWORD },
) {
  const list = await trunkList(trunks);
  const secrets = memorySecrets(passwords);
  const asterisk = engine();
  const clock = manualClock();
  const log = keptLog();
  const provisioner = new TrunkProvisioner(asterisk.client, {
    ...{ trunks: list.book, secrets, clock, log, metrics: silentMetrics },
  });
  return { list, secrets, asterisk, clock, log, provisioner };
}

describe('adapters/asterisk/trunk-provisioner', () => {
  it('puts password and registration at the attachment, each once', async () => {
    const { asterisk, provisioner } = await setUp([REGISTERING]);
    expect(asterisk.keys()).to.deep.equal([]);
    await provisioner.attached();
    expect(asterisk.keys()).to.deep.equal(['auth plain', 'auth plain.a', 'registration plain.a']);
    expect(asterisk.valueOf('auth plain', 'password')).to.equal(PASSWORD);
    expect(asterisk.valueOf('registration plain.a', 'outbound_auth')).to.equal('plain.a');
    asterisk.changes();
    provisioner.detached();
    await provisioner.attached();
    expect(asterisk.changes(), 'all of it stands').to.deep.equal([]);
    asterisk.lose();
    provisioner.detached();
    await provisioner.attached();
    expect(asterisk.keys(), 'after a restart of Asterisk').to.have.length(3);
  });

  it('has a password alone where the trunk does not register, and nothing where it is known by its address', async () => {
    const { asterisk, list, clock, provisioner } = await setUp([DIGEST]);
    await provisioner.attached();
    expect(asterisk.keys()).to.deep.equal(['auth plain']);
    await clock.advance(1_000);
    await list.put([PLAIN_TRUNK]);
    await clock.advance(0);
    expect(asterisk.keys()).to.deep.equal([]);
  });

  it('TEL-6: puts a rotated password for calls at once, and a new registration before the old one goes', async () => {
    const { asterisk, secrets, clock, provisioner } = await setUp([REGISTERING]);
    await provisioner.attached();
    await clock.advance(1_000);
    asterisk.changes();
    secrets.set('trunks/plain/password', 'second');
    await clock.advance(0);
    expect(asterisk.changes()).to.deep.equal([
      'PUT auth plain',
      'PUT auth plain.b',
      'PUT registration plain.b',
    ]);
    expect(asterisk.keys()).to.deep.equal(['auth plain', 'auth plain.b', 'registration plain.b']);
    secrets.set('trunks/plain/password', 'third');
    await clock.advance(999);
    expect(asterisk.valueOf('auth plain', 'password'), 'Asterisk is not hurried').to.equal('second');
    await clock.advance(1);
    expect(asterisk.keys()).to.deep.equal(['auth plain', 'auth plain.c', 'registration plain.c']);
    expect(asterisk.valueOf('auth plain', 'password')).to.equal('third');
  });

  it('tries again what failed, ever more slowly, and says which trunk and never which password', async () => {
    const { asterisk, clock, log, provisioner } = await setUp([REGISTERING]);
    asterisk.failing.code = 'ERR_PBX_REFUSED';
    await provisioner.attached();
    await clock.advance(2_000 + 4_000 + 8_000);
    const warned = log.lines.filter((line) => line.startsWith('warn'));
    expect(warned.map((line) => /"retryInMs":(\d+)/.exec(line)?.[1])).to.deep.equal([
      '2000',
      '4000',
      '8000',
      '16000',
    ]);
    expect(warned[0]).to.include('"trunk":"plain"').and.include('ERR_PBX_REFUSED');
    expect(log.lines.join('')).to.not.include(PASSWORD);
    asterisk.failing.code = null;
    await clock.advance(16_000);
    expect(asterisk.keys()).to.have.length(3);
  });

  it('finishes a renewal that failed half way', async () => {
    const { asterisk, secrets, clock, provisioner } = await setUp([REGISTERING]);
    await provisioner.attached();
    await clock.advance(1_000);
    const request: AriClient['request'] = (...order) => whole.request(...order);
    const whole = { ...asterisk.client };
    let puts = 0;
    asterisk.client.request = (operation, parameters) => {
      // the password for calls goes through, what belongs to the registration does not
      if (operation.method === 'PUT' && (puts += 1) > 1) asterisk.failing.code = 'ERR_PBX_TIMEOUT';
      return request(operation, parameters);
    };
    secrets.set('trunks/plain/password', 'second');
    await clock.advance(0);
    expect(asterisk.valueOf('auth plain', 'password')).to.equal('second');
    expect(asterisk.keys()).to.include('registration plain.a');
    asterisk.client.request = request;
    asterisk.failing.code = null;
    await clock.advance(2_000);
    expect(asterisk.keys()).to.deep.equal(['auth plain', 'auth plain.b', 'registration plain.b']);
  });

  it('does nothing while it is not attached, and gives up what it had in mind', async () => {
    const { asterisk, secrets, clock, log, provisioner } = await setUp([REGISTERING]);
    secrets.set('trunks/plain/password', 'second');
    await clock.advance(0);
    asterisk.failing.code = 'ERR_PBX_DISCONNECTED';
    await provisioner.attached();
    provisioner.detached();
    asterisk.failing.code = null;
    await clock.advance(60_000);
    expect(asterisk.keys()).to.deep.equal([]);
    expect(clock.waiting).to.equal(0);
    provisioner.stop();
    secrets.set('trunks/plain/password', 'third');
    await clock.advance(0);
    expect(log.lines.filter((line) => line.startsWith('warn'))).to.have.length(1);
  });

  it('holds up no attachment for longer than a second', async () => {
    const { asterisk, clock, provisioner } = await setUp([REGISTERING]);
    asterisk.client.request = () => new Promise(() => undefined);
    let isDone = false;
    const attached = provisioner.attached().then(() => (isDone = true));
    await clock.advance(999);
    expect(isDone).to.equal(false);
    await clock.advance(1);
    await attached;
  });

  it('TEL-6: does without a password that is missing, too long, or would write lines of its own', async () => {
    for (const password of ['', 'x'.repeat(257), 'two\nlines']) {
      const { asterisk, secrets, log, provisioner, clock } = await setUp([DIGEST], {
        'trunks/plain/password': password,
      });
      await provisioner.attached();
      expect(asterisk.keys()).to.deep.equal([]);
      expect(log.lines.at(-1)).to.include('"reference":"trunks/plain/password"').and.not.include('two');
      secrets.set('trunks/plain/password', PASSWORD);
      await clock.advance(0);
      expect(asterisk.keys()).to.deep.equal(['auth plain']);
    }
  });

  it('takes a registration away first and its passwords when the carrier has had time to ask for them', async () => {
    const { asterisk, list, clock, provisioner } = await setUp([REGISTERING]);
    await provisioner.attached();
    await clock.advance(1_000);
    await list.put([{ ...PLAIN_TRUNK, name: 'other' }]);
    await clock.advance(0);
    expect(asterisk.keys()).to.deep.equal(['auth plain', 'auth plain.a']);
    await clock.advance(5_000);
    expect(asterisk.keys()).to.deep.equal([]);
  });

  it('registers no trunk whose account is not complete', async () => {
    const auth = { ...REGISTERING.auth, registrar: '' } as Trunk['auth'];
    const { asterisk, provisioner } = await setUp([{ ...REGISTERING, auth }]);
    await provisioner.attached();
    expect(asterisk.keys()).to.deep.equal([]);
  });
});
