/**
 * Watches one citizen's voice at the operator's end: whether packets arrive, and whether there is sound in them.
 * A locked phone sends packets of digital silence; an operator must see that apart from a quiet room.
 */
import type { IncomingLeg } from './incoming-leg.ts';
import type { PanelMediaPort, PlayingAudio } from './media-port.ts';
import { TypedEvents } from './typed-events.ts';

/** `waiting`: no packet yet; `silence`: packets without sound; `lost`: packets came, and come no more. */
export type AudioState = 'waiting' | 'sound' | 'silence' | 'lost';

export interface AudioReading {
  readonly sessionId: string;
  readonly legId: string;
  readonly state: AudioState;
  readonly packets: number;
  /** dBFS; `null`: not known. */
  readonly levelDb: number | null;
}

export interface AudioMonitorEvents {
  /** At each reading. */
  reading: AudioReading;
  /** To be told to the gateway: at the first packet, then each second. */
  report: AudioReading;
}

const FIRST_POLL_MS = 50;
const POLL_MS = 250;
const REPORT_MS = 1_000;
/** Opus sends 50 packets a second; a gap this long is no jitter. */
const LOST_AFTER_MS = 2_000;
/** A quiet room's microphone is louder than this; digital silence is not. */
const SILENCE_DB = -65;
const SILENCE_AFTER_MS = 3_000;

/** What the state of a reading follows from. */
export interface AudioFacts {
  readonly packets: number;
  readonly packetsGrewMsAgo: number;
  readonly soundMsAgo: number;
}

export function audioState({ packets, packetsGrewMsAgo, soundMsAgo }: AudioFacts): AudioState {
  if (packets === 0) return 'waiting';
  if (packetsGrewMsAgo >= LOST_AFTER_MS) return 'lost';
  return soundMsAgo >= SILENCE_AFTER_MS ? 'silence' : 'sound';
}

export class AudioMonitor extends TypedEvents<AudioMonitorEvents> {
  private readonly leg: IncomingLeg;
  private readonly media: PanelMediaPort;
  private playing: PlayingAudio | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private packets = 0;
  private grewAt = 0;
  private soundAt = 0;
  private reportedAt = 0;
  private muted = false;

  constructor(leg: IncomingLeg, media: PanelMediaPort) {
    super();
    this.leg = leg;
    this.media = media;
    leg.on('answered', () => this.begin());
    leg.on('ended', () => this.stop());
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.playing?.setMuted(muted);
  }

  private begin(): void {
    const track = this.leg.media?.receivedTrack;
    if (track === undefined) return;
    this.playing = this.media.play(track, this.leg.legId);
    this.playing.setMuted(this.muted);
    void this.read();
  }

  /** By itself when the call ends. */
  stop(): void {
    clearTimeout(this.timer);
    this.playing?.stop();
    this.playing = null;
  }

  private async read(): Promise<void> {
    const counts = await this.leg.media?.rtpCounts();
    if (counts === undefined || this.playing === null) return;
    const now = performance.now();
    const levelDb = this.playing.levelDb();
    const first = this.packets === 0 && counts.packetsReceived > 0;
    if (first) this.soundAt = now;
    if (counts.packetsReceived > this.packets) this.grewAt = now;
    if (levelDb === null || levelDb > SILENCE_DB) this.soundAt = now;
    this.packets = counts.packetsReceived;
    const reading: AudioReading = {
      sessionId: this.leg.sessionId,
      legId: this.leg.legId,
      packets: this.packets,
      levelDb,
      state: audioState({
        packets: this.packets,
        packetsGrewMsAgo: now - this.grewAt,
        soundMsAgo: now - this.soundAt,
      }),
    };
    this.emit('reading', reading);
    if (first || (this.packets > 0 && now - this.reportedAt >= REPORT_MS)) {
      this.reportedAt = now;
      this.emit('report', reading);
    }
    this.timer = setTimeout(() => void this.read(), this.packets === 0 ? FIRST_POLL_MS : POLL_MS);
  }
}
