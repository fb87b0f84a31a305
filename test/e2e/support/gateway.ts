/**
 * The whole gateway for one suite of tests, and the people who use it. After every test each open session is
 * resolved, and an independent witness must find nothing of them in Asterisk.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import {
  createCarrierReport,
  type CarrierReport,
} from '../../../control-plane/sandbox/carrier/carrier-report.ts';
import type { SandboxFile } from '../../../control-plane/sandbox/sandbox-file.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../control-plane/sandbox/sandbox.ts';
import { mintToken } from '../../../control-plane/src/adapters/auth/mint-token.ts';
import type { Location, Role } from '../../../control-plane/src/contracts/common.ts';
import type { SessionView } from '../../../control-plane/src/contracts/session-view.ts';
import type { Timeline } from '../../../control-plane/src/contracts/sos-api.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { callWitness, type AsteriskWitness } from '../../support/asterisk-witness.ts';
import {
  createHeadlessCitizen,
  createHeadlessOperator,
  type HeadlessCitizen,
  type HeadlessCitizenOptions,
  type HeadlessOperator,
  type HeadlessOperatorOptions,
} from '../../../control-plane/client/headless/index.ts';
import { makeDistrict, newNumber, type District, type DistrictWishes } from './district.ts';
import { eventually } from './eventually.ts';
import { LISTEN_TONES_HZ } from '../../../control-plane/sandbox/audio/tones.ts';
import { metricOf, send, type Answer, type RequestWishes } from './http.ts';

export interface CitizenWishes extends Partial<HeadlessCitizenOptions> {
  /** Last two digits of her phone: what it does. Default `00`: answers after 1 s. `null`: she has none. */
  readonly phone?: string | null;
  readonly phoneVerified?: boolean;
  readonly silentProfile?: boolean;
}

export interface Citizen extends HeadlessCitizen {
  readonly id: string;
  readonly token: string;
  readonly phone: string | null;
}

export interface TokenWishes {
  readonly ttlS?: number;
  readonly secret?: string;
  readonly issuer?: string;
  readonly audience?: string;
}

const STARTED_MS = 60_000;
const CLEARED_MS = 8_000;
const ARMED_MS = 10_000;
const ANSWERED_MS = 10_000;
/** Hung up by somebody meanwhile. */
const CALL_IS_OVER = 409;
const ASK_AGAIN_MS = 200;
const KEPT_LOGS = resolve(import.meta.dirname, '../../../coverage/e2e-failures');

/** Registers hooks of the running suite. */
export function useGateway(options: SandboxOptions | (() => Promise<SandboxOptions>) = {}): Gateway {
  const gateway = new Gateway();
  before('starts a sandbox', async function () {
    this.timeout(STARTED_MS);
    await gateway.start(typeof options === 'function' ? await options() : options);
  });
  afterEach('finds nothing left in Asterisk', async function () {
    this.timeout(STARTED_MS);
    const title = this.currentTest?.fullTitle() ?? 'a test';
    if (this.currentTest?.state === 'failed') gateway.keepLogs(title);
    await gateway.clear().catch((error: unknown) => {
      gateway.keepLogs(title);
      throw error;
    });
  });
  after('stops the sandbox', async function () {
    this.timeout(STARTED_MS);
    await gateway.stop();
  });
  return gateway;
}

export class Gateway {
  #sandbox: Sandbox | null = null;
  #witness: AsteriskWitness | null = null;
  #carrier: CarrierReport | null = null;
  #database: Pool | null = null;
  readonly #people = new Set<{ close(): Promise<void> }>();
  /** Panels and devices without a session: their endpoints linger for a while, as they may come back. */
  readonly #lingering = new Set<string>(['sandbox']);
  #citizens = 0;

