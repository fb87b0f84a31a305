/** A sandbox for other devices: everything over TLS, and the edge in a process of its own that outlives the core. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { connect } from 'node:tls';
import type { AudioReading } from '../../control-plane/client/audio-monitor.ts';
import { createCarrierReport } from '../../control-plane/sandbox/carrier/carrier-report.ts';
import { CENTRAL_POINT, CITIZENS, OPERATORS } from '../../control-plane/sandbox/people.ts';
import { startSandbox, type Sandbox } from '../../control-plane/sandbox/sandbox.ts';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import { callWitness, type AsteriskWitness } from '../support/asterisk-witness.ts';
import type { HeadlessCitizen, HeadlessOperator } from '../../control-plane/client/headless/index.ts';
import { runProgram } from '../support/run-program.ts';
import { eventually } from './support/eventually.ts';
import { press, told } from './support/sos.ts';
import { callOverTls, tlsCitizen, tlsOperator } from './support/tls-people.ts';

const ADDRESS = '127.0.0.9';
const STARTED_MS = 60_000;
const HEARD_MS = 10_000;
const TONE_HZ = 1400;
/** A second of voice. */
const MORE_PACKETS = 50;
const CLEARED_MS = 8_000;

describe('e2e: over TLS, with the edge apart', function () {
  this.timeout(30_000);
  let sandbox: Sandbox;
  let witness: AsteriskWitness;
  let people: { close(): Promise<void> }[] = [];

  before('starts the sandbox', async function () {
    this.timeout(STARTED_MS);
    sandbox = await startSandbox({ bind: ADDRESS, edgeApart: true });
    witness = await callWitness(sandbox.file.ari);
  });
  afterEach('finds nothing left in Asterisk', async () => {
    try {
      const { sessions } = await read<{ sessions: readonly SessionView[] }>('/v1/sos?open=true&limit=200');
      for (const { id } of sessions) await resolveSos(id);
      await witness.assertNothingLeft(['sandbox', `operator-${OPERATORS[0]!.id}-panel1`], CLEARED_MS);
    } finally {
      await Promise.all(people.map((person) => person.close()));
      people = [];
    }
  });
  after('stops the sandbox', async function () {
    this.timeout(STARTED_MS);
    await sandbox.stop();
  });

  const supervised = (): { token: string } => ({ token: sandbox.file.tokens.supervisor.token });
  const read = async <Body>(path: string): Promise<Body> => {
    const { status, text } = await callOverTls(sandbox.file, path, supervised());
    expect(status, `${path}: ${text}`).to.equal(200);
    return JSON.parse(text) as Body;
  };
  const resolveSos = async (id: string): Promise<void> => {
    const wishes = { ...supervised(), method: 'POST', json: {} };
    const { status, text } = await callOverTls(sandbox.file, `/v1/sos/${id}/resolve`, wishes);
    expect(status, text).to.equal(200);
  };
  const stream = async (): Promise<{ id: string; citizen: HeadlessCitizen; panel: HeadlessOperator }> => {
    const panel = await tlsOperator(sandbox.file);
    people.push(panel);
    await panel.beginShift();
    const citizen = await tlsCitizen(sandbox.file, TONE_HZ);
    people.push(citizen);
    const id = await press(citizen, CENTRAL_POINT);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(TONE_HZ, HEARD_MS)]);
    return { id, citizen, panel };
  };

  it('serves the API, the pages, the feed and SIP with one certificate, trusted by its name alone', async () => {
    const { file } = sandbox;
    for (const url of Object.values({ ...file.urls, carrierReport: file.urls.api }))
      expect(url).to.match(new RegExp(`^(https|wss)://${ADDRESS}:`));
    expect((await callOverTls(file, '/healthz')).status).to.equal(200);
    for (const page of ['/citizen.html', '/panel.html']) {
      const { status, text } = await callOverTls(file, page);
      expect(status, page).to.equal(200);
      expect(text).to.include('<html');
    }
    const ca = readFileSync(file.certificateFile!, 'utf8');
    for (const port of [file.ports.http, file.ports.edge]) {
      expect(await shake(port, ca, ADDRESS), 'its own name').to.equal('authorized');
      expect(await shake(port, ca, 'elsewhere.example'), 'another name').to.equal(
        'ERR_TLS_CERT_ALTNAME_INVALID',
      );
      expect(await shake(port, undefined, ADDRESS), 'a stranger').to.equal('DEPTH_ZERO_SELF_SIGNED_CERT');
    }
  });

  it('RTC-2 streams through an edge that is a process of its own', async () => {
    const { id, citizen } = await stream();
    expect(sandbox.edge()!.pid).to.not.equal(sandbox.controlPlane().pid);
    expect(await read<SessionView>(`/v1/sos/${id}`)).to.deep.include({
      phase: 'active',
      streaming: true,
      heard: true,
    });
    expect(citizen.rtp().packetsReceived, 'nobody is heard at her phone').to.equal(0);
  });

  it('RTC-2 RTC-9 loses no voice when the core is killed; a new one adopts the session and ends it', async () => {
    const { id, citizen, panel } = await stream();
    const before = await read<SessionView>(`/v1/sos/${id}`);
    const channels = await names(witness);
    const signalling: string[] = [];
    panel.client.on('connection', (state) => signalling.push(`panel ${state}`));
    citizen.client.on('connection', (state) => signalling.push(`citizen ${state}`));
    let heard: AudioReading | null = null;
    panel.client.on('audio', (reading) => (heard = reading));
    const goesOn = async (what: string): Promise<void> => {
      const from = heard?.packets ?? 0;
      await eventually(what, () => ((heard?.packets ?? 0) >= from + MORE_PACKETS ? true : null));
      expect(heard, what).to.deep.include({ state: 'sound' });
      expect(await names(witness), what).to.deep.equal(channels);
    };

    await goesOn('the voice before');
    await sandbox.controlPlane().kill();
    await goesOn('the voice without a core');
    await sandbox.restartControlPlane();
    await goesOn('the voice with a new core');

    expect(await read<SessionView>(`/v1/sos/${id}`)).to.deep.include({
      phase: 'active',
      streaming: true,
      heard: true,
      operatorId: before.operatorId,
      webrtcSessionId: before.webrtcSessionId,
      fallback: null,
      degradedReason: null,
    });
    expect(signalling, 'no signalling socket was lost').to.deep.equal([]);
    expect([citizen.legs.length, panel.legs.length], 'nobody was called again').to.deep.equal([1, 1]);
    await resolveSos(id);
    const leg = citizen.legs[0]!;
    await eventually('her app has been hung up on', () => leg.ended);
    expect(leg.ended!.how).to.equal('hung-up');
    await eventually('her microphone is off', () => (citizen.microphoneOn() ? null : true), 1_000);
    const carrier = createCarrierReport(sandbox.file.urls.carrierReport);
    expect(await carrier.fetchCalls({ number: CITIZENS[0]!.phone }), 'no phone was called').to.deep.equal([]);
  });

  for (const bind of ['8.8.8.8', '0.0.0.0', 'localhost'])
    it(`refuses to serve at ${bind}: one clear sentence, and an end`, async () => {
      const main = resolve(import.meta.dirname, '../../control-plane/sandbox/main.ts');
      const { exitCode, output } = await runProgram(process.execPath, [main], {
        cwd: resolve(import.meta.dirname, '../..'),
        env: { ...process.env, BIND: bind },
      });
      expect(exitCode).to.equal(1);
      expect(output.trim()).to.equal(
        `sandbox: BIND takes a private IPv4 address of this machine (10.…, 172.16–31.…, 192.168.…), not ${bind}`,
      );
    });
});

async function names(witness: AsteriskWitness): Promise<readonly string[]> {
  return (await witness.channels()).map(({ id, state }) => `${id} ${state}`).sort();
}

/** `authorized`, or the code of what is wrong with the certificate. */
function shake(port: number, ca: string | undefined, name: string): Promise<string> {
  return new Promise((done, reject) => {
    const socket = connect({
      host: ADDRESS,
      port,
      timeout: 4_000,
      ...(ca === undefined ? {} : { ca }),
      ...(name === ADDRESS ? {} : { servername: name }),
    });
    socket.once('secureConnect', () => {
      socket.destroy();
      done('authorized');
    });
    socket.once('timeout', () => socket.destroy(new Error('no handshake in time')));
    socket.once('error', (error: Error & { code?: string }) => {
      if (error.code === undefined) reject(error);
      else done(error.code);
    });
  });
}
