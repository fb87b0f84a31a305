/** A real HTTP server on a free port over fakes; every answer that `call` gets is checked against the contract. */
import { randomUUID } from 'node:crypto';
import { JwtAuthenticator } from '../../control-plane/src/adapters/auth/jwt-authenticator.ts';
import { sharedSecret } from '../../control-plane/src/adapters/auth/key-source.ts';
import { mintToken } from '../../control-plane/src/adapters/auth/mint-token.ts';
import { OpsAlertDesk } from '../../control-plane/src/app/ops-alert-desk.ts';
import { TokenRevocations } from '../../control-plane/src/app/token-revocations.ts';
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { startHttp, type HttpOptions } from '../../control-plane/src/adapters/http/start-http.ts';
import { HttpWebhookSender } from '../../control-plane/src/adapters/webhook/http-sender.ts';
import { SealedSecrets } from '../../control-plane/src/adapters/webhook/sealed-secrets.ts';
import { WebhookDesk } from '../../control-plane/src/app/webhooks/webhook-desk.ts';
import { PrometheusMetrics } from '../../control-plane/src/adapters/metrics/prometheus-metrics.ts';
import type { Problem, Role } from '../../control-plane/src/contracts/common.ts';
import { Secret } from '../../control-plane/src/domain/secret.ts';
import { checkAgainstContract } from './contract-check.ts';
import { FakeCalls } from './fake-calls.ts';
import { FakeGateway } from './fake-gateway.ts';
import { keptLog } from './kept-log.ts';
import { memoryWebhooks } from './memory/memory-webhooks.ts';
import { memoryStore } from './memory-store.ts';
import type { TrunkDesk } from '../../control-plane/src/ports/trunks.ts';

export const ISSUER = 'https://issuer.test';
export const AUDIENCE = 'gateway-test';
export const JWT_SECRET = new Secret('a-secret-that-only-the-tests-use-0123456789');

export const DATA_KEY = new Secret(Buffer.alloc(32, 7).toString('base64'));

export interface LabAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, `null` when there is none. */
  readonly body: unknown;
  /** The problem's code, or `undefined`. */
  readonly code: string | undefined;
}

export interface LabRequest {
  readonly token?: string;
  /** Sent as JSON; `raw` sends bytes or text as they are. */
  readonly body?: unknown;
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export function tokenFor(role: Role, subject: string, ttlS = 60): Promise<string> {
  return mintToken({ secret: JWT_SECRET, issuer: ISSUER, audience: AUDIENCE, role, subject, ttlS });
}

export const LAB_CLIENTS: HttpOptions['clients'] = {
  publicUrl: 'https://gateway.test',
  sipWssUrl: 'wss://edge.test/sip',
  sipDomain: 'sos.test',
  stunUrls: ['stun:stun.test:3478'],
  turn: { urls: ['turn:turn.test:3478'], secret: new Secret('turn-secret-of-the-tests'), ttlS: 3600 },
};

/** One trunk that can be used, and files that never change. */
const ONE_TRUNK: TrunkDesk = {
  entries: () => [{ name: 'carrier', description: 'A carrier for tests', priority: 10, fault: null }],
  reload: () => Promise.resolve({ ok: true, changes: [] }),
};

/** Everything that a server needs, over fakes. */
export function labParts() {
  const clock = systemClock();
  const gateway = new FakeGateway();
  const calls = new FakeCalls();
  const { directory, tickets, revocations: store } = memoryStore();
  const log = keptLog();
  const metrics = new PrometheusMetrics();
  const revocations = new TokenRevocations({ store, clock, log, metrics });
  const keys = sharedSecret(JWT_SECRET);
  const authenticator = new JwtAuthenticator({
    keys,
    issuer: ISSUER,
    audience: AUDIENCE,
    clock,
    revocations,
  });
  const alerts = new OpsAlertDesk({ senders: [], repeatMs: 900_000, newId: randomUUID, clock, log, metrics });
  const stored = memoryWebhooks();
  const webhooks = new WebhookDesk({
    endpoints: stored.webhookEndpoints,
    secrets: new SealedSecrets(DATA_KEY),
    sender: new HttpWebhookSender({ allowedNetworks: [], publicAllowed: true, allowHttp: false, clock }),
    newId: randomUUID,
    clock,
    log,
    nudge: () => undefined,
    changed: () => undefined,
  });
  return {
    clock,
    gateway,
    calls,
    directory,
    tickets,
    revocations,
    webhooks,
    stored,
    alerts,
    log,
    metrics,
    authenticator,
    trunks: ONE_TRUNK,
  };
}

export type LabParts = ReturnType<typeof labParts>;

export async function startHttpLab(overrides: Partial<HttpOptions> = {}, parts: LabParts = labParts()) {
  const server = await startHttp({
    ...parts,
    listen: { host: '127.0.0.1', port: 0 },
    tls: null,
    clients: LAB_CLIENTS,
    metricsToken: null,
    exposition: () => parts.metrics.exposition(),
    staticDir: null,
    rateLimits: { citizenPerMin: 1000, staffPerMin: 1000, backendPerMin: 1000 },
    corsOrigins: [],
    maxConnections: 1000,
    upgrades: new Map(),
    ...overrides,
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    ...parts,
    server,
    url,
    port: server.port,
    call: (method: string, path: string, request: LabRequest = {}) => call(url, method, path, request),
    close: async () => {
      await server.close(500);
      await parts.alerts.close(0);
    },
  };
}

export type HttpLab = Awaited<ReturnType<typeof startHttpLab>>;

async function call(url: string, method: string, path: string, request: LabRequest): Promise<LabAnswer> {
  const sent = request.raw ?? (request.body === undefined ? null : JSON.stringify(request.body));
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(request.token === undefined ? {} : { Authorization: `Bearer ${request.token}` }),
      ...(sent === null ? {} : { 'Content-Type': 'application/json' }),
      ...request.headers,
    },
    ...(sent === null ? {} : { body: sent as BodyInit }),
    signal: AbortSignal.timeout(5000),
  });
  const text = await response.text();
  const type = response.headers.get('content-type');
  const body: unknown = text === '' ? null : type?.includes('json') ? JSON.parse(text) : text;
  const bare = path.split('?')[0] ?? path;
  checkAgainstContract(method, bare, response.status, type, body);
  const isProblem = type === 'application/problem+json';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body,
    code: isProblem ? (body as Problem).code : undefined,
  };
}
