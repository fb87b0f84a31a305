/**
 * A registered SIP user agent over WebSocket: keeps itself connected for ever and hands over the gateway's calls.
 *
 * A lost connection ends no call: media flow past it. Each connection is opened with a fresh credential.
 * Any number of calls run side by side; the gateway offers a second one beside a first that is slow to connect.
 * After `stop()` it cannot be started again: make a new one.
 */
import { URI, UserAgent, UserAgentState, type Invitation } from 'sip.js';
import { Backoff } from './backoff.ts';
import type { ClientSocket } from './gateway-sockets.ts';
import { IncomingLeg } from './incoming-leg.ts';
import { OneWayMedia, type OneWayMediaOptions } from './one-way-media.ts';
import { SipRegistration } from './sip-registration.ts';
import { SipSocketClosed, SipTransport } from './sip-transport.ts';
import { TypedEvents } from './typed-events.ts';

export interface SipClientOptions {
  /** `sip:citizen-<id>-<device>@<domain>`, from the client configuration. */
  readonly sipUri: string;
  readonly openSocket: () => Promise<ClientSocket>;
  /** What a new call's media are made of: read when it arrives. */
  readonly media: () => OneWayMediaOptions;
  readonly protocol?: 'WS' | 'WSS';
  /** Not connected this long after our 200: the call is given up. Default 2 s. */
  readonly iceTimeoutMs?: number;
}

export interface SipClientEvents {
  /** `connecting` covers the first and every later attempt. */
  state: 'connecting' | 'registered' | 'stopped';
  /** A new call. Answer or reject it. */
  leg: IncomingLeg;
  /** Why an attempt failed or a connection was lost; it is tried again by itself. */
  trouble: Error;
}

/** After a REGISTER's answer, a connection needs no other proof of life. */
const PROOF_LASTS_MS = 3_000;
const DEADLINES = { connectMs: 5_000, registerMs: 4_000, unregisterMs: 500 } as const;
const REGISTRATION_S = 120;
/** Often enough to keep a NAT's and a proxy's idle timer quiet, and to notice a dead connection. */
const REFRESH_MS = 20_000;

export class SipClient extends TypedEvents<SipClientEvents> {
  private readonly options: SipClientOptions;
  private readonly agent: UserAgent;
  private registeredAt = Number.NEGATIVE_INFINITY;
  private readonly registration: SipRegistration;
  private readonly backoff = new Backoff();
  private readonly legs = new Set<IncomingLeg>();
  private current: SipClientEvents['state'] = 'stopped';
  private running = false;
  private loseConnection: ((error: Error) => void) | null = null;
  private refreshNow: ((deadlineMs: number) => void) | null = null;

  constructor(options: SipClientOptions) {
    super();
    this.options = options;
    const uri = UserAgent.makeURI(options.sipUri);
    if (!(uri instanceof URI) || uri.user === undefined)
      throw new Error(`not a SIP address: ${options.sipUri}`);
    this.agent = new UserAgent({
      uri,
      contactName: uri.user,
      contactParams: { transport: 'ws' },
      transportConstructor: SipTransport,
      transportOptions: {
        open: options.openSocket,
        protocol: options.protocol ?? 'WSS',
        connectDeadlineMs: DEADLINES.connectMs,
      },
      sessionDescriptionHandlerFactory: () => new OneWayMedia(options.media()),
      delegate: {
        onInvite: (invitation) => this.take(invitation),
        onDisconnect: (error) => this.loseConnection?.(error ?? new Error('disconnected')),
      },
      gracefulShutdown: false,
      logBuiltinEnabled: false,
      logConfiguration: false,
      userAgentString: 'Ham Rahi client',
    });
    this.registration = new SipRegistration(this.agent, uri);
  }

  get state(): SipClientEvents['state'] {
    return this.current;
  }

  /** Starts to connect and goes on until `stop()`. Harmless when repeated. */
  start(): void {
    if (this.running) return;
    this.running = true;
    void this.keepRegistered();
  }

  /** The network changed, or somebody pressed SOS: connect anew now. Calls live on. */
  reconnect(): void {
    this.backoff.reset();
    this.backoff.hurry();
    this.loseConnection?.(new Error('reconnect was asked for'));
  }

  /**
   * Asks now whether a connection that says it is up really is: a REGISTER that must be answered this soon. One that
   * has just been answered is answer enough: nothing then competes with the call that is coming.
   */
  probe(deadlineMs: number): void {
    this.backoff.hurry();
    if (performance.now() - this.registeredAt > PROOF_LASTS_MS) this.refreshNow?.(deadlineMs);
  }

  /** Ends every call, takes the contact away and disconnects: at most about a second. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.running = false;
    await Promise.all([...this.legs].map((leg) => leg.hangUp()));
    if (this.current === 'registered') {
      await this.registration.register(0, DEADLINES.unregisterMs).catch(() => undefined);
    }
    await this.disconnect();
  }

  /** Disappears without a word, as a phone does whose battery ends. For tests. */
  async vanish(): Promise<void> {
    this.running = false;
    await this.agent.transport.disconnect();
    for (const leg of this.legs) leg.media?.close();
    await this.disconnect();
  }

  private async disconnect(): Promise<void> {
    this.backoff.hurry();
    this.loseConnection?.(new Error('stopped'));
    // Resets every transaction and its timers.
    await this.agent.stop();
    this.enter('stopped');
  }

  private async keepRegistered(): Promise<void> {
    while (this.running) {
      this.enter('connecting');
      let leastMs = 0;
      try {
        await this.stayConnected();
      } catch (error) {
        if (error instanceof SipSocketClosed) leastMs = error.waitMs;
        if (this.isRunning()) this.emit('trouble', error instanceof Error ? error : new Error(String(error)));
      }
      if (!this.isRunning()) return;
      await this.agent.transport.disconnect();
      await this.backoff.wait(leastMs);
    }
  }

  private isRunning(): boolean {
    return this.running;
  }

  /** Returns only by throwing: when the connection or a registration is lost. */
  private async stayConnected(): Promise<never> {
    const lost = new Promise<never>((_, reject) => (this.loseConnection = reject));
    lost.catch(() => undefined);
    // Starting the agent is its first attempt to connect.
    const { agent } = this;
    await Promise.race([
      lost,
      agent.state === UserAgentState.Stopped ? agent.start() : agent.transport.connect(),
    ]);
    for (let deadlineMs: number = DEADLINES.registerMs; ;) {
      await Promise.race([lost, this.registration.register(REGISTRATION_S, deadlineMs)]);
      this.registeredAt = performance.now();
      this.backoff.reset();
      this.enter('registered');
      deadlineMs = await this.untilRefresh(lost);
    }
  }

  /** Resolves with the deadline of the next REGISTER when that is due. */
  private async untilRefresh(lost: Promise<never>): Promise<number> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const due = new Promise<number>((resolve) => {
      timer = setTimeout(() => resolve(DEADLINES.registerMs), REFRESH_MS);
      this.refreshNow = resolve;
    });
    try {
      return await Promise.race([lost, due]);
    } finally {
      clearTimeout(timer);
      this.refreshNow = null;
    }
  }

  private take(invitation: Invitation): void {
    const leg = new IncomingLeg(invitation, this.options.iceTimeoutMs ?? 2_000);
    this.legs.add(leg);
    leg.on('ended', () => this.legs.delete(leg));
    this.emit('leg', leg);
  }

  private enter(state: SipClientEvents['state']): void {
    if (this.current === state) return;
    this.current = state;
    this.emit('state', state);
  }
}
