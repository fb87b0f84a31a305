/** What the gateway leaves behind: nobody's number and nothing secret, however much it says. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { useGateway, type Citizen } from './support/gateway.ts';
import {
  commandLines,
  environments,
  filesBelow,
  foundIn,
  foundInFiles,
  isOpenToOthers,
  trackedFiles,
  type Forbidden,
} from './support/search-files.ts';
import { press, told } from './support/sos.ts';
import { trunkPasswordIn } from './support/trunk-password.ts';

const NEVER_MS = 60_000;
const DEADLINE_MS = 5_000;
/** Numbers that are named only in requests that fail. */
const STRAYS = { inPath: '9812300411', malformed: '9812300422', inBody: '9812300433', caller: '9812300444' };

describe('e2e: logs', function () {
  this.timeout(30_000);
  const trunkPassword = randomBytes(24).toString('base64url');
  const gateway = useGateway({
    env: { HAMRAHI_LOG_LEVEL: 'debug' },
    edgeEnv: { HAMRAHI_LOG_LEVEL: 'debug' },
    verboseEngineLog: false,
    edgeApart: true,
    trunkPassword,
  });

  /** National digits, which all four forms of a number contain. */
  const numbers: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  /** Everything that was answered to anybody, as text. */
  const answers: string[] = [];
  let carrierSaw = '';

  const keepNumber = (name: string, number: string | null): void => {
    if (number !== null) numbers[name] = number.slice(-10);
  };

  /** Keeps the tickets that an app is given. */
  const listening: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const text = await response.clone().text();
    const { ticket } = text.startsWith('{') ? (JSON.parse(text) as { readonly ticket?: string }) : {};
    if (ticket !== undefined) secrets[`ticket ${Object.keys(secrets).length}`] = ticket;
    return response;
  };

  before('an SOS that streams, one on the telephone, and what is refused', async function () {
    this.timeout(60_000);
    keepConfiguredSecrets();
    await stream();
    await fallback();
    carrierSaw = JSON.stringify(await gateway.carrier.fetchCalls());
    await refusals();
    for (const path of ['/metrics', '/readyz', '/healthz', '/openapi.json', '/v1/sos/none'])
      answers.push(await textOf(path));
  });

  function keepConfiguredSecrets(): void {
    const { file } = gateway;
    const { supervisor, admin, backend, operators, citizens } = file.tokens;
    for (const { subject, token } of [supervisor, admin, backend, ...operators, ...citizens])
      secrets[`token of ${subject}`] = token;
    const basic = Buffer.from(`${file.ari.user}:${file.ari.password}`).toString('base64');
    Object.assign(secrets, {
      'jwt secret': readFileSync(file.jwt.secretFile, 'utf8').trim(),
      'ari password': file.ari.password,
      'ari password in base64': basic,
      'database password': decodeURIComponent(new URL(file.databaseUrl).password),
      'edge secret': readFileSync(gateway.sandbox.coreEnv['HAMRAHI_EDGE_SECRET_FILE'] ?? '', 'utf8'),
      'trunk password': trunkPassword,
    });
  }

  async function people(dutyPhone: string) {
    const district = await gateway.district({ operators: [{ phone: dutyPhone }] });
    const operator = district.operators[0]!;
    keepNumber(`duty phone ${operator.id}`, operator.dutyPhone);
    keepNumber(`supervisor ${operator.id}`, district.supervisor?.dutyPhone ?? null);
    return { district, panel: await gateway.panel(operator.id) };
  }

  function keepCitizen({ id, token, phone }: Citizen): void {
    keepNumber(`phone of ${id}`, phone);
    secrets[`token of ${id}`] = token;
  }

  async function stream(): Promise<void> {
    const { district, panel } = await people('00');
    const citizen = await gateway.armedCitizen(district.location, {
      credentials: 'ticket',
      fetch: listening,
    });
    keepCitizen(citizen);
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    await gateway.resolve(id);
    await told(panel, id, 'sos.resolved');
  }

  /** The officer's phone is busy, so that the supervisor's is called too. */
  async function fallback(): Promise<void> {
    const { district, panel } = await people('46');
    const citizen = await gateway.armedCitizen(district.location, { failIce: true, iceTimeoutMs: NEVER_MS });
    keepCitizen(citizen);
    const id = await press(citizen, district.location);
    await told(panel, id, 'phone-connected', 15_000);
    answers.push(JSON.stringify(await gateway.timeline(id)), JSON.stringify(await gateway.view(id)));
    await gateway.resolve(id);
    await told(panel, id, 'sos.resolved');
  }

  async function refusals(): Promise<void> {
    const { admin } = gateway.file.tokens;
    const citizen = await gateway.citizen();
    keepCitizen(citizen);
    const forged = await gateway.token('citizen', citizen.id, { secret: 'x'.repeat(43) });
    const expired = await gateway.token('citizen', citizen.id, { ttlS: -120 });
    const foreign = await gateway.token('citizen', 'somebody_else');
    Object.assign(secrets, { 'forged token': forged, 'expired token': expired, 'foreign token': foreign });
    Object.assign(numbers, STRAYS);
    const sos = { deviceId: 'phone1', citizenId: citizen.id };
    const ask = async (
      status: number,
      ...[token, method, path, body]: [string | null, string, string, unknown?]
    ) => {
      const answer = await gateway.send(token, method, path, { ...(body === undefined ? {} : { body }) });
      expect(answer.status, `${method} ${path}`).to.equal(status);
      answers.push(JSON.stringify(answer.body));
    };
    await ask(401, null, 'POST', '/v1/sos', sos);
    await ask(401, forged, 'POST', '/v1/sos', sos);
    await ask(401, expired, 'POST', '/v1/sos', sos);
    await ask(401, `${citizen.token}x`, 'POST', '/v1/sos', sos);
    await ask(403, foreign, 'POST', '/v1/sos', sos);
    await ask(401, null, 'GET', `/v1/sos?token=${citizen.token}`);
    const { malformed, inPath, inBody } = STRAYS;
    const badCitizen = {
      phone: `+91${malformed}x`,
      phoneVerified: true,
      homeZone: 'central',
      devices: ['phone1'],
    };
    await ask(400, admin.token, 'PUT', '/v1/citizens/priya9', badCitizen);
    await ask(400, admin.token, 'PUT', '/v1/operators/akram9', { name: inBody, dutyPhone: [`+91${inBody}`] });
    await ask(400, admin.token, 'PUT', `/v1/citizens/%2B91${inPath}`, {});
    await ask(404, admin.token, 'GET', `/v1/people/${inPath}?phone=${inPath}`);
    await socketsRefused(citizen.token);
    // Anybody may call the trunk's number; the gateway takes no calls.
    await gateway.carrier.placeCall({ to: '+911140000100', from: `+91${STRAYS.caller}` });
  }

  /** With what is no ticket, and from an address that holds a token. */
  async function socketsRefused(token: string): Promise<void> {
    const { feed, sip } = gateway.file.urls;
    for (const url of [`${feed}?ticket=${token}`, `${sip}?ticket=${token}`, `${feed}?token=${token}`]) {
      await new Promise<void>((resolve) => {
        const socket = new WebSocket(url, ['sip'], { handshakeTimeout: DEADLINE_MS });
        socket.on('error', (error) => answers.push(error.message));
        socket.on('open', () => socket.close());
        socket.on('close', () => resolve());
      });
    }
  }

  async function textOf(path: string): Promise<string> {
    const response = await fetch(new URL(path, gateway.file.urls.api), {
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return `${path} ${response.status}\n${await response.text()}`;
  }

  const everything = (): Forbidden => ({ ...numbers, ...secrets });

  const logs = (): readonly string[] => [
    ...filesBelow(join(gateway.file.runDir, 'control-plane')),
    ...['log', 'run', 'spool', 'lib'].flatMap((part) =>
      filesBelow(join(gateway.file.runDir, 'gateway', part)),
    ),
  ];

  /** A file of the run by its place in it. */
  const placeOf = (file: string): string => file.slice(gateway.file.runDir.length + 1);

  it('looks for what is there to be found, where it may be', () => {
    const { runDir } = gateway.file;
    const said = readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8');

    expect(said, 'accepted ones').to.match(/"level":"debug".*"operation":"activateSos".*"status":"201"/);
    expect(said, 'and refused ones').to.match(/"operation":"activateSos".*"status":"403"/);
    expect(logs().map(placeOf)).to.include.members([
      'control-plane/core.log',
      'control-plane/edge.log',
      'gateway/log/full',
      'gateway/log/console.log',
    ]);
    const edgeLog = gateway.sandbox.edge()?.logFile ?? '';
    expect(readFileSync(edgeLog, 'utf8'), 'the edge').to.contain('edge node ready');
    expect(said, 'the trunk’s password was read').to.contain(`"reference":"trunks/sandbox/password"`);
    expect(
      Object.values(everything()).filter((text) => text.length < 8),
      'too short to look for',
    ).to.deep.equal([]);
    expect(Object.keys(secrets).filter((name) => name.startsWith('ticket'))).to.not.have.length(0);
    expect(foundIn(carrierSaw, numbers), 'numbers that were called').to.have.length(3);
    expect(foundInFiles([join(runDir, 'sandbox.json')], secrets).length).to.be.above(5);
  });

  it('TEL-6: no log of control plane, edge or Asterisk holds a number or a secret', () => {
    expect(foundInFiles(logs(), everything())).to.deep.equal([]);
  });

  it('no answer, no metric and no refusal holds a number or a secret', () => {
    expect(answers.length).to.be.above(15);
    expect(
      answers.flatMap((text) => foundIn(text, everything()).map((name) => `${name}: ${text.slice(0, 200)}`)),
    ).to.deep.equal([]);
  });

  it('every file with a secret is its owner’s alone', () => {
    const { runDir } = gateway.file;
    const files = ['control-plane', 'gateway', 'trunks'].flatMap((part) => filesBelow(join(runDir, part)));
    const top = ['sandbox.json', 'jwt-secret', 'owner.pid.json'].map((name) => join(runDir, name));
    const secret = [...files, ...top].filter((file) => foundInFiles([file], secrets).length > 0);

    expect(secret.map(placeOf)).to.include.members(['sandbox.json', 'jwt-secret', 'gateway/etc/ari.conf']);
    expect(secret.filter(isOpenToOthers)).to.deep.equal([]);
  });

  it('TEL-6: no process shows a secret or a number in its arguments or its environment', () => {
    const { controlPlane, edge, engine } = gateway.sandbox;
    const [lines, given] = [commandLines(), environments()];
    const ours = [controlPlane().pid, edge()?.pid, engine.asterisk.pid].map(String);
    for (const pid of ours) expect(lines.get(pid), pid).to.include(gateway.file.runDir);
    expect(given.get(ours[0]!))
      .to.include('HAMRAHI_ARI_PASSWORD_FILE=')
      .and.to.not.include('HAMRAHI_ARI_PASSWORD=');
    const shown = [...lines, ...given].flatMap(([pid, text]) =>
      foundIn(text, everything()).map((name) => `${pid}: ${name}`),
    );
    expect(shown).to.deep.equal([]);
  });

  it('TEL-6: the configuration of Asterisk holds no number of a person, and a secret where it is meant to be', () => {
    const files = filesBelow(join(gateway.file.runDir, 'gateway/etc'));
    expect(files.length).to.be.above(10);
    expect(foundInFiles(files, numbers)).to.deep.equal([]);
    const found = foundInFiles(files, secrets).map(placeOf);
    expect(found).to.have.members(
      ['ari.conf', 'prometheus.conf'].map((name) => `gateway/etc/${name}: ari password`),
    );
  });

  it('TEL-6: the password of a trunk is in Asterisk’s memory, and in its files nowhere', async () => {
    expect(await trunkPasswordIn(gateway.file.ari)).to.equal(trunkPassword);
    const files = filesBelow(join(gateway.file.runDir, 'gateway'));
    expect(foundInFiles(files, { 'trunk password': trunkPassword })).to.deep.equal([]);
  });

  it('TEL-6: nothing else of a run holds a secret, or a number outside the database', () => {
    const { runDir } = gateway.file;
    // The database, the carrier who is called, and the tests' own keys to all.
    const known = /^(?:postgres|carrier|gateway\/etc)\/|^secrets\/|^(?:sandbox\.json|jwt-secret)$/;
    const files = filesBelow(runDir).filter((file) => !known.test(placeOf(file)));
    expect(files.map(placeOf)).to.include.members(['audit-anchor.jsonl', 'trunks/sandbox.yml']);
    expect(foundInFiles(files, everything()).map(placeOf)).to.deep.equal([]);
  });

  it('TEL-6: the repository holds none of them', () => {
    const files = trackedFiles();
    expect(files.length).to.be.above(500);
    const strays = Object.values(STRAYS);
    const used = Object.entries(everything()).filter(([, text]) => !strays.includes(text));
    expect(used.length).to.be.above(15);
    expect(foundInFiles(files, Object.fromEntries(used))).to.deep.equal([]);
  });
});
