/**
 * A citizen's side of an SOS: activates it, sends the microphone to the gateway one way, and stops it at the end.
 *
 * The order of an app: `arm()` when the finger goes down (microphone, connection, an operator preselected), then
 * `press()` or `release()`. `press()` alone works too. From then on the client needs nothing: it answers every
 * call of the gateway, newest included, connects again for ever, and ends when the gateway says that it is over.
 * Nothing that arrives is ever played: the operator is not heard here.
 */
import { activateUntilAnswered } from './activation.ts';
import { Backoff } from './backoff.ts';
import { ClientConnection } from './client-connection.ts';
import type { Activation, GatewayApi, Location, SessionView } from './gateway-api.ts';
import type { GatewaySockets } from './gateway-sockets.ts';
import type { IncomingLeg } from './incoming-leg.ts';
import type { CitizenMediaPort } from './media-port.ts';
import { Microphone } from './microphone.ts';
import { AFTER_PRESS_MS, isOver, SessionWatch } from './session-watch.ts';
import { TypedEvents } from './typed-events.ts';

/**
 * `calling` waits for: `gateway` the answer to the SOS; `offer` the gateway's call; `audio` its media to connect;
 * `phone` nothing, the police are on the telephone.
 * `ended`: `refused` means that the gateway does not accept this identity, `stopped` that this app gave up,
 * `gone` that the gateway does not know the session (any more).
 */
export type CitizenState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | { readonly name: 'armed' }
  | { readonly name: 'calling'; readonly waitingFor: 'gateway' | 'offer' | 'audio' | 'phone' }
  | { readonly name: 'streaming' }
  | {
      readonly name: 'ended';
      readonly reason: 'resolved' | 'released' | 'refused' | 'stopped' | 'gone';
      readonly detail: string;
    };

export interface CitizenClientEvents {
  state: CitizenState;
  session: SessionView;
  /** A call of the gateway, before it is answered. */
  leg: IncomingLeg;
  /** What the microphone captures now, for a level meter; `null` when it is off. */
  microphone: MediaStreamTrack | null;
  /** Whether the gateway can reach this device. */
  connection: 'connecting' | 'registered' | 'stopped';
  /** What went wrong; the client goes on by itself. */
  trouble: Error;
}

export interface CitizenClientOptions {
  readonly api: GatewayApi;
  readonly sockets: GatewaySockets;
  readonly media: CitizenMediaPort;
  /** How long after its answer a call's ICE may take before it is given up. Default 2000. */
  readonly iceTimeoutMs?: number;
}

/** The gateway's BYE may be followed by a new offer; later than this the microphone is off. */
const MICROPHONE_LINGER_MS = 2_000;
/** How long after a change of network a call may take to heal by itself. */
const HEAL_MS = 2_000;

