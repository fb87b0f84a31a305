/** One call of the gateway to this client: answered at once, one way, and given up when ICE does not connect. */
import { SessionState, type Invitation } from 'sip.js';
import { OneWayMedia } from './one-way-media.ts';
import { TypedEvents } from './typed-events.ts';

/**
 * `hung-up`: the gateway's BYE; `cancelled`: its CANCEL, before we answered; `ice-failed`, `answer-failed`: we gave
 * up; `local`: this client ended it.
 */
export type LegEnd = 'hung-up' | 'cancelled' | 'ice-failed' | 'answer-failed' | 'local';

export interface IncomingLegEvents {
  /** The 200 was sent. */
  answered: undefined;
  /** ICE and DTLS stand: packets can flow. */
  connected: undefined;
  /** Connectivity was lost, and may come back. */
  interrupted: undefined;
  /** Once. `reason` is the Reason header of the gateway's BYE (RFC 3326). */
  ended: { readonly how: LegEnd; readonly reason: string | null };
}

/** RFC 3326: tells the gateway why, so that it need not wait for a deadline. */
const ICE_FAILED = 'Reason: SIP;cause=408;text="ice failed"';

export class IncomingLeg extends TypedEvents<IncomingLegEvents> {
  /** Which leg this is at the gateway (`X-Hamrahi-Leg`). */
  readonly legId: string;
  /** The SOS it belongs to (`X-Hamrahi-Session`). */
  readonly sessionId: string;
  private readonly invitation: Invitation;
  private readonly iceTimeoutMs: number;
  private iceTimer: ReturnType<typeof setTimeout> | undefined;
  private end: IncomingLegEvents['ended'] | null = null;
  private wasAnswered = false;
  private wasConnected = false;
  private byeReason: string | null = null;
  private how: LegEnd | null = null;

  constructor(invitation: Invitation, iceTimeoutMs: number) {
    super();
    this.invitation = invitation;
    this.iceTimeoutMs = iceTimeoutMs;
    this.legId = invitation.request.getHeader('X-Hamrahi-Leg') ?? '';
    this.sessionId = invitation.request.getHeader('X-Hamrahi-Session') ?? '';
    invitation.delegate = {
      onBye: (bye) => {
        this.byeReason = bye.request.getHeader('Reason') ?? null;
        void bye.accept().catch(() => undefined);
      },
    };
    invitation.stateChange.addListener((state) => {
      if (state === SessionState.Terminated) this.finish();
    });
    forgiveMissingAck(invitation);
  }

  /** `null` before the offer was taken up. */
  get media(): OneWayMedia | null {
    const handler = this.invitation.sessionDescriptionHandler;
    return handler instanceof OneWayMedia ? handler : null;
  }

  get ended(): boolean {
    return this.end !== null;
  }

  get connected(): boolean {
    return !this.ended && this.media?.state === 'connected';
  }

  /** Answers with this client's direction and track (its OneWayMedia). Never rejects: failures end the leg. */
  async answer(): Promise<void> {
    if (this.ended) return;
    try {
      await this.invitation.accept();
    } catch {
      // Cancelled meanwhile, or an offer that cannot be answered: SIP.js has refused it with 480.
      await this.giveUp(480, 'answer-failed');
      return;
    }
    this.followMedia();
  }

  private followMedia(): void {
    // A CANCEL may have ended it while the answer was made.
    if (this.ended) return;
    this.wasAnswered = true;
    this.emit('answered', undefined);
    this.media?.watchState(() => this.observe());
    this.iceTimer = setTimeout(() => void this.giveUpIce(), this.iceTimeoutMs);
    this.observe();
  }

  /** Refuses the call before it is answered. */
  async reject(status: number): Promise<void> {
    this.how ??= 'local';
    await this.invitation.reject({ statusCode: status }).catch(() => undefined);
  }

  /** Ends an answered call, or refuses one that is not. Harmless when it has ended. */
  async hangUp(): Promise<void> {
    await this.giveUp(480, 'local');
  }

  /** For a network that changed under an established call: ends the call when ICE is not whole, so that the gateway offers anew. */
  async giveUpIfInterrupted(): Promise<void> {
    if (!this.ended && this.wasConnected && this.media?.state !== 'connected') await this.giveUpIce();
  }

  private observe(): void {
    const state = this.media?.state;
    if (this.ended || state === undefined) return;
    if (state === 'connected' || state === 'ice-connected') clearTimeout(this.iceTimer);
    if (state === 'connected') {
      this.wasConnected = true;
      this.emit('connected', undefined);
    } else if (state === 'interrupted' && this.wasConnected) {
      this.emit('interrupted', undefined);
    } else if (state === 'failed') {
      void this.giveUpIce();
    }
  }

  private giveUpIce(): Promise<void> {
    return this.giveUp(408, 'ice-failed', [ICE_FAILED]);
  }

  private async giveUp(status: number, how: LegEnd, extraHeaders: string[] = []): Promise<void> {
    if (this.ended) return;
    this.how ??= how;
    const { state } = this.invitation;
    // Both reject when the other side was faster; then it has ended, which is what was asked for.
    if (state === SessionState.Established) {
      await this.invitation.bye({ requestOptions: { extraHeaders } }).catch(() => undefined);
    } else if (state === SessionState.Initial || state === SessionState.Establishing) {
      await this.invitation.reject({ statusCode: status }).catch(() => undefined);
    }
    this.finish();
  }

  private finish(): void {
    if (this.end !== null) return;
    clearTimeout(this.iceTimer);
    this.end = { how: this.how ?? (this.wasAnswered ? 'hung-up' : 'cancelled'), reason: this.byeReason };
    this.media?.close();
    this.emit('ended', this.end);
  }
}

/**
 * A 200 whose ACK never comes (the call ended meanwhile) is given up after 32 s (RFC 3261 §13.3.1.4). SIP.js then ends the
 * call once more, and throws from its timer if it has ended: an app would die of it.
 */
function forgiveMissingAck(invitation: Invitation): void {
  const owed = invitation as unknown as { onAckTimeout: () => void };
  const giveUp = owed.onAckTimeout.bind(invitation);
  owed.onAckTimeout = () => {
    if (invitation.state !== SessionState.Terminated) giveUp();
  };
}
