/** A sandbox that plain clients may use, and what its processes say of themselves while they do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startSandbox, type Sandbox } from '../../../control-plane/sandbox/sandbox.ts';
import { mintToken } from '../../../control-plane/src/adapters/auth/mint-token.ts';
import type { Role } from '../../../control-plane/src/contracts/common.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { makeDistrict, type District, type DistrictWishes } from '../../e2e/support/district.ts';
import { send } from '../../e2e/support/http.ts';
import { callWitness, type AsteriskWitness } from '../../support/asterisk-witness.ts';
import { openPlainLanes, type PlainLanes } from '../../support/plain/plain-lanes.ts';
import { figuresOf, type ProcessFigures } from './process-figures.ts';

const TOKEN_TTL_S = 24 * 3600;
const FOREVER = '1000000';

/** Delay of the event loop beyond its own tick, milliseconds. */
export interface LoopLag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export type Part = 'core' | 'edge' | 'postgres' | 'asterisk' | 'clients';
export type Figures = Readonly<Record<Part, ProcessFigures>>;

export interface GatewayUnderLoad {
  readonly sandbox: Sandbox;
  readonly lanes: PlainLanes;
  readonly witness: AsteriskWitness;
  readonly database: pg.Pool;
  token(role: Role, subject: string): Promise<string>;
  district(wishes: DistrictWishes): Promise<District>;
  put(path: string, body: unknown): Promise<void>;
  /** As a supervisor. Throws on anything but 2xx. */
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  figures(): Figures;
  /** Since it was asked last. */
  loopLag(): Promise<LoopLag>;
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startGatewayUnderLoad(
  say: (line: string) => void,
  env: Readonly<Record<string, string>> = {},
  edgeEnv: Readonly<Record<string, string>> = {},
): Promise<GatewayUnderLoad> {
  const lanes = await openPlainLanes();
  const sandbox = await startSandbox({
    say,
    edgeApart: true,
    edgeEnv,
    verboseEngineLog: false,
    env: {
      HAMRAHI_ENGINE_SIP_WS_URL: lanes.url,
      HAMRAHI_LOG_LEVEL: 'warn',
      HAMRAHI_RATE_LIMIT_CITIZEN_PER_MIN: FOREVER,
      HAMRAHI_RATE_LIMIT_STAFF_PER_MIN: FOREVER,
      ...env,
    },
  });
  lanes.attach(sandbox.file.ari);
  try {
    return await describe(sandbox, lanes);
  } catch (error) {
    await sandbox.stop();
    lanes.stop();
    throw error;
  }
}

async function describe(sandbox: Sandbox, lanes: PlainLanes): Promise<GatewayUnderLoad> {
  const { file } = sandbox;
  const secret = new Secret(readFileSync(file.jwt.secretFile, 'utf8').trim());
  const database = new pg.Pool({ connectionString: file.databaseUrl, max: 2 });
  const witness = await callWitness(file.ari);
  const request = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await send(file.urls.api, token, method, path, body === undefined ? {} : { body });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body ?? {};
  };
  const put = async (path: string, body: unknown): Promise<void> => {
    await request(file.tokens.admin.token, 'PUT', path, body);
  };
  const pids = pidsOf(sandbox);
  return {
    sandbox,
    lanes,
    witness,
    database,
    token: (role, subject) =>
      mintToken({
        issuer: file.jwt.issuer,
        audience: file.jwt.audience,
        secret,
        role,
        subject,
        ttlS: TOKEN_TTL_S,
      }),
    put,
    district: (wishes) => makeDistrict(put, wishes),
    ask: (method, path, body) => request(file.tokens.admin.token, method, path, body),
    figures: () =>
      Object.fromEntries(
        Object.entries(pids).map(([part, pid]) => [part, figuresOf(pid, part !== 'postgres')]),
      ) as unknown as Figures,
    loopLag: async () => lagOf(await exposition(file.urls.api)),
    metric: async (name) => sumOf(await exposition(file.urls.api), name),
    stop: async () => {
      await database.end();
      await sandbox.stop();
      lanes.stop();
    },
  };
}

function pidsOf(sandbox: Sandbox): Record<Part, number> {
  const postmaster = readFileSync(join(sandbox.file.runDir, 'postgres/data/postmaster.pid'), 'utf8');
  return {
    core: sandbox.controlPlane().pid,
    edge: sandbox.edge()?.pid ?? 0,
    postgres: Number(postmaster.split('\n')[0]),
    asterisk: sandbox.engine.asterisk.pid,
    clients: process.pid,
  };
}

async function exposition(api: string): Promise<string> {
  const response = await fetch(new URL('/metrics', api), { signal: AbortSignal.timeout(5_000) });
  return response.text();
}

/** The gauge counts whole turns of a tick of 10 ms. */
const TICK_MS = 10;

function lagOf(text: string): LoopLag {
  const ms = (name: string): number =>
    Math.max(0, sumOf(text, `nodejs_eventloop_lag_${name}_seconds`) * 1000 - TICK_MS);
  return { p50: ms('p50'), p99: ms('p99'), max: ms('max') };
}

function sumOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
