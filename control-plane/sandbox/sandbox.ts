/**
 * A whole gateway on one machine: embedded PostgreSQL, the gateway's Asterisk, the carrier simulator with a second
 * one, and the control plane as a process of its own. Everything listens on loopback and on free ports.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { mintToken } from '../src/adapters/auth/mint-token.ts';
import { loadTrunks } from '../src/adapters/engine-config/load-trunks.ts';
import type { Role } from '../src/contracts/common.ts';
import { Secret } from '../src/domain/secret.ts';
import type { Trunk } from '../src/domain/trunk/trunk.ts';
import { auditSettings } from './audit-settings.ts';
import { startCarrier, type Carrier } from './carrier/start-carrier.ts';
import { makeCertificate, type Certificate } from './certificate.ts';
import { startControlPlane, type ControlPlaneProcess } from './control-plane-process.ts';
import { reservePort, type PortReservation } from './free-ports.ts';
import { startGatewayEngine, type GatewayEngine } from './gateway-engine.ts';
import { CITIZENS, OPERATORS, SUPERVISOR } from './people.ts';
import { cleanUpDeadRuns, makeRunDirectory } from './run-directory.ts';
import { startSandboxDatabase, type SandboxDatabase } from './sandbox-database.ts';
import { secretFiles, TRUNK_SECRET, trunkSecretSettings } from './secret-files.ts';
import { writeSandboxFile, type SandboxFile } from './sandbox-file.ts';
import { seed } from './seed.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const TOKEN_TTL_S = 7 * 24 * 3600;
export const JWT = { issuer: 'hamrahi-sandbox', audience: 'hamrahi-gateway' } as const;
const ARI_APP = 'hamrahi-sandbox';

/** What a core node depends on. */
export interface ControlPlaneLinks {
  readonly databaseUrl: string;
  /** Of the engine's HTTP server. */
  readonly ariUrl: string;
}

export interface SandboxOptions {
  /** A private address of this machine, for other devices: TLS, and media on it. Default: loopback without TLS. */
  readonly bind?: string;
  /** More settings for the control plane (HAMRAHI_…), over the sandbox's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of each step. */
  readonly say?: (line: string) => void;
  /** Run the edge as a process of its own. Default: in the control plane's process. */
  readonly edgeApart?: boolean;
  /** Where PostgreSQL keeps its data, such as a disk that can be filled; its account's own. Default: in the run directory. */
  readonly databaseDir?: string;
  /** Lets the control plane reach database and engine another way, such as through proxies that can fail. */
  readonly detour?: (links: ControlPlaneLinks, file: SandboxFile) => Promise<ControlPlaneLinks>;
  /** More settings for an edge of its own. */
  readonly edgeEnv?: Readonly<Record<string, string>>;
  /** Trunks beside the carrier simulator's, which has priority 10: another simulator, or a peer that a test plays. */
  readonly moreTrunks?: readonly SandboxTrunk[];
  /** `false`: Asterisk logs no more than on a server, where verbose lines would name who calls whom. Default true. */
  readonly verboseEngineLog?: boolean;
  /** The carrier knows us by this password. Default: by our address. */
  readonly trunkPassword?: string;
}

export interface SandboxTrunk {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Lower is tried first. */
  readonly priority: number;
}

export interface Sandbox {
  readonly file: SandboxFile;
  readonly path: string;
  readonly carrier: Carrier;
  readonly engine: GatewayEngine;
  readonly database: SandboxDatabase;
  /** All settings of the control plane: another core node may be started with them, and with ports and a name of its own. */
  readonly coreEnv: Readonly<Record<string, string>>;
  /** The running control plane; replaced by `restartControlPlane`. */
  readonly controlPlane: () => ControlPlaneProcess;
  /** The edge's own process, when there is one. */
  readonly edge: () => ControlPlaneProcess | null;
  /**
   * Starts the control plane anew with the same ports, after it was stopped or killed; with more settings, if any,
   * for this one process.
   */
  restartControlPlane(env?: Readonly<Record<string, string>>): Promise<void>;
  /** The same for the edge's own process. */
  restartEdge(): Promise<void>;
  /** Ends everything in reverse order and removes the run directory. Harmless when repeated. */
  stop(): Promise<void>;
}

