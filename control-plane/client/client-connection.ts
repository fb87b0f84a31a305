/**
 * A client's SIP side from its token on: fetches the client configuration, connects, and keeps the ICE servers'
 * short-lived credentials fresh, so that a call after hours of waiting still finds its way through TURN.
 */
import { Backoff } from './backoff.ts';
import type { ClientConfig, GatewayApi } from './gateway-api.ts';
import type { GatewaySockets } from './gateway-sockets.ts';
import type { IncomingLeg } from './incoming-leg.ts';
import type { MediaPort } from './media-port.ts';
import { SipClient, type SipClientEvents } from './sip-client.ts';
import { TypedEvents } from './typed-events.ts';

export interface ClientConnectionOptions {
  readonly api: GatewayApi;
  readonly sockets: GatewaySockets;
  readonly media: MediaPort;
  readonly direction: 'sendonly' | 'recvonly';
  readonly track?: () => Promise<MediaStreamTrack>;
  /** How long after our answer ICE may take. Default 2000. */
  readonly iceTimeoutMs?: number;
}

const CONFIG_REFRESH_MS = 300_000;
const PROBE_DEADLINE_MS = 1_500;
/** Never more, whatever the configuration says: an answer must leave in time. */
const GATHERING_CAP_MS = 500;

export class ClientConnection extends TypedEvents<SipClientEvents> {
  private readonly options: ClientConnectionOptions;
  private readonly backoff = new Backoff();
  private latest: ClientConfig | null = null;
  private loading: Promise<ClientConfig> | null = null;
  private sip: SipClient | null = null;
  private running = false;
  private refreshTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: ClientConnectionOptions) {
    super();
    this.options = options;
  }

  get state(): SipClientEvents['state'] {
    return this.sip?.state ?? (this.running ? 'connecting' : 'stopped');
  }

  /** The configuration, fetched once; a later call gives the newest. Retries for ever while nobody answers. */
  async config(): Promise<ClientConfig> {
    return this.latest ?? (this.loading ??= this.loadConfig().finally(() => (this.loading = null)));
  }

  /** Connects and goes on until `stop()`; can be started again. Harmless when repeated. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.emit('state', 'connecting');
    this.refreshTimer = setInterval(() => void this.refreshConfig(), CONFIG_REFRESH_MS);
    void this.config().then((config) => {
      if (this.running && this.sip === null) this.connect(config);
    });
  }

  /** A new connection now: the network changed. Calls live on. */
  reconnect(): void {
    this.backoff.hurry();
    this.sip?.reconnect();
  }

  /** Makes sure that an idle connection is alive. */
  probe(): void {
    this.backoff.hurry();
    this.sip?.probe(PROBE_DEADLINE_MS);
  }

  stop(): Promise<void> {
    return this.end((sip) => sip.stop());
  }

  /** Disappears without a word. For tests. */
  vanish(): Promise<void> {
    return this.end((sip) => sip.vanish());
  }

  private async end(how: (sip: SipClient) => Promise<void>): Promise<void> {
    this.running = false;
    clearInterval(this.refreshTimer);
    this.backoff.hurry();
    const { sip } = this;
    this.sip = null;
    if (sip !== null) await how(sip);
  }

  private connect(config: ClientConfig): void {
    const { sockets, media, direction, track, iceTimeoutMs } = this.options;
    const sip = new SipClient({
      sipUri: config.sipUri,
      openSocket: () => sockets.openSip(config.sipWssUrl),
      protocol: config.sipWssUrl.startsWith('ws:') ? 'WS' : 'WSS',
      ...(iceTimeoutMs === undefined ? {} : { iceTimeoutMs }),
      media: () => ({
        media,
        direction,
        ...(track === undefined ? {} : { track }),
        iceServers: (this.latest ?? config).iceServers.map(asRtcIceServer),
        gatheringTimeoutMs: Math.min(config.iceGatheringTimeoutMs, GATHERING_CAP_MS),
      }),
    });
    sip.on('state', (state) => this.emit('state', state));
    sip.on('leg', (leg: IncomingLeg) => this.emit('leg', leg));
    sip.on('trouble', (error) => this.emit('trouble', error));
    this.sip = sip;
    sip.start();
  }

  private async loadConfig(): Promise<ClientConfig> {
    for (;;) {
      try {
        this.latest = await this.options.api.clientConfig(this.options.sockets.deviceId);
        this.backoff.reset();
        return this.latest;
      } catch (error) {
        this.emit('trouble', error instanceof Error ? error : new Error(String(error)));
        await this.backoff.wait();
      }
    }
  }

  private async refreshConfig(): Promise<void> {
    try {
      this.latest = await this.options.api.clientConfig(this.options.sockets.deviceId);
    } catch {
      // The old one serves on; the next refresh comes.
    }
  }
}

function asRtcIceServer(server: ClientConfig['iceServers'][number]): RTCIceServer {
  const { urls, username, credential } = server;
  return {
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  };
}
