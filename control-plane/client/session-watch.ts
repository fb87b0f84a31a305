/** Asks the gateway how a session stands, as long as it is open: the way that works when no call says it. */
import { GatewayError, type GatewayApi, type SessionView } from './gateway-api.ts';
import { TypedEvents } from './typed-events.ts';

export interface SessionWatchEvents {
  session: SessionView;
  /** The gateway knows no such session (any more). */
  gone: undefined;
}

/** The answer to the press has just told how the session stands; the call comes within these milliseconds. */
export const AFTER_PRESS_MS = 500;
const INTERVALS = { searchingMs: 2_000, streamingMs: 5_000 } as const;

/** Whether nothing more will come of a session. */
export function isOver(phase: SessionView['phase']): phase is 'resolved' | 'released' {
  return phase === 'resolved' || phase === 'released';
}

export class SessionWatch extends TypedEvents<SessionWatchEvents> {
  private readonly api: GatewayApi;
  private readonly sessionId: string;
  private running = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wake: (() => void) | null = null;
  /** Asks less often while this is true. */
  streaming = false;

  constructor(api: GatewayApi, sessionId: string) {
    super();
    this.api = api;
    this.sessionId = sessionId;
  }

  /** Asks for the first time after `delayMs`. */
  start(delayMs: number): void {
    if (this.running) return;
    this.running = true;
    void this.run(delayMs);
  }

  stop(): void {
    this.running = false;
    this.askNow();
  }

  /** Something happened: ask at once. */
  askNow(): void {
    clearTimeout(this.timer);
    this.wake?.();
  }

  private async run(delayMs: number): Promise<void> {
    await this.pause(delayMs);
    while (this.running) {
      await this.ask();
      if (this.isStopped()) return;
      await this.pause(this.streaming ? INTERVALS.streamingMs : INTERVALS.searchingMs);
    }
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.timer = setTimeout(resolve, delayMs);
    });
  }

  private isStopped(): boolean {
    return !this.running;
  }

  private async ask(): Promise<void> {
    try {
      const session = await this.api.get(this.sessionId);
      if (this.running) this.emit('session', session);
    } catch (error) {
      // No answer says nothing about the session, and neither does a token that has expired since.
      if (this.running && error instanceof GatewayError && error.status === 404) this.emit('gone', undefined);
    }
  }
}
