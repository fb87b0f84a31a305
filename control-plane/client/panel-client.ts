/**
 * An operator's side: the feed with its cards, and the citizens' voices, which are answered and played by themselves.
 *
 * `beginShift()` belongs to a click: it unlocks the browser's audio. From then on the gateway's calls are answered
 * receive-only, their first packet is reported at once (that is how the gateway knows that somebody hears), and
 * everything reconnects for ever. Nothing of the operator is ever sent.
 */
import type { PanelMessage } from '../src/contracts/panel-feed.ts';
import { AudioMonitor, type AudioReading } from './audio-monitor.ts';
import { CardList, isFeedEvent } from './card-list.ts';
import { ClientConnection } from './client-connection.ts';
import type { GatewayApi, OpsAlertView, SessionView } from './gateway-api.ts';
import type { GatewaySockets } from './gateway-sockets.ts';
import type { IncomingLeg } from './incoming-leg.ts';
import type { PanelMediaPort } from './media-port.ts';
import { OpsAlertList } from './ops-alert-list.ts';
import { PanelFeed, type FeedEvent, type FeedMessage, type PanelFeedEvents } from './panel-feed.ts';
import { TypedEvents } from './typed-events.ts';

export type AlertKind = SessionView['alerts'][number]['kind'];

export interface PanelClientEvents {
  /** Every card, in the order in which to show them. */
  cards: readonly SessionView[];
  /** What happened, for those who want more than the state that follows. */
  event: FeedEvent;
  /** Whether the gateway has us on duty. */
  shift: 'off' | 'beginning' | 'on';
  feed: PanelFeedEvents['state'];
  /** Whether calls can reach this panel. */
  connection: 'connecting' | 'registered' | 'stopped';
  /** The gateway's own parts. */
  health: { readonly engine: boolean; readonly database: boolean };
  /** Alerts about the gateway that stand, for supervisors: every one, at each change. */
  opsAlerts: readonly OpsAlertView[];
  audio: AudioReading;
  /** A voice ended; its meter can go. */
  audioEnded: { readonly sessionId: string; readonly legId: string };
  leg: IncomingLeg;
  trouble: Error;
}

export interface PanelClientOptions {
  readonly api: GatewayApi;
  readonly sockets: GatewaySockets;
  readonly media: PanelMediaPort;
}

export class PanelClient extends TypedEvents<PanelClientEvents> {
  private readonly options: PanelClientOptions;
  private readonly connection: ClientConnection;
  private readonly cardList = new CardList();
  private readonly alertList = new OpsAlertList();
  private readonly monitors = new Map<string, AudioMonitor>();
  private readonly mutedSessions = new Set<string>();
  private feed: PanelFeed | null = null;
  private wantsShift = false;
  private takesCalls = false;
  private hasOpened = false;
  private currentShift: PanelClientEvents['shift'] = 'off';

  constructor(options: PanelClientOptions) {
    super();
    this.options = options;
    const { api, sockets, media } = options;
    this.connection = new ClientConnection({ api, sockets, media, direction: 'recvonly' });
    this.connection.on('state', (state) => this.emit('connection', state));
    this.connection.on('trouble', (error) => this.emit('trouble', error));
    this.connection.on('leg', (leg) => void this.take(leg));
  }

  get cards(): readonly SessionView[] {
    return this.cardList.all();
  }

  get shift(): PanelClientEvents['shift'] {
    return this.currentShift;
  }

  /** Begins to show cards. On duty only after `beginShift()`. */
  async start(): Promise<void> {
    const { feedUrl } = await this.connection.config();
    if (feedUrl === null) throw new Error('this token may not read the feed');
    if (this.feed !== null) return;
    const feed = new PanelFeed({ open: (since) => this.options.sockets.openFeed(feedUrl, since) });
    feed.on('state', (state) => this.feedChanged(state));
    feed.on('trouble', (error) => this.emit('trouble', error));
    feed.on('message', (message) => this.receive(message));
    this.feed = feed;
    feed.start();
  }

  /** From a click: unlocks the audio, then asks for duty. */
  async beginShift(): Promise<void> {
    await this.options.media.unlockAudio();
    this.wantsShift = true;
    this.setShift('beginning');
    this.connection.start();
    this.askForShift();
  }

  /**
   * From a click, without a shift: unlocks the audio and registers, so that this panel can be called to join or to
   * listen in. Nothing is offered to it by itself.
   */
  async openAudio(): Promise<void> {
    await this.options.media.unlockAudio();
    this.takesCalls = true;
    this.connection.start();
  }

  /** No new calls. Voices that play go on until their session ends. */
  endShift(): void {
    this.wantsShift = false;
    this.feed?.send({ type: 'shift.end' });
    this.setShift('off');
  }

  resolve(sessionId: string, reason?: string): Promise<unknown> {
    return this.options.api.resolve(sessionId, reason);
  }

  /** Not reached (an announcement, voicemail): call the citizen again. */
  redial(sessionId: string): Promise<unknown> {
    return this.options.api.redial(sessionId);
  }

  /** To the operator named, or to `next`. The feed tells how it ends. */
  transfer(sessionId: string, to: string, reason?: string): Promise<unknown> {
    return this.options.api.transfer(sessionId, to, reason);
  }

