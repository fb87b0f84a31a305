import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { AsteriskDriver } from '../../../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import {
  dialString,
  outgoingEndpoint,
} from '../../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import { trunkDial } from '../../../../control-plane/src/domain/trunk/trunk-dial.ts';
import type { Trunk, TrunkAuth } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { ariRequest, untilNoChannels } from '../../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { memorySecrets } from '../../../support/memory-secrets.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { DigestCarrier } from '../../../support/sip-digest.ts';
import { headerOf } from '../../../support/sip-peer.ts';
import { openRegistrar, type SeenRegister, type SipRegistrar } from '../../../support/digest-registrar.ts';
import { trunkList, type TrunkList } from '../../../support/trunk-list.ts';

const FIRST = 'p;ss "wörd" \\ {{x}}, one';
const SECOND = 'the-second-password';
/** From the attachment, or from a change, to the REGISTER that is let in. */
const LEG = '0199a1b2-0000-7000-8000-000000000001.citizen-phone.1';
const REGISTERED_WITHIN_MS = 2_000;
/** The same right after another change of the trunk. */
const CHANGED_WITHIN_MS = 1_000 + REGISTERED_WITHIN_MS;

describe('adapters/asterisk/trunk-provisioner, on a real Asterisk', function () {
  this.timeout(40_000);
  let engine: GatewayEngine & { readonly runDir: string };
  let md5: SipRegistrar;
  let sha: SipRegistrar;
  let bare: SipRegistrar;
  let driver: AsteriskDriver;
  let list: TrunkList;
  let trunks: readonly Trunk[];
  const log = keptLog();
  const secrets = memorySecrets({ 'trunks/md5/password': FIRST, 'trunks/sha/password': FIRST });
  const stops: (() => unknown)[] = [];

  const trunkAt = (name: string, { host, port }: SipRegistrar, auth: TrunkAuth): Trunk => ({
    ...sandboxTrunk(port),
    name,
    hosts: [{ address: host, port, priority: 10 }],
    sources: [host],
    sip: { ...sandboxTrunk(port).sip, optionsIntervalSeconds: 0 },
    auth,
  });
  const registering = (name: string, registrar: SipRegistrar, secret: string | null): Trunk =>
    trunkAt(name, registrar, {
      kind: 'registration',
      username: '+911140000100',
      secret,
      registrar: `${registrar.host}:${registrar.port}`,
      domain: 'ims.invalid',
      expirySeconds: 300,
    });
  const newDriver = (): AsteriskDriver => {
    const { user, password } = engine.settings.ari;
    const one = new AsteriskDriver({
      url: `${engine.httpUrl}/ari`,
      user,
      password,
      app: 'hamrahi',
      trunks: list.book,
      accounts: { trunks: list.book, secrets },
      endpointFields: () => ({ aor: [], endpoint: [] }),
      clock: systemClock(),
      log,
      metrics: silentMetrics,
    });
    stops.push(() => one.stop());
    return one;
  };
  /** Which of a trunk's objects the engine has. */
  const standing = async (type: 'auth' | 'registration', name: string): Promise<readonly string[]> => {
    const ids = [name, ...['a', 'b', 'c'].map((turn) => `${name}.${turn}`)];
    const path = (id: string): string => `/asterisk/config/dynamic/res_pjsip/${type}/${id}`;
    const found = await Promise.all(ids.map((id) => ariRequest(engine, 'GET', path(id))));
    return ids.filter((_, index) => found[index]!.status === 200);
  };

  before(async () => {
    // where they are must be known before the engine's port is
    const ports = await Promise.all(['127.0.0.11', '127.0.0.12', '127.0.0.13'].map(portOn));
    const [one, two, three] = ports as [SipRegistrar, SipRegistrar, SipRegistrar];
    trunks = [
      registering('md5', one, 'trunks/md5/password'),
      registering('sha', two, 'trunks/sha/password'),
      registering('bare', three, null),
    ];
    for (const registrar of ports) registrar.close();
    engine = await startTestEngine({ trunks });
    stops.push(() => engine.stop());
    const gateway = { host: '127.0.0.1', port: engine.sipPort };
    const account = (): { username: string; password: string } => ({
      username: '+911140000100',
      password: FIRST,
    });
    md5 = await openRegistrar({ host: one.host, port: one.port, gateway, account: account() });
    sha = await openRegistrar({
      host: two.host,
      port: two.port,
      gateway,
      account: account(),
      algorithm: 'SHA-256',
    });
    bare = await openRegistrar({ host: three.host, port: three.port, gateway });
    stops.push(
      () => md5.close(),
      () => sha.close(),
      () => bare.close(),
    );
    list = await trunkList(trunks);
    driver = newDriver();
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  it('TEL-9: registers every trunk within 2 s of the attachment, with MD5, SHA-256, or without a password', async () => {
    expect(await standing('registration', 'md5')).to.deep.equal([]);
    await driver.start(5_000);
    const attachedAt = performance.now();
    const seen = await Promise.all(
      [md5, sha, bare].map((one) => one.until(({ accepted }) => accepted, REGISTERED_WITHIN_MS)),
    );
    for (const { at, request, expires } of seen) {
      expect(at - attachedAt).to.be.lessThan(REGISTERED_WITHIN_MS);
      expect(expires).to.equal(300);
      expect(headerOf(request, 'from')).to.include('<sip:+911140000100@ims.invalid>');
    }
    expect(bare.seen).to.have.length(1);
    expect(headerOf(bare.seen[0]!.request, 'authorization')).to.equal(undefined);
  });

  it('TEL-6: no password is in a file of the engine, in its logs, or in ours', () => {
    for (const file of filesBelow(join(engine.runDir, 'etc')).concat(filesBelow(join(engine.runDir, 'log'))))
      expect(readFileSync(file, 'utf8'), file).to.not.include('wörd').and.not.include(SECOND);
    expect(log.lines.join('\n')).to.not.include('wörd');
  });

  it('leaves registrations that stand alone when another process takes over', async () => {
    const before = md5.seen.length;
    await driver.stop();
    driver = newDriver();
    await driver.start(5_000);
    // a registration that is put again registers after a second
    await delay(1_300);
    expect(md5.seen.length).to.equal(before);
    expect(md5.isRegistered).to.equal(true);
  });

  it('TEL-6: registers anew with a password that was rotated, without a restart', async () => {
    const from = md5.seen.length;
    md5.account!.password = SECOND;
    secrets.set('trunks/md5/password', SECOND);
    await md5.until(({ accepted }) => accepted, REGISTERED_WITHIN_MS, from);
    expect(md5.wasAway, 'the registration of before stood until then').to.equal(false);
    expect(await standing('registration', 'md5')).to.deep.equal(['md5.b']);
    expect(await standing('auth', 'md5')).to.deep.equal(['md5', 'md5.b']);
    expect(sha.seen.filter(({ accepted }) => accepted)).to.have.length(1);
  });

  it('TEL-6: keeps the old registration while the carrier does not have the new password yet', async () => {
    const from = md5.seen.length;
    secrets.set('trunks/md5/password', 'before-the-carrier-has-it');
    const proven = (one: SeenRegister): boolean => headerOf(one.request, 'authorization') !== undefined;
    const refused = await md5.until((one) => one.expires > 0 && proven(one), CHANGED_WITHIN_MS, from);
    expect(refused.accepted).to.equal(false);
    secrets.set('trunks/md5/password', SECOND);
    await md5.until(({ accepted }) => accepted, CHANGED_WITHIN_MS, from);
    expect(md5.wasAway).to.equal(false);
  });

  it('comes through a storm of rotations with one registration, that of the last password', async () => {
    const from = md5.seen.length;
    for (let turn = 0; turn < 20; turn += 1) secrets.set('trunks/md5/password', `password-${turn}`);
    md5.account!.password = 'password-19';
    await md5.until(({ accepted }) => accepted, CHANGED_WITHIN_MS, from);
    await until(async () => (await standing('registration', 'md5')).length === 1, 3_000);
    expect(await standing('auth', 'md5')).to.have.length(2);
    expect(md5.wasAway).to.equal(false);
  });

  it('finishes what a process left half done: two registrations of one trunk', async () => {
    const [id] = await standing('registration', 'sha');
    const path = (type: string, name: string): string => `/asterisk/config/dynamic/res_pjsip/${type}/${name}`;
    const { body } = await ariRequest(engine, 'GET', path('registration', id!));
    await driver.stop();
    const { status } = await ariRequest(engine, 'PUT', path('registration', 'sha.c'), {
      fields: body as object,
    });
    expect(status).to.equal(200);
    const from = sha.seen.length;
    driver = newDriver();
    await driver.start(5_000);
    await sha.until(({ accepted }) => accepted, CHANGED_WITHIN_MS, from);
    expect(await standing('registration', 'sha')).to.have.length(1);
    expect(sha.wasAway).to.equal(false);
  });

  it('puts everything again after a restart of Asterisk', async () => {
    const from = [md5, sha, bare].map(({ seen }) => seen.length);
    await engine.restart();
    const readyAt = performance.now();
    const seen = await Promise.all(
      [md5, sha, bare].map((one, index) => one.until(({ accepted }) => accepted, 5_000, from[index])),
    );
    // the driver comes back within a second at the most
    for (const { at } of seen) expect(at - readyAt).to.be.lessThan(1_000 + REGISTERED_WITHIN_MS);
  });

  it('answers the challenge of a call with the same password, and the call stands', async () => {
    const carrier = new DigestCarrier();
    let proven = 0;
    md5.answerOthers = (request) => {
      const { method } = request.cseq;
      if (method === 'ACK') return [];
      if (method !== 'INVITE') return ['200 OK'];
      if (!carrier.accepts(request, md5.account!)) return [carrier.challenge()];
      proven += 1;
      return ['180 Ringing', '200 OK'];
    };
    const plan = trunkDial(trunks[0]!, PhoneNumber.parse('+919876543210')!, null);
    if (!plan.ok) throw new Error(plan.code);
    const { status } = await ariRequest(engine, 'POST', '/channels', {
      ...{
        endpoint: dialString(outgoingEndpoint('md5'), plan.value.requestUri),
        app: 'hamrahi',
        channelId: LEG,
      },
      ...{ callerId: `<${plan.value.fromUser}>`, formats: 'alaw', timeout: 10 },
    });
    expect(status).to.equal(200);
    await untilUp(engine, LEG);
    expect(proven).to.equal(1);
    await ariRequest(engine, 'DELETE', `/channels/${LEG}`);
    await untilNoChannels(engine);
  });

  it('unregisters a trunk that is gone from the files, and one that is known by its address from now on', async () => {
    const from = [md5, sha].map(({ seen }) => seen.length);
    const byAddress = { ...trunks[1]!, auth: { kind: 'ip' } } as const;
    await list.put([byAddress, trunks[2]!]);
    await Promise.all(
      [md5, sha].map((one, index) =>
        one.until(({ accepted, expires }) => accepted && expires === 0, 2_000, from[index]),
      ),
    );
    for (const name of ['md5', 'sha']) {
      expect(await standing('registration', name), name).to.deep.equal([]);
      await until(async () => (await standing('auth', name)).length === 0, 8_000);
    }
    expect(await standing('registration', 'bare')).to.have.length(1);
  });

  it('TEL-9: registers a trunk that the files bring back, and one whose password comes late', async () => {
    const from = md5.seen.length;
    secrets.set('trunks/sha/password', null);
    await list.put(trunks);
    await md5.until(({ accepted, expires }) => accepted && expires > 0, CHANGED_WITHIN_MS, from);
    expect(await standing('registration', 'sha')).to.deep.equal([]);
    expect(log.lines.some((line) => line.includes('"reference":"trunks/sha/password"'))).to.equal(true);
    const late = sha.seen.length;
    secrets.set('trunks/sha/password', FIRST);
    await sha.until(({ accepted, expires }) => accepted && expires > 0, CHANGED_WITHIN_MS, late);
  });

  it('takes nothing for a password that would write lines of its own', async () => {
    secrets.set('trunks/sha/password', 'two\nlines');
    expect(log.lines.join('\n')).to.not.include('two');
    await list.put(trunks.map((trunk) => ({ ...trunk, description: 'changed' })));
    expect(log.lines.at(-1)).to.include('it is no password for a carrier');
    expect(await standing('registration', 'sha'), 'the one before stands').to.have.length(1);
  });
});

/** A free port of the address, as a registrar that was never used. */
function portOn(host: string): Promise<SipRegistrar> {
  return openRegistrar({ host });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

function untilUp(engine: GatewayEngine, channelId: string): Promise<void> {
  return until(async () => {
    const { body } = await ariRequest(engine, 'GET', `/channels/${channelId}`);
    return (body as { state?: string }).state === 'Up';
  }, 3_000);
}

async function until(holds: () => Promise<boolean>, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come to hold within ${deadlineMs} ms`);
    await delay(20);
  }
}