  get sandbox(): Sandbox {
    return there(this.#sandbox);
  }

  get file(): SandboxFile {
    return this.sandbox.file;
  }

  get witness(): AsteriskWitness {
    return there(this.#witness);
  }

  get carrier(): CarrierReport {
    return there(this.#carrier);
  }

  async start(options: SandboxOptions): Promise<void> {
    this.#sandbox = await startSandbox(options);
    this.#witness = await callWitness(this.file.ari);
    this.#carrier = createCarrierReport(this.file.urls.carrierReport);
    this.#database = new Pool({ connectionString: this.file.databaseUrl, max: 4 });
    // PostgreSQL may be made to crash: the next query says so.
    this.#database.on('error', () => undefined);
  }

  async stop(): Promise<void> {
    await this.#sendHome();
    await this.#database?.end();
    await this.#sandbox?.stop();
  }

  /** Ends what the test left open; then nothing of it may be left in Asterisk, while its clients are still there. */
  async clear(): Promise<void> {
    try {
      const open = await this.#answered(
        this.file.tokens.supervisor.token,
        'GET',
        '/v1/sos?open=true&limit=200',
      );
      for (const { id } of (open as { readonly sessions: readonly SessionView[] }).sessions)
        await this.resolve(id);
      await this.#hangUpCalls();
      await this.assertNothingLeft();
    } finally {
      await this.#sendHome();
      await this.carrier.clearFaults();
      await this.carrier.reset();
    }
  }

  /** No channel, no bridge, and no endpoint but those of panels and of devices without a session. */
  assertNothingLeft(deadlineMs = CLEARED_MS): Promise<void> {
    return this.witness.assertNothingLeft([...this.#lingering], deadlineMs);
  }

  /** What the processes said, for whoever looks into a failure. */
  keepLogs(title: string): void {
    const folder = join(KEPT_LOGS, title.replaceAll(/[^\w-]+/g, '_').slice(0, 100));
    mkdirSync(folder, { recursive: true });
    for (const log of this.logFiles()) {
      const name = relative(this.file.runDir, log).replaceAll('/', '-');
      if (existsSync(log)) copyFileSync(log, join(folder, name));
    }
  }

  /** The control plane's log and Asterisk's. */
  logFiles(): readonly string[] {
    return [
      this.sandbox.controlPlane().logFile,
      ...['log/full', 'log/console.log'].map((name) => join(this.file.runDir, 'gateway', name)),
    ];
  }

  district(wishes: DistrictWishes = {}): Promise<District> {
    return makeDistrict((path, body) => this.put(path, body), wishes);
  }

  /** A registered citizen with two devices, `phone1` and `phone2`. The first is hers; nothing is connected yet. */
  async citizen(wishes: CitizenWishes = {}): Promise<Citizen> {
    const { phone: digits = '00', phoneVerified = true, silentProfile = false, ...options } = wishes;
    this.#citizens += 1;
    const id = `priya${this.#citizens}`;
    const phone = digits === null ? null : newNumber('citizen', digits);
    await this.put(`/v1/citizens/${id}`, {
      phone,
      phoneVerified,
      silent: silentProfile,
      homeZone: 'central',
      devices: ['phone1', 'phone2'],
    });
    const token = await this.token('citizen', id);
    return { ...(await this.app(token, options)), id, token, phone };
  }

  /** An app on a device: her second one, or the same after it was started again. */
  async app(token: string, options: Partial<HeadlessCitizenOptions> = {}): Promise<HeadlessCitizen> {
    const baseUrl = this.file.urls.api;
    const headless = await createHeadlessCitizen({ baseUrl, token, deviceId: 'phone1', ...options });
    this.#people.add(headless);
    return headless;
  }

  /** A citizen's app that is connected and armed at this place. */
  async armedCitizen(location: Location, wishes: CitizenWishes = {}): Promise<Citizen> {
    const citizen = await this.citizen(wishes);
    citizen.client.arm(location);
    await eventually(
      'her app is armed',
      () => (citizen.client.state.name === 'armed' ? true : null),
      ARMED_MS,
    );
    return citizen;
  }

  /** A panel of this operator, on duty unless told otherwise; a supervisor's can be called without a shift. */
  async panel(
    operatorId: string,
    wishes: Partial<HeadlessOperatorOptions> & {
      readonly onDuty?: boolean;
      readonly role?: 'operator' | 'supervisor';
    } = {},
  ): Promise<HeadlessOperator> {
    const { onDuty = true, role = 'operator', ...options } = wishes;
    const clientId = options.clientId ?? 'panel1';
    this.lingers(`operator-${operatorId}-${clientId}`);
    const operator = await createHeadlessOperator({
      baseUrl: this.file.urls.api,
      token: await this.token(role, operatorId),
      clientId,
      candidatesHz: LISTEN_TONES_HZ,
      ...options,
    });
    this.#people.add(operator);
    if (role === 'supervisor') await operator.openAudio();
    else if (onDuty) await operator.beginShift();
    else await operator.client.start();
    return operator;
  }

  /** This device has no session: its endpoint may outlive the test. */
  lingers(aor: string): void {
    this.#lingering.add(aor);
  }

  /** Closed at the end of the test. */
  keep(person: { close(): Promise<void> }): void {
    this.#people.add(person);
  }

  token(role: Role, subject: string, wishes: TokenWishes = {}): Promise<string> {
    const { jwt } = this.file;
    const { secret = readFileSync(jwt.secretFile, 'utf8').trim(), ttlS = 3600, ...claims } = wishes;
    return mintToken({
      secret: new Secret(secret),
      issuer: jwt.issuer,
      audience: jwt.audience,
      role,
      subject,
      ttlS,
      ...claims,
    });
  }

  send(token: string | null, method: string, path: string, wishes: RequestWishes = {}): Promise<Answer> {
    return send(this.file.urls.api, token, method, path, wishes);
  }

  async put(path: string, body: unknown): Promise<void> {
    await this.#answered(this.file.tokens.admin.token, 'PUT', path, { body });
  }

  metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return metricOf(this.file.urls.api, name, labels);
  }

  async sql<Row extends object>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await there(this.#database).query<Row>(statement, [...values])).rows;
  }

  /** The session as a supervisor sees it. */
  async view(id: string): Promise<SessionView> {
    return (await this.#read(`/v1/sos/${id}`)) as SessionView;
  }

  async timeline(id: string): Promise<Timeline> {
    return (await this.#read(`/v1/sos/${id}/timeline`)) as Timeline;
  }

  /** The session's view as soon as it fits. */
  viewWhen(
    id: string,
    what: string,
    fits: (view: SessionView) => boolean,
    deadlineMs?: number,
  ): Promise<SessionView> {
    return eventually(
      what,
      async () => {
        const view = await this.view(id);
        return fits(view) ? view : null;
      },
      deadlineMs,
    );
  }

  async resolve(id: string): Promise<void> {
    await this.#answered(this.file.tokens.admin.token, 'POST', `/v1/sos/${id}/resolve`, { body: {} });
  }

  async #hangUpCalls(): Promise<void> {
    const { token } = this.file.tokens.admin;
    const open = '/v1/calls?state=queued,dialing,ringing,answered&limit=200';
    const { calls } = (await this.#answered(token, 'GET', open)) as {
      readonly calls: readonly { readonly id: string }[];
    };
    for (const { id } of calls) await this.#answered(token, 'DELETE', `/v1/calls/${id}`, {}, [CALL_IS_OVER]);
  }

  async #sendHome(): Promise<void> {
    const people = [...this.#people];
    this.#people.clear();
    await Promise.all(people.map((person) => person.close()));
  }

  #read(path: string): Promise<unknown> {
    return this.#answered(this.file.tokens.supervisor.token, 'GET', path);
  }

  /** On a machine that is busy the database may be slow for a moment: it is asked again, as people would. */
  async #answered(
    token: string,
    method: string,
    path: string,
    wishes: RequestWishes = {},
    fine: readonly number[] = [],
  ): Promise<unknown> {
    const deadline = performance.now() + ANSWERED_MS;
    let answer = await this.send(token, method, path, wishes);
    while (answer.status === 503 && performance.now() < deadline) {
      await delay(ASK_AGAIN_MS);
      answer = await this.send(token, method, path, wishes);
    }
    if (answer.status >= 300 && !fine.includes(answer.status))
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}

function there<Thing>(thing: Thing | null): Thing {
  if (thing === null) throw new Error('the sandbox has not started');
  return thing;
}