  /** This panel is called into the session (again). */
  join(sessionId: string): Promise<unknown> {
    return this.options.api.join(sessionId, this.options.sockets.deviceId);
  }

  /** Supervisors: this panel is called to listen in; nothing of it is heard, and nothing is reported as heard. */
  listen(sessionId: string): Promise<unknown> {
    return this.options.api.listen(sessionId, this.options.sockets.deviceId);
  }

  stopListening(sessionId: string): Promise<unknown> {
    return this.options.api.stopListening(sessionId);
  }

  /** False when the feed is down: try again. */
  acknowledge(sessionId: string, kind: SessionView['alerts'][number]['kind']): boolean {
    return this.feed?.send({ type: 'alert.acknowledge', sessionId, kind }) ?? false;
  }

  /** Supervisors: it is not told again and again any more. The feed shows who did it. */
  acknowledgeOpsAlert(alertId: string): Promise<unknown> {
    return this.options.api.acknowledgeAlert(alertId);
  }

  /** Silences one citizen here, while another one speaks. Nobody else notices. */
  setMuted(sessionId: string, muted: boolean): void {
    if (muted) this.mutedSessions.add(sessionId);
    else this.mutedSessions.delete(sessionId);
    for (const [legId, monitor] of this.monitors) if (legId.startsWith(sessionId)) monitor.setMuted(muted);
  }

  /** The computer has another network now. */
  networkChanged(): void {
    this.connection.reconnect();
    this.feed?.reconnect();
  }

  async stop(): Promise<void> {
    if (this.wantsShift) this.endShift();
    this.feed?.stop();
    this.feed = null;
    await this.connection.stop();
  }

  /** Disappears without a word. For tests. */
  async vanish(): Promise<void> {
    this.wantsShift = false;
    this.feed?.stop();
    this.feed = null;
    for (const monitor of this.monitors.values()) monitor.stop();
    await this.connection.vanish();
  }

  /** The loss of a feed has ended our shift at the gateway, and one that is resumed brings no snapshot to say so. */
  private feedChanged(state: PanelFeedEvents['state']): void {
    this.emit('feed', state);
    // Each that stands is told anew on every connection.
    if (state === 'connecting' && this.alertList.clear()) this.emit('opsAlerts', []);
    if (state === 'taken') this.yieldShift();
    if (state !== 'open') return;
    if (this.hasOpened && this.wantsShift) this.askForShift();
    this.hasOpened = true;
  }

  private receive(message: FeedMessage): void {
    if (message.type === 'health') this.emit('health', message.data);
    if (message.type === 'snapshot') this.agreeOnShift(message.data.onShift);
    if ((message.type === 'ok' || message.type === 'error') && message.of === 'shift.begin') {
      this.agreeOnShift(message.type === 'ok');
    }
    if (this.alertList.take(message)) this.emit('opsAlerts', this.alertList.all());
    if (this.cardList.take(message)) this.emit('cards', this.cardList.all());
    if (isFeedEvent(message)) this.emit('event', message);
  }

  /** The gateway's view of our duty and ours may differ after a lost connection: ours holds. */
  private agreeOnShift(gatewaySaysOn: boolean): void {
    if (this.wantsShift && gatewaySaysOn) this.setShift('on');
    else if (this.wantsShift) this.askForShift();
    else if (gatewaySaysOn) this.feed?.send({ type: 'shift.end' });
  }

  private askForShift(): void {
    this.setShift('beginning');
    this.feed?.send({ type: 'shift.begin' });
  }

  /**
   * Another tab of this panel has the shift. Without the feed nothing that is heard here could be reported, and our
   * contact would take the calls from that tab: the voices are hung up here, and the gateway offers them there.
   */
  private yieldShift(): void {
    this.wantsShift = false;
    this.takesCalls = false;
    this.setShift('off');
    void this.connection.stop();
  }

  private setShift(shift: PanelClientEvents['shift']): void {
    if (this.currentShift === shift) return;
    this.currentShift = shift;
    this.emit('shift', shift);
  }

  private async take(leg: IncomingLeg): Promise<void> {
    if (!this.wantsShift && !this.takesCalls) {
      await leg.reject(480);
      return;
    }
    const monitor = new AudioMonitor(leg, this.options.media);
    this.monitors.set(leg.legId, monitor);
    monitor.setMuted(this.mutedSessions.has(leg.sessionId));
    monitor.on('reading', (reading) => this.emit('audio', reading));
    // Who listens in is not the operator who hears her.
    if (!leg.legId.includes('.supervisor-app.'))
      monitor.on('report', (reading) => this.feed?.send(asReport(reading)));
    leg.on('ended', () => {
      this.monitors.delete(leg.legId);
      this.emit('audioEnded', { sessionId: leg.sessionId, legId: leg.legId });
    });
    this.emit('leg', leg);
    await leg.answer();
  }
}

function asReport({ sessionId, legId, packets, levelDb }: AudioReading): PanelMessage {
  // JSON knows no infinity; the contract's floor is −200.
  const level = levelDb === null ? {} : { levelDb: Math.min(20, Math.max(-200, levelDb)) };
  return { type: 'audio.report', sessionId, legId, packets, ...level };
}
