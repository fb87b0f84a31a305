/** `WS /v1/panel/feed`: all panels of this node, fed from one subscription, on the HTTP server's own port. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { ErrorCode } from '../../contracts/error-table.ts';
import { FEED_LIMITS, type FeedMessage } from '../../contracts/panel-feed.ts';
import type { Instant, ZoneId } from '../../domain/ids.ts';
import type { Authenticator } from '../../ports/authenticator.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FeedSource, Gateway } from '../../ports/gateway.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlertBoard } from '../../ports/ops-alerts.ts';
import type { FeedRow } from '../../ports/session-store.ts';
import type { Revocations } from '../../ports/revocations.ts';
import type { TicketStore } from '../../ports/tickets.ts';
import { admitPanel, type Admission, type Panel } from './admit-panel.ts';
import { FeedConnection, frameText } from './feed-connection.ts';
import { isoTime } from './iso-time.ts';
import { OpsAlertFeed } from './ops-alert-feed.ts';
import { PanelMessages } from './panel-messages.ts';
import { ShiftDesk, type ShiftHolder } from './shift-desk.ts';
import { within } from './within.ts';

export const FEED_PATH = '/v1/panel/feed';

export interface FeedOptions {
  readonly source: FeedSource;
  readonly gateway: Pick<Gateway, 'heard' | 'panelTold' | 'acknowledgeAlert' | 'shift' | 'health'>;
  readonly authenticator: Authenticator;
  readonly tickets: TicketStore;
  readonly revocations: Pick<Revocations, 'isRevoked' | 'refuses' | 'watch'>;
  readonly alerts: Pick<OpsAlertBoard, 'standing' | 'watch'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits: { readonly maxConnections: number; readonly maxPerIdentity: number };
  /** Of synthetic sessions: their own operator sees them, and no supervisor does. */
  readonly syntheticZone?: ZoneId | null;
  readonly timing?: Partial<FeedTiming>;
}

/** Milliseconds, and bytes that may wait for a panel that reads slowly. */
export interface FeedTiming {
  /** A dead panel is found within twice this. */
  readonly pingIntervalMs: number;
  readonly healthIntervalMs: number;
  /** Health is told again after so long, though nothing changed: a browser sees no pings, and takes silence for the end. */
  readonly repeatHealthMs: number;
  readonly scopeIntervalMs: number;
  readonly startTimeoutMs: number;
  readonly closeGraceMs: number;
  readonly maxBufferedBytes: number;
}

export const DEFAULT_FEED_TIMING: FeedTiming = {
  pingIntervalMs: 4000,
  healthIntervalMs: 2000,
  repeatHealthMs: 5000,
  scopeIntervalMs: 15_000,
  startTimeoutMs: 5000,
  closeGraceMs: 1000,
  maxBufferedBytes: 4_194_304,
};

type Refuse = (code: ErrorCode, detail: string) => void;

