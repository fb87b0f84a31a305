/** One panel's socket: a snapshot or the missed rows, then every row in order, none lost or doubled. */
import type { WebSocket } from 'ws';
import { closeCodeOf, type ErrorCode } from '../../contracts/error-table.ts';
import { FEED_LIMITS, type FeedMessage } from '../../contracts/panel-feed.ts';
import type { Instant, ZoneId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FeedSource } from '../../ports/gateway.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { FeedRow } from '../../ports/session-store.ts';
import type { Panel } from './admit-panel.ts';
import { FeedScope } from './feed-scope.ts';
import { isoTime } from './iso-time.ts';
import { MessageRate } from './message-rate.ts';

/** A row with its frame, made once for all panels. */
export interface FeedFrame {
  readonly row: FeedRow;
  readonly text: () => string;
}

export interface ConnectionContext {
  readonly source: FeedSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly maxBufferedBytes: number;
  readonly startTimeoutMs: number;
  readonly closeGraceMs: number;
  /** A text frame of the panel came. */
  readonly syntheticZone: ZoneId | null;
  readonly onMessage: (connection: FeedConnection, text: string) => void;
  /** Once, as soon as the connection is over for whatever reason. */
  readonly onEnd: (connection: FeedConnection) => void;
}

const MAX_SNAPSHOT_SESSIONS = 1000;

export class FeedConnection {
  readonly panel: Panel;
  readonly #socket: WebSocket;
  readonly #context: ConnectionContext;
  readonly #rate = new MessageRate(FEED_LIMITS.messagesPerSecond);
  readonly #scope: FeedScope;
  #state: 'loading' | 'live' | 'ended' = 'loading';
  /** Live rows that came while the beginning is loaded. */
  #waiting: FeedFrame[] = [];
  #lastSeq = 0;
  #answered = true;
  #onShift: () => boolean = () => false;

