/** What the gateway leaves behind: nobody's number and nothing secret, however much it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { useGateway, type Citizen } from './support/gateway.ts';
import {
  commandLines,
  filesBelow,
  foundIn,
  foundInFiles,
  isOpenToOthers,
  type Forbidden,
} from './support/search-files.ts';
import { press, told } from './support/sos.ts';

const NEVER_MS = 60_000;
const DEADLINE_MS = 5_000;
/** Numbers that are named only in requests that fail. */
const STRAYS = { inPath: '9812300411', malformed: '9812300422', inBody: '9812300433', caller: '9812300444' };

describe('e2e: logs', function () {
  this.timeout(30_000);
  const gateway = useGateway({ env: { HAMRAHI_LOG_LEVEL: 'debug' }, verboseEngineLog: false });

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
    const environment = readFileSync(`/proc/${gateway.sandbox.controlPlane().pid}/environ`, 'utf8').split(
      '\0',
    );
    const edgeSecret = environment.find((one) => one.startsWith('HAMRAHI_EDGE_SECRET='));
    const basic = Buffer.from(`${file.ari.user}:${file.ari.password}`).toString('base64');
    Object.assign(secrets, {
      'jwt secret': readFileSync(file.jwt.secretFile, 'utf8').trim(),
      'ari password': file.ari.password,
      'ari password in base64': basic,
      'database password': decodeURIComponent(new URL(file.databaseUrl).password),
      'edge secret': edgeSecret?.slice('HAMRAHI_EDGE_SECRET='.length) ?? '',
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

  it('looks for what is there to be found, where it may be', () => {
    const { runDir } = gateway.file;
    const said = readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8');

    expect(said, 'accepted ones').to.match(/"level":"debug".*"operation":"activateSos".*"status":"201"/);
    expect(said, 'and refused ones').to.match(/"operation":"activateSos".*"status":"403"/);
    expect(logs()).to.include(join(runDir, 'gateway/log/full'));
    expect(
      Object.values(everything()).filter((text) => text.length < 8),
      'too short to look for',
    ).to.deep.equal([]);
    expect(Object.keys(secrets).filter((name) => name.startsWith('ticket'))).to.not.have.length(0);
    expect(foundIn(carrierSaw, numbers), 'numbers that were called').to.have.length(3);
    expect(foundInFiles([join(runDir, 'sandbox.json')], secrets).length).to.be.above(5);
  });

  it('no log holds a number or a secret', () => {
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

    expect(secret.map((file) => file.slice(runDir.length + 1))).to.include.members([
      'sandbox.json',
      'jwt-secret',
      'gateway/etc/ari.conf',
    ]);
    expect(secret.filter(isOpenToOthers)).to.deep.equal([]);
  });

  it('no process shows a secret or a number in its arguments', () => {
    const lines = commandLines();
    expect(lines.get(String(gateway.sandbox.controlPlane().pid))).to.include(gateway.file.runDir);
    const shown = [...lines].flatMap(([pid, line]) =>
      foundIn(line, everything()).map((name) => `${pid}: ${name}`),
    );
    expect(shown).to.deep.equal([]);
  });
});