export class PanelFeed {
  readonly #options: FeedOptions;
  readonly #timing: FeedTiming;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: FEED_LIMITS.maxFrameBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #connections = new Map<FeedConnection, ShiftHolder>();
  readonly #perIdentity = new Map<string, number>();
  readonly #desk: ShiftDesk;
  readonly #messages: PanelMessages;
  readonly #alerts: OpsAlertFeed;
  readonly #stops: (() => void)[] = [];
  #health: { engine: boolean; database: boolean } | null = null;
  #healthToldAt: number;
  #closing = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_FEED_TIMING, ...options.timing };
    this.#healthToldAt = options.clock.now();
    this.#desk = new ShiftDesk(options);
    this.#messages = new PanelMessages({ ...options, desk: this.#desk });
    this.#alerts = new OpsAlertFeed(options);
  }

  /** Begins to hand out changes and to look after its connections. */
  start(): void {
    const { pingIntervalMs, healthIntervalMs, scopeIntervalMs } = this.#timing;
    this.#stops.push(
      this.#options.source.subscribe((row) => this.#deliver(row)),
      this.#options.revocations.watch(() => this.#endRevoked()),
      this.#alerts.start(),
      this.#every(pingIntervalMs, () =>
        this.#connections.forEach((_, connection) => connection.checkAlive()),
      ),
      this.#every(healthIntervalMs, () => this.#checkHealth()),
      this.#every(scopeIntervalMs, () => this.refreshScopes()),
    );
  }

  /** Takes over a socket that the HTTP server was asked to upgrade, or refuses it. */
  readonly upgrade = (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    refuse: Refuse,
    recognised: () => void,
  ): void => {
    void this.#admit(request, socket, head, refuse, recognised);
  };

  /** The roster changed: panels whose zones are others now get a new snapshot. */
  async refreshScopes(): Promise<void> {
    for (const connection of [...this.#connections.keys()]) {
      try {
        await connection.refreshScope();
      } catch (error) {
        this.#options.log.error('the zones of a panel could not be read', { reason: String(error) });
        return;
      }
    }
  }

  /** Ends every connection and with it every shift. Resolves when the gateway knows, at the latest after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true;
    this.#stops.forEach((stop) => stop());
    for (const connection of [...this.#connections.keys()]) connection.fail('ERR_FEED_CLOSING');
    await within(this.#options.clock, deadlineMs, this.#desk.settled(), undefined);
  }

  async #admit(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    refuse: Refuse,
    recognised: () => void,
  ): Promise<void> {
    try {
      const admission = await within(
        this.#options.clock,
        this.#timing.startTimeoutMs,
        admitPanel(request, this.#options),
        LATE,
      );
      if (!admission.ok) {
        refuse(admission.code, admission.detail);
        return;
      }
      recognised();
      if (this.#isFull(admission.panel)) {
        refuse('ERR_FEED_FULL', 'the limit of connections is reached');
        return;
      }
      this.#server.handleUpgrade(request, socket, head, (webSocket) =>
        this.#open(webSocket, admission.panel),
      );
    } catch (error) {
      this.#options.log.error('a panel could not be admitted', { reason: String(error) });
      refuse('ERR_GATEWAY_UNAVAILABLE', 'try again after a second');
    }
  }

  /** Ends every connection whose token was revoked, and with it the shift. */
  #endRevoked(): void {
    for (const connection of [...this.#connections.keys()])
      if (this.#options.revocations.isRevoked(connection.panel)) connection.fail('ERR_AUTH_REVOKED');
  }

  #isFull(panel: Panel): boolean {
    const { maxConnections, maxPerIdentity } = this.#options.limits;
    if (this.#closing) return true;
    const own = this.#perIdentity.get(identityOf(panel)) ?? 0;
    if (own >= maxPerIdentity) return !this.#makeRoom(panel);
    return this.#connections.size >= maxConnections;
  }

  /**
   * Whoever has a copy of somebody's token must not keep its owner out by filling what one identity may have: of this
   * identity's connections that hold no shift, the oldest of the token that has most is ended for the newcomer.
   */
  #makeRoom(panel: Panel): boolean {
    const idle = [...this.#connections].flatMap(([connection, holder]) => {
      const { aor } = connection.panel;
      if (identityOf(connection.panel) !== identityOf(panel)) return [];
      return aor !== null && this.#desk.holds(aor, holder) ? [] : [connection];
    });
    const byToken = Map.groupBy(idle, (connection) => connection.panel.tokenId);
    const [oldest] = [...byToken.values()].toSorted((a, b) => b.length - a.length)[0] ?? [];
    oldest?.fail('ERR_FEED_REPLACED');
    return oldest !== undefined;
  }

  #open(socket: WebSocket, panel: Panel): void {
    const connection: FeedConnection = new FeedConnection(socket, panel, {
      ...this.#options,
      ...this.#timing,
      syntheticZone: this.#options.syntheticZone ?? null,
      onMessage: (_, text) => this.#messages.receive(connection, holder, text),
      onEnd: () => this.#ended(connection),
    });
    const holder: ShiftHolder = { shiftTaken: () => connection.fail('ERR_FEED_SHIFT_TAKEN') };
    const { aor } = panel;
    const identity = identityOf(panel);
    this.#connections.set(connection, holder);
    this.#perIdentity.set(identity, (this.#perIdentity.get(identity) ?? 0) + 1);
    this.#options.metrics.gauge('hamrahi_feed_connections', this.#connections.size);
    void connection
      .start(() => aor !== null && this.#desk.holds(aor, holder))
      .then(() => {
        // It may have ended before it began.
        if (this.#connections.has(connection)) this.#alerts.begun(connection);
        return this.#tellHealth(connection);
      });
  }

  #ended(connection: FeedConnection): void {
    const holder = this.#connections.get(connection);
    if (!holder) return;
    this.#connections.delete(connection);
    this.#alerts.ended(connection);
    const identity = identityOf(connection.panel);
    const left = (this.#perIdentity.get(identity) ?? 1) - 1;
    if (left > 0) this.#perIdentity.set(identity, left);
    else this.#perIdentity.delete(identity);
    this.#options.metrics.gauge('hamrahi_feed_connections', this.#connections.size);
    if (connection.panel.aor !== null) void this.#desk.end(connection.panel.aor, holder);
  }

  #deliver(row: FeedRow): void {
    const { source, gateway, clock, metrics } = this.#options;
    let made: string | undefined;
    const text = (): string => (made ??= frameText(source, row));
    for (const connection of this.#connections.keys()) connection.deliver({ row, text });
    if (made === undefined) return;
    const now = clock.now();
    metrics.observe('hamrahi_feed_delivery_ms', now - row.at);
    if (row.type === 'sos.activated' || row.type === 'phone-fallback-active')
      gateway.panelTold(row.sessionId, row.type, now);
  }

  async #checkHealth(): Promise<void> {
    if (this.#connections.size === 0) {
      this.#health = null;
      return;
    }
    const before = this.#health;
    const now = await this.#readHealth();
    this.#health = now;
    const { clock } = this.#options;
    const isSame = before?.engine === now.engine && before.database === now.database;
    if (isSame && clock.now() - this.#healthToldAt < this.#timing.repeatHealthMs) return;
    this.#healthToldAt = clock.now();
    for (const connection of this.#connections.keys()) connection.send(healthMessage(now, clock));
  }

  async #tellHealth(connection: FeedConnection): Promise<void> {
    this.#health ??= await this.#readHealth();
    connection.send(healthMessage(this.#health, this.#options.clock));
  }

  /** No answer is bad health. */
  async #readHealth(): Promise<{ engine: boolean; database: boolean }> {
    const { clock, gateway } = this.#options;
    const bad = { engine: false, database: false };
    try {
      const read = await within(clock, this.#timing.healthIntervalMs, gateway.health(), bad);
      return { engine: read.engine, database: read.database };
    } catch {
      return bad;
    }
  }

  /** Repeats until stopped; the next turn is counted from the end of the last. */
  #every(intervalMs: number, work: () => void | Promise<void>): () => void {
    const { clock, log } = this.#options;
    let cancel = (): void => undefined;
    let stopped = false;
    const turn = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        log.error('the care for the feeds failed', { reason: String(error) });
      }
      if (!stopped) arm();
    };
    const arm = (): void => {
      cancel = clock.at((clock.now() + intervalMs) as Instant, () => void turn());
    };
    arm();
    return () => {
      stopped = true;
      cancel();
    };
  }
}

const LATE: Admission = { ok: false, code: 'ERR_GATEWAY_UNAVAILABLE', detail: 'no answer in time' };

function identityOf(panel: Panel): string {
  return `${panel.role}:${panel.subject}`;
}

function healthMessage(health: { engine: boolean; database: boolean }, clock: Clock): FeedMessage {
  return { type: 'health', at: isoTime(clock.now()), data: health };
}
