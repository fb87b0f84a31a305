/** An edge between raw SIP clients and a real Asterisk, with the core's end of the link in this process. */
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
  startCoreLinkServer,
  type CoreLinkServer,
  type CoreLinkServerOptions,
  type Credential,
  type Refusal,
  type SocketNotice,
  type StampNotice,
} from '../../../../control-plane/src/adapters/edge-link/core-link-server.ts';
import { startEdge, type Edge } from '../../../../control-plane/src/adapters/edge/start-edge.ts';
import type { EdgeLimits } from '../../../../control-plane/src/adapters/edge/edge-limits.ts';
import type { Admission } from '../../../../control-plane/src/contracts/core-link.ts';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import type { Clock } from '../../../../control-plane/src/ports/clock.ts';
import type { Log, LogFields, Metrics } from '../../../../control-plane/src/ports/log.ts';
import { provisionClient } from '../../../support/ari-request.ts';
import { RawClient, SIP_DOMAIN, type RawClientOptions } from './raw-client.ts';

export { SIP_DOMAIN };

export const realClock: Clock = {
  now: () => (performance.timeOrigin + performance.now()) as Instant,
  wall: () => Date.now() as Instant,
  at: (at, callback) => {
    const timer = setTimeout(callback, Math.max(0, at - realClock.now()));
    return () => clearTimeout(timer);
  },
};

/** What was counted and logged, to be looked at. */
export class Witness implements Metrics {
  readonly lines: { message: string; fields: LogFields }[] = [];
  readonly refused: string[] = [];
  readonly relayMs: number[] = [];
  /** `relayed`: a message has gone through the edge's rules. */
  readonly events = new EventEmitter();

  readonly log: Log = {
    debug: (message, fields = {}) => this.#line(message, fields),
    info: (message, fields = {}) => this.#line(message, fields),
    warn: (message, fields = {}) => this.#line(message, fields),
    error: (message, fields = {}) => this.#line(message, fields),
    child: () => this.log,
  };

  count(name: string, labels: Readonly<Record<string, string>> = {}): void {
    if (name === 'hamrahi_edge_refused_total') this.refused.push(labels['code'] ?? '');
  }

  observe(name: string, valueMs: number): void {
    if (name !== 'hamrahi_edge_relay_ms') return;
    this.relayMs.push(valueMs);
    this.events.emit('relayed');
  }

  gauge(): void {
    // Nothing here looks at gauges.
  }

  #line(message: string, fields: LogFields): void {
    this.lines.push({ message, fields });
  }
}

const endpoints = new WeakMap<GatewayEngine, Set<string>>();

export interface EdgeLab {
  readonly edge: Edge;
  readonly witness: Witness;
  readonly stamps: readonly StampNotice[];
  readonly notices: readonly SocketNotice[];
  /** Credentials in the order in which the core saw them. */
  readonly asked: readonly Credential[];
  readonly secret: string;
  readonly core: CoreLinkServer;
  /** What the core answers to a token or ticket; by default the token is the address of record. */
  admitAs: (credential: Credential) => Promise<Admission | Refusal>;
  /** Ends the core's end of the link; `startCore` brings it back on the same port. */
  stopCore(): Promise<void>;
  startCore(): Promise<void>;
  now(): number;
  /** The first stamp of this kind, there already or yet to come. Throws after 3 s. */
  untilStamp(kind: StampNotice['kind']): Promise<StampNotice>;
  /** Waits until this is the last that the core was told of the client. Throws after `deadlineMs` (default 3 s). */
  untilNotice(type: SocketNotice['type'], aor: string, deadlineMs?: number): Promise<void>;
  /** Connects as this address of record, its endpoint provisioned. */
  connect(aor: string, options?: Partial<RawClientOptions>): Promise<RawClient>;
  stop(): Promise<void>;
}

export interface EdgeLabOptions {
  readonly limits?: Partial<EdgeLimits>;
  readonly localAddress?: string;
}

export function sipUrlOf(engine: GatewayEngine): string {
  return `${engine.httpUrl.replace('http', 'ws')}/ws`;
}

export async function startEdgeLab(engine: GatewayEngine, options: EdgeLabOptions = {}): Promise<EdgeLab> {
  const witness = new Witness();
  const secret = randomBytes(24).toString('hex');
  const stamps: StampNotice[] = [];
  const notices: SocketNotice[] = [];
  const asked: Credential[] = [];
  const clients: RawClient[] = [];
  const told = new EventEmitter();
  const provisioned = endpoints.get(engine) ?? new Set<string>();
  endpoints.set(engine, provisioned);
  const coreOptions = (port: number): CoreLinkServerOptions => ({
    listen: { host: '127.0.0.1', port },
    secret,
    onAdmit: (credential) => {
      asked.push(credential);
      return lab.admitAs(credential);
    },
    onStamp: (stamp) => {
      stamps.push(stamp);
      told.emit('notice');
    },
    onSocket: (notice) => {
      notices.push(notice);
      told.emit('notice');
    },
    clock: realClock,
    log: witness.log,
    metrics: witness,
  });
  let core = await startCoreLinkServer(coreOptions(0));
  const edge = await startEdge({
    listen: { host: '127.0.0.1', port: 0 },
    coreUrls: [`ws://127.0.0.1:${core.port}`],
    coreSecret: secret,
    clock: realClock,
    log: witness.log,
    metrics: witness,
    ...options,
  });
  const lab: EdgeLab = {
    edge,
    witness,
    stamps,
    notices,
    asked,
    secret,
    get core() {
      return core;
    },
    admitAs: ({ value: aor }) =>
      Promise.resolve({
        aor,
        role: aor.startsWith('operator') ? ('operator' as const) : ('citizen' as const),
        upstreamUrl: sipUrlOf(engine),
        sipDomain: SIP_DOMAIN,
      }),
    now: () => realClock.now(),
    untilStamp: async (kind) => {
      const signal = AbortSignal.timeout(3_000);
      for (;;) {
        const stamp = stamps.find((each) => each.kind === kind);
        if (stamp !== undefined) return stamp;
        await once(told, 'notice', { signal });
      }
    },
    untilNotice: async (type, aor, deadlineMs = 3_000) => {
      const signal = AbortSignal.timeout(deadlineMs);
      while (notices.findLast((notice) => notice.aor === aor)?.type !== type)
        await once(told, 'notice', { signal });
    },
    stopCore: () => core.stop(),
    startCore: async () => {
      core = await startCoreLinkServer(coreOptions(core.port));
    },
    connect: async (aor, changes = {}) => {
      // Once only: Asterisk would misread the endpoint's access list when it is put a second time.
      if (!provisioned.has(aor)) await provisionClient(engine, { aor });
      provisioned.add(aor);
      const client = await RawClient.connect({
        url: `ws://127.0.0.1:${edge.port}/sip`,
        aor,
        headers: { authorization: `Bearer ${aor}`, 'x-hamrahi-device': 'd1' },
        ...changes,
      });
      clients.push(client);
      return client;
    },
    stop: async () => {
      for (const client of clients) client.terminate();
      await edge.stop();
      await core.stop();
    },
  };
  return lab;
}