type Stops = (() => Promise<void>)[];

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const say = options.say ?? (() => undefined);
  const bind = checkedAddress(options.bind);
  const cleaned = await cleanUpDeadRuns();
  if (cleaned > 0) say(`cleaned up after ${cleaned} sandbox(es) that did not end properly`);
  const run = makeRunDirectory();
  const stops: Stops = [() => run.remove()];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= stopAll(stops));
  try {
    return await build(run.path, bind, options, stops, stop, say);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  runDir: string,
  bind: string | null,
  options: SandboxOptions,
  stops: Stops,
  stop: () => Promise<void>,
  say: (line: string) => void,
): Promise<Sandbox> {
  const host = bind ?? '127.0.0.1';
  const root = process.env['HAMRAHI_ASTERISK_ROOT'] ?? join(REPOSITORY, '.cache/asterisk-root');
  say('starting PostgreSQL and the carrier simulator');
  if (options.databaseDir !== undefined) symlinkSync(options.databaseDir, join(runDir, 'postgres'));
  const [postgres, carrier] = await Promise.all([
    startSandboxDatabase(join(runDir, 'postgres')).then((one) => kept(stops, one)),
    startCarrier({ root, runDir: join(runDir, 'carrier') }).then((one) => kept(stops, one)),
  ]);
  const more = options.moreTrunks ?? [];
  const { trunkPassword } = options;
  const own = { ...carrierTrunk(carrier), priority: 10, hasPassword: trunkPassword !== undefined };
  const trunksDir = writeTrunks(runDir, [own, ...more]);
  const trunkNames = ['sandbox', ...more.map(({ name }) => name)];
  say('starting Asterisk');
  const engine = kept(
    stops,
    await startGatewayEngine({
      root,
      runDir: join(runDir, 'gateway'),
      ariApp: ARI_APP,
      trunks: readTrunks(trunksDir, trunkNames),
      ...(bind === null ? {} : { address: bind }),
      verboseLog: options.verboseEngineLog ?? true,
    }),
  );
  carrier.setGateway({
    host: engine.settings.sip.transports[0]?.address ?? '127.0.0.1',
    port: engine.sipPort,
  });
  const certificate = bind === null ? null : await makeCertificate(runDir, bind);
  const ports = await reserveAll(stops, host);
  const jwtSecret = randomBytes(32).toString('base64url');
  const secretFile = join(runDir, 'jwt-secret');
  writeFileSync(secretFile, jwtSecret, { mode: 0o600 });
  const file = await describe({
    runDir,
    host,
    ports,
    carrier,
    engine,
    certificate,
    databaseUrl: postgres.url,
    secretFile,
    jwtSecret,
  });
  const direct = { databaseUrl: postgres.url, ariUrl: file.ari.url };
  const env = environment({
    file,
    links: (await options.detour?.(direct, file)) ?? direct,
    trunksDir,
    trunkNames,
    certificate,
    host,
    edgeApart: options.edgeApart === true,
    extra: { ...trunkSecretSettings(runDir, trunkPassword), ...options.env },
    edgeExtra: options.edgeEnv ?? {},
  });
  say('starting the control plane');
  const processes = await startProcesses(runDir, file, env, options.edgeApart === true, stops);
  await seed(file);
  const path = writeSandboxFile(runDir, file);
  return {
    file,
    path,
    carrier,
    engine,
    database: postgres,
    coreEnv: env.core,
    controlPlane: () => processes.core,
    edge: () => processes.edge,
    restartControlPlane: async (more = {}) => {
      processes.core = await startControlPlane(coreOptions(runDir, file, { ...env.core, ...more }));
    },
    restartEdge: async () => {
      processes.edge = await startControlPlane(edgeOptions(runDir, file, env.edge));
    },
    stop,
  };
}

interface Processes {
  core: ControlPlaneProcess;
  edge: ControlPlaneProcess | null;
}

async function startProcesses(
  runDir: string,
  file: SandboxFile,
  env: Environments,
  edgeApart: boolean,
  stops: Stops,
): Promise<Processes> {
  const processes: Processes = {
    core: await startControlPlane(coreOptions(runDir, file, env.core)),
    edge: null,
  };
  stops.push(() => processes.core.stop());
  if (edgeApart) {
    processes.edge = await startControlPlane(edgeOptions(runDir, file, env.edge));
    stops.push(async () => processes.edge?.stop());
  }
  return processes;
}

function coreOptions(runDir: string, file: SandboxFile, env: Readonly<Record<string, string>>) {
  const readyUrl = `${file.urls.api}/readyz`;
  return { runDir, name: 'core', env, readyUrl, certificateFile: file.certificateFile };
}