export class CitizenClient extends TypedEvents<CitizenClientEvents> {
  private readonly options: CitizenClientOptions;
  private readonly connection: ClientConnection;
  private readonly microphone: Microphone;
  private readonly backoff = new Backoff();
  private readonly legs = new Set<IncomingLeg>();
  private current: CitizenState = { name: 'idle' };
  private watch: SessionWatch | null = null;
  private arming: Promise<void> = Promise.resolve();
  private armedSessionId: string | null = null;
  private openSessionId: string | null = null;
  private phase: SessionView['phase'] | null = null;
  private lingerTimer: ReturnType<typeof setTimeout> | undefined;
  private healTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CitizenClientOptions) {
    super();
    this.options = options;
    this.microphone = new Microphone(options.media);
    this.connection = new ClientConnection({
      api: options.api,
      sockets: options.sockets,
      media: options.media,
      direction: 'sendonly',
      ...(options.iceTimeoutMs === undefined ? {} : { iceTimeoutMs: options.iceTimeoutMs }),
      track: () => this.microphone.open(),
    });
    this.connection.on('state', (state) => {
      this.emit('connection', state);
      if (state === 'registered' && this.current.name === 'connecting') this.enter({ name: 'armed' });
    });
    this.connection.on('leg', (leg) => void this.take(leg));
    this.connection.on('trouble', (error) => {
      // The gateway closes the connection when the session is over: ask whether it is.
      this.watch?.askNow();
      this.emit('trouble', error);
    });
    this.microphone.on('track', (track) => {
      this.emit('microphone', track);
      if (track !== null)
        for (const leg of this.legs) void leg.media?.replaceTrack(track).catch(() => undefined);
    });
    this.microphone.on('trouble', (error) => this.emit('trouble', error));
  }

  get state(): CitizenState {
    return this.current;
  }

  /** The SOS that runs, once the gateway has named it. An app that may be restarted keeps it for `resume()`. */
  get sessionId(): string | null {
    return this.openSessionId;
  }

  /** The calls that are up or being set up. */
  get calls(): readonly IncomingLeg[] {
    return [...this.legs];
  }

  /** Fetches the configuration ahead of time, so that `arm()` has one round trip less. */
  async prepare(): Promise<void> {
    await this.connection.config();
  }

  /** Warm-up. Nothing in it can fail the SOS: what does not work is reported as trouble, and tried again. */
  arm(location?: Location): void {
    if (this.current.name !== 'idle' && this.current.name !== 'ended') return;
    this.begin({ name: 'connecting' });
    this.arming = this.options.api.arm(this.activation(location)).then(
      (armed) => {
        this.armedSessionId = armed.id;
      },
      (error: unknown) => this.report(error),
    );
  }

  /** SOS, out of the armed session if there is one. Resolves when the gateway has it, or has refused it; `state` tells which. */
  async press(location?: Location): Promise<void> {
    if (this.current.name === 'calling' || this.current.name === 'streaming') return;
    this.begin({ name: 'calling', waitingFor: 'gateway' });
    this.connection.probe();
    try {
      const activated = await activateUntilAnswered({
        api: this.options.api,
        activation: { ...this.activation(location), clientTime: new Date().toISOString() },
        backoff: this.backoff,
        wanted: () => this.isOpen(),
        onTrouble: (error) => this.emit('trouble', error),
      });
      if (activated !== null && this.isOpen()) this.follow(activated.id, AFTER_PRESS_MS);
    } catch (error) {
      this.finish('refused', error instanceof Error ? error.message : String(error));
    }
  }

  /** The app was started again while an SOS ran: the gateway offers anew as soon as this device is back. */
  resume(sessionId: string): void {
    if (this.current.name !== 'idle' && this.current.name !== 'ended') return;
    this.begin({ name: 'calling', waitingFor: 'gateway' });
    this.follow(sessionId, 0);
  }

  /** Let go before `press()`. Afterwards it does nothing: only the police end an SOS. */
  async release(): Promise<void> {
    if (this.current.name !== 'connecting' && this.current.name !== 'armed') return;
    const { arming } = this;
    this.finish('released', '');
    await arming;
    const armed = this.armedSessionId;
    if (armed !== null) await this.options.api.release(armed).catch((error: unknown) => this.report(error));
  }

  /** The device has another network now: connect anew, and let the gateway offer anew where a call does not heal. */
  networkChanged(): void {
    this.backoff.hurry();
    this.connection.reconnect();
    this.watch?.askNow();
    clearTimeout(this.healTimer);
    this.healTimer = setTimeout(() => {
      for (const leg of this.legs) void leg.giveUpIfInterrupted();
    }, HEAL_MS);
  }

  /** Ends everything on this device. The session itself stays open: the police will call. */
  async stop(): Promise<void> {
    if (this.current.name !== 'idle' && this.current.name !== 'ended') this.finish('stopped', '');
    await this.connection.stop();
  }

  /** Disappears without a word, as when the battery ends. For tests. */
  async vanish(): Promise<void> {
    this.current = { name: 'ended', reason: 'stopped', detail: 'vanished' };
    this.quiet();
    await this.connection.vanish();
  }

  private begin(state: CitizenState): void {
    if (this.current.name === 'ended') this.armedSessionId = this.openSessionId = this.phase = null;
    this.enter(state);
    this.connection.start();
    this.microphone.open().catch((error: unknown) => this.report(error));
    if (this.connection.state === 'registered' && state.name === 'connecting') this.enter({ name: 'armed' });
  }

  private isOpen(): boolean {
    return this.current.name === 'calling' || this.current.name === 'streaming';
  }

  private activation(location: Location | undefined): Activation {
    return { deviceId: this.options.sockets.deviceId, ...(location === undefined ? {} : { location }) };
  }

  private follow(sessionId: string, askAfterMs: number): void {
    this.openSessionId = sessionId;
    this.backoff.reset();
    this.judge();
    const watch = new SessionWatch(this.options.api, sessionId);
    watch.on('session', (session) => this.learn(session));
    watch.on('gone', () => this.finish('gone', 'the gateway does not know this session'));
    this.watch = watch;
    watch.start(askAfterMs);
  }

  private learn(session: SessionView): void {
    this.phase = session.phase;
    this.emit('session', session);
    if (isOver(session.phase)) {
      this.finish(session.phase, '');
      return;
    }
    // On the telephone: it needs the microphone, and nobody listens here.
    if (session.phase === 'phone-connected' && this.legs.size === 0) this.microphone.stop();
    this.judge();
  }

  private async take(leg: IncomingLeg): Promise<void> {
    if (!this.isOpen()) {
      await leg.reject(480);
      return;
    }
    clearTimeout(this.lingerTimer);
    this.legs.add(leg);
    leg.on('connected', () => this.judge());
    leg.on('interrupted', () => this.judge());
    leg.on('ended', () => this.drop(leg));
    this.emit('leg', leg);
    this.judge();
    try {
      await this.microphone.open();
    } catch (error) {
      this.report(error);
      await leg.reject(488);
      return;
    }
    await leg.answer();
  }

  private drop(leg: IncomingLeg): void {
    this.legs.delete(leg);
    if (!this.isOpen()) return;
    this.judge();
    if (this.legs.size > 0) return;
    this.watch?.askNow();
    this.lingerTimer = setTimeout(() => this.microphone.stop(), MICROPHONE_LINGER_MS);
  }

  /** Which state follows from the calls and what the gateway said last. */
  private judge(): void {
    if (!this.isOpen()) return;
    const streaming = [...this.legs].some((leg) => leg.connected);
    if (this.watch !== null) this.watch.streaming = streaming;
    if (streaming) this.enter({ name: 'streaming' });
    else if (this.legs.size > 0) this.enter({ name: 'calling', waitingFor: 'audio' });
    else if (this.phase === 'phone-connected') this.enter({ name: 'calling', waitingFor: 'phone' });
    else this.enter({ name: 'calling', waitingFor: this.openSessionId === null ? 'gateway' : 'offer' });
  }

  private finish(reason: Extract<CitizenState, { name: 'ended' }>['reason'], detail: string): void {
    if (this.current.name === 'ended') return;
    const legs = [...this.legs];
    this.enter({ name: 'ended', reason, detail });
    this.quiet();
    void Promise.all(legs.map((leg) => leg.hangUp())).then(() => {
      if (this.current.name === 'ended') void this.connection.stop();
    });
  }

  /** Microphone off, timers off, nothing is asked any more. */
  private quiet(): void {
    this.microphone.stop();
    this.watch?.stop();
    this.watch = null;
    clearTimeout(this.lingerTimer);
    clearTimeout(this.healTimer);
    this.backoff.hurry();
  }

  private enter(state: CitizenState): void {
    const same = JSON.stringify(state) === JSON.stringify(this.current);
    this.current = state;
    if (!same) this.emit('state', state);
  }

  private report(error: unknown): void {
    this.emit('trouble', error instanceof Error ? error : new Error(String(error)));
  }
}