  constructor(socket: WebSocket, panel: Panel, context: ConnectionContext) {
    this.panel = panel;
    this.#socket = socket;
    this.#context = context;
    const zones = panel.role === 'operator' ? [] : null;
    this.#scope = new FeedScope(panel.subject, zones, context.syntheticZone);
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#received(data, isBinary));
    socket.on('ping', () => this.#counted());
    socket.on('pong', () => {
      this.#answered = true;
    });
    socket.on('error', (error: Error & { code?: string }) => this.#broken(error));
    socket.on('close', () => this.#end('closed'));
  }

  /** Sends the beginning. Rows handed to `deliver` meanwhile follow it. */
  start(onShift: () => boolean): Promise<void> {
    this.#onShift = onShift;
    return this.#begin(this.panel.since);
  }

  async #begin(since: number | null): Promise<void> {
    const cancel = this.#context.clock.at(
      (this.#context.clock.now() + this.#context.startTimeoutMs) as Instant,
      () => this.fail('ERR_GATEWAY_UNAVAILABLE'),
    );
    try {
      await this.#load(since);
    } catch (error) {
      this.#context.log.error('a feed could not begin', { reason: String(error) });
      this.fail('ERR_GATEWAY_UNAVAILABLE');
    } finally {
      cancel();
    }
  }

  deliver(frame: FeedFrame): void {
    if (this.#state === 'live') this.#show(frame.row, frame.text);
    else if (this.#state === 'loading') {
      this.#waiting.push(frame);
      if (this.#waiting.length > FEED_LIMITS.resumeEvents) this.fail('ERR_FEED_SLOW');
    }
  }

  /** The roster may have changed: another set of zones begins with a new snapshot. */
  async refreshScope(): Promise<void> {
    if (this.#state !== 'live') return;
    const zones = await this.#zones();
    if (!this.#scope.differs(zones) || !this.#isLive()) return;
    this.#state = 'loading';
    await this.#begin(null);
  }

  send(message: FeedMessage): void {
    this.#sendText(JSON.stringify(message));
  }

  /** Asks whether the panel is still there; ends the connection if the last question got no answer. */
  checkAlive(): void {
    if (this.#state === 'ended') return;
    if (!this.#answered) {
      this.#end('dead');
      this.#socket.terminate();
      return;
    }
    this.#answered = false;
    this.#socket.ping();
  }

  /** Closes with the code's close code; a panel that does not answer the close is cut. */
  fail(code: ErrorCode): void {
    if (this.#state === 'ended') return;
    this.#end(code);
    this.#socket.close(closeCodeOf(code), code);
    this.#cutAfterGrace();
  }

  /** Cuts at once. */
  terminate(): void {
    this.#end('cut');
    this.#socket.terminate();
  }

  #isLive(): boolean {
    return this.#state === 'live';
  }

  async #load(since: number | null): Promise<void> {
    const { source, metrics } = this.#context;
    const zones = await this.#zones();
    if (since !== null) {
      const missed = await source.after(since, FEED_LIMITS.resumeEvents);
      if (!missed.tooOld) {
        this.#scope.restart(zones, []);
        this.#lastSeq = since;
        metrics.count('hamrahi_feed_opened_total', { by: 'resume' });
        this.#goLive(missed.rows);
        return;
      }
    }
    const { seq, sessions } = await source.snapshot(zones, this.panel.subject);
    const shown = sessions.slice(0, MAX_SNAPSHOT_SESSIONS);
    if (shown.length < sessions.length)
      this.#context.log.error('a snapshot was cut', {
        sessions: sessions.length,
        limit: MAX_SNAPSHOT_SESSIONS,
      });
    this.#scope.restart(zones, shown);
    this.#lastSeq = seq;
    metrics.count('hamrahi_feed_opened_total', { by: 'snapshot' });
    const at = isoTime(this.#context.clock.now());
    this.send({ type: 'snapshot', seq, at, data: { sessions: shown, onShift: this.#onShift() } });
    this.#goLive([]);
  }

  #goLive(missed: readonly FeedRow[]): void {
    if (this.#state !== 'loading') return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#state = 'live';
    for (const row of missed) this.#show(row, () => frameText(this.#context.source, row));
    for (const frame of waiting) this.#show(frame.row, frame.text);
  }

  async #zones() {
    return this.panel.role === 'operator' ? await this.#context.source.zonesOf(this.panel.subject) : null;
  }

  #show(row: FeedRow, text: () => string): void {
    // A row without a number (the store is away) comes again with one.
    if (row.seq !== 0 && row.seq <= this.#lastSeq) return;
    this.#lastSeq = Math.max(this.#lastSeq, row.seq);
    switch (this.#scope.judge(row)) {
      case 'show':
        this.#sendText(text());
        break;
      case 'gone':
        this.send({ type: 'session.gone', seq: row.seq, at: isoTime(row.at), sessionId: row.sessionId });
        break;
      case 'hide':
        break;
    }
  }

  #sendText(text: string): void {
    if (this.#state === 'ended') return;
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > this.#context.maxBufferedBytes) this.fail('ERR_FEED_SLOW');
  }

  #received(data: Buffer, isBinary: boolean): void {
    this.#answered = true;
    if (!this.#counted()) return;
    if (isBinary) this.refuse('message', 'ERR_FEED_MALFORMED', 'text frames only');
    else this.#context.onMessage(this, data.toString('utf8'));
  }

  /** Tells the panel that what it said was not done. */
  refuse(of: string, code: ErrorCode, detail: string): void {
    this.#context.metrics.count('hamrahi_feed_errors_total', { code });
    this.send({ type: 'error', of, code, detail });
  }

  #counted(): boolean {
    if (this.#state === 'ended') return false;
    if (this.#rate.take(this.#context.clock.now())) return true;
    this.fail('ERR_FEED_FLOOD');
    return false;
  }

  /** The protocol itself was broken: `ws` has answered with the close code, 1009 for a frame beyond the limit. */
  #broken(error: Error & { code?: string }): void {
    this.#end(error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'ERR_FEED_TOO_LARGE' : 'broken');
    this.#cutAfterGrace();
  }

  #cutAfterGrace(): void {
    const { clock, closeGraceMs } = this.#context;
    const cancel = clock.at((clock.now() + closeGraceMs) as Instant, () => this.#socket.terminate());
    this.#socket.once('close', cancel);
  }

  #end(reason: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#waiting = [];
    this.#context.metrics.count('hamrahi_feed_closed_total', { reason });
    this.#context.onEnd(this);
  }
}

/** The frame of one row. */
export function frameText(source: FeedSource, row: FeedRow): string {
  return JSON.stringify({
    seq: row.seq,
    sessionSeq: row.sessionSeq,
    type: row.type,
    at: isoTime(row.at),
    sessionId: row.sessionId,
    data: { session: source.viewOf(row.session, row.sessionSeq, row.location), detail: row.detail },
  } satisfies FeedMessage);
}