function edgeOptions(runDir: string, file: SandboxFile, env: Readonly<Record<string, string>>) {
  const readyUrl = `${file.urls.sip.replace(/^ws/, 'http').replace(/\/sip$/, '')}/readyz`;
  return { runDir, name: 'edge', env, readyUrl, certificateFile: file.certificateFile };
}

function kept<T extends { stop(): Promise<void> }>(stops: Stops, one: T): T {
  stops.push(() => one.stop());
  return one;
}

async function stopAll(stops: Stops): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.splice(0).reverse()) {
    await stop().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'the sandbox did not end cleanly');
}

/** Loopback or a private address of this machine; anything else would put a test system on the open network. */
function checkedAddress(bind: string | undefined): string | null {
  if (bind === undefined || bind === '') return null;
  const isPrivate =
    /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(bind);
  if (isIP(bind) === 4 && isPrivate) return bind;
  throw Object.assign(
    new Error(
      `BIND takes a private IPv4 address of this machine (10.…, 172.16–31.…, 192.168.…), not ${bind}`,
    ),
    {
      code: 'ERR_SANDBOX_BIND',
    },
  );
}

function carrierTrunk({ host, port }: Carrier): Omit<SandboxTrunk, 'priority'> {
  return { name: 'sandbox', address: host, port };
}

/** The shipped trunk file, once for each trunk, with its own address and port, and with a password where there is one. */
function writeTrunks(
  runDir: string,
  trunks: readonly (SandboxTrunk & { readonly hasPassword?: boolean })[],
): string {
  const folder = join(runDir, 'trunks');
  mkdirSync(folder);
  for (const { name, address, port, priority, hasPassword = false } of trunks) {
    const document = parseDocument(readFileSync(join(REPOSITORY, 'sip-trunks/sandbox.yml'), 'utf8'));
    document.set('name', name);
    document.set('priority', priority);
    document.set('sources', [address]);
    document.setIn(['hosts', 0, 'address'], address);
    document.setIn(['hosts', 0, 'port'], port);
    if (hasPassword) document.setIn(['auth'], { kind: 'digest', username: 'sandbox', secret: TRUNK_SECRET });
    writeFileSync(join(folder, `${name}.yml`), document.toString());
  }
  return folder;
}

function readTrunks(folder: string, names: readonly string[]): Trunk[] {
  const loaded = loadTrunks(folder, names);
  if (!loaded.ok)
    throw new Error(
      loaded.problems.map(({ file, line, expected }) => `${file}:${line ?? 0}: ${expected}`).join('\n'),
    );
  return loaded.trunks.map(({ trunk }) => trunk);
}

type Ports = Record<'http' | 'edge' | 'internal', number>;

async function reserveAll(stops: Stops, host: string): Promise<Ports> {
  const take = async (address: string): Promise<number> => {
    const reservation: PortReservation = await reservePort([address]);
    stops.push(() => reservation.release());
    return reservation.first;
  };
  return { http: await take(host), edge: await take(host), internal: await take('127.0.0.1') };
}

interface Described {
  readonly runDir: string;
  readonly host: string;
  readonly ports: Ports;
  readonly carrier: Carrier;
  readonly engine: GatewayEngine;
  readonly certificate: Certificate | null;
  readonly databaseUrl: string;
  readonly secretFile: string;
  readonly jwtSecret: string;
}

async function describe(is: Described): Promise<SandboxFile> {
  const s = is.certificate ? 's' : '';
  const api = `http${s}://${is.host}:${is.ports.http}`;
  const mint = async (role: Role, subject: string) => ({
    subject,
    token: await mintToken({ ...JWT, secret: new Secret(is.jwtSecret), role, subject, ttlS: TOKEN_TTL_S }),
  });
  const operators = await Promise.all(OPERATORS.map(({ id }) => mint('operator', id)));
  const citizens = await Promise.all(
    CITIZENS.map(async ({ id, phone }) => ({ ...(await mint('citizen', id)), phone })),
  );
  const fragment = (token: string | undefined, device: string): string =>
    `#token=${token ?? ''}&device=${device}`;
  const { ari } = is.engine.settings;
  return {
    runDir: is.runDir,
    urls: {
      api,
      feed: `ws${s}://${is.host}:${is.ports.http}/v1/panel/feed`,
      sip: `ws${s}://${is.host}:${is.ports.edge}/sip`,
      citizenPage: `${api}/citizen.html${fragment(citizens[0]?.token, CITIZENS[0]?.device ?? 'phone1')}`,
      panelPage: `${api}/panel.html${fragment(operators[0]?.token, 'panel1')}`,
      carrierReport: is.carrier.reportUrl,
    },
    certificateFile: is.certificate?.certFile ?? null,
    sipDomain: 'sos.sandbox',
    ports: {
      ...is.ports,
      ari: Number(new URL(is.engine.httpUrl).port),
      gatewaySip: is.engine.sipPort,
      carrierSip: is.carrier.port,
    },
    ari: { url: is.engine.httpUrl, user: ari.user, password: ari.password.reveal(), app: ari.app },
    databaseUrl: is.databaseUrl,
    jwt: { secretFile: is.secretFile, ...JWT },
    tokens: {
      backend: await mint('backend', 'backend'),
      admin: await mint('admin', 'admin'),
      supervisor: await mint('supervisor', SUPERVISOR.id),
      operators,
      citizens,
    },
  };
}

/** Loopback, and with BIND the network of who binds: nothing leaves it. */
function webhookNetworks(host: string): string {
  const loopback = '127.0.0.0/8,::1/128';
  return host.startsWith('127.') ? loopback : `${loopback},${host.split('.').slice(0, 3).join('.')}.0/24`;
}

interface Environments {
  readonly core: Readonly<Record<string, string>>;
  readonly edge: Readonly<Record<string, string>>;
}

function environment(is: {
  readonly file: SandboxFile;
  readonly links: ControlPlaneLinks;
  readonly trunksDir: string;
  readonly trunkNames: readonly string[];
  readonly certificate: Certificate | null;
  readonly host: string;
  readonly edgeApart: boolean;
  readonly extra: Readonly<Record<string, string>>;
  readonly edgeExtra: Readonly<Record<string, string>>;
}): Environments {
  const { file, certificate, host } = is;
  const both = {
    HAMRAHI_ENV: 'sandbox',
    HAMRAHI_NODE_ID: 'sandbox',
    ...secretFiles(file.runDir, { HAMRAHI_EDGE_SECRET: randomBytes(32).toString('base64url') }),
    ...(certificate
      ? { HAMRAHI_TLS_CERT_FILE: certificate.certFile, HAMRAHI_TLS_KEY_FILE: certificate.keyFile }
      : {}),
  };
  return {
    core: {
      ...both,
      HAMRAHI_ROLE: is.edgeApart ? 'core' : 'all',
      HAMRAHI_HTTP_LISTEN: `${host}:${file.ports.http}`,
      HAMRAHI_EDGE_LISTEN: `${host}:${file.ports.edge}`,
      HAMRAHI_INTERNAL_LISTEN: `127.0.0.1:${file.ports.internal}`,
      HAMRAHI_PUBLIC_URL: file.urls.api,
      HAMRAHI_SIP_WSS_URL: file.urls.sip,
      HAMRAHI_SIP_DOMAIN: file.sipDomain,
      HAMRAHI_JWT_HS256_SECRET_FILE: file.jwt.secretFile,
      HAMRAHI_JWT_ISSUER: file.jwt.issuer,
      HAMRAHI_JWT_AUDIENCE: file.jwt.audience,
      HAMRAHI_ARI_URL: is.links.ariUrl,
      HAMRAHI_ARI_USER: file.ari.user,
      HAMRAHI_ARI_APP: file.ari.app,
      HAMRAHI_ENGINE_SIP_WS_URL: `${file.ari.url.replace('http', 'ws')}/ws`,
      HAMRAHI_TRUNKS_DIR: is.trunksDir,
      HAMRAHI_TRUNKS: is.trunkNames.join(','),
      ...auditSettings(file.runDir),
      ...secretFiles(file.runDir, {
        HAMRAHI_ARI_PASSWORD: file.ari.password,
        HAMRAHI_DATA_KEY: randomBytes(32).toString('base64'),
        DATABASE_URL: is.links.databaseUrl,
      }),
      HAMRAHI_WEBHOOK_ALLOW_HTTP: 'yes',
      HAMRAHI_WEBHOOK_ALLOWED_NETWORKS: webhookNetworks(host),
      HAMRAHI_JOURNAL_DIR: join(file.runDir, 'journal'),
      ...is.extra,
    },
    edge: {
      ...both,
      HAMRAHI_ROLE: 'edge',
      HAMRAHI_EDGE_LISTEN: `${host}:${file.ports.edge}`,
      HAMRAHI_CORE_URL: `ws://127.0.0.1:${file.ports.internal}/edge-link`,
      ...is.edgeExtra,
    },
  };
}
