/** A citizen's microphone: opened early, shared by every call of an SOS, and stopped when the SOS is over. */
import { withDeadline } from './deadline.ts';
import type { CitizenMediaPort } from './media-port.ts';
import { TypedEvents } from './typed-events.ts';

export interface MicrophoneEvents {
  /** The track that is captured now; `null`: the microphone is off. */
  track: MediaStreamTrack | null;
  /** It was refused, is missing, or the system took it away (an incoming call, a pulled plug). */
  trouble: Error;
}

/** Long enough for a person to answer the permission prompt while the operator's side is being set up. */
const OPEN_DEADLINE_MS = 10_000;
const REOPEN_MS = 1_000;

export class Microphone extends TypedEvents<MicrophoneEvents> {
  private readonly media: CitizenMediaPort;
  private opening: Promise<MediaStreamTrack> | null = null;
  private track: MediaStreamTrack | null = null;
  private wanted = false;
  private reopenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(media: CitizenMediaPort) {
    super();
    this.media = media;
  }

  get isOn(): boolean {
    return this.track !== null;
  }

  /** The one track, opened when it is not yet. Rejects when it cannot be had. */
  open(): Promise<MediaStreamTrack> {
    this.wanted = true;
    if (this.track !== null) return Promise.resolve(this.track);
    this.opening ??= withDeadline(this.capture(), OPEN_DEADLINE_MS, 'opening the microphone').finally(
      () => (this.opening = null),
    );
    return this.opening;
  }

  /** Off, for good, until it is opened again. Harmless when repeated. */
  stop(): void {
    this.wanted = false;
    clearTimeout(this.reopenTimer);
    const { track } = this;
    this.track = null;
    track?.stop();
    if (track !== null) this.emit('track', null);
  }

  private async capture(): Promise<MediaStreamTrack> {
    const track = await this.media.openMicrophone();
    if (!this.wanted) {
      track.stop();
      throw new Error('the microphone is no longer wanted');
    }
    this.track = track;
    track.addEventListener('ended', () => this.taken(track));
    this.emit('track', track);
    return track;
  }

  /** The system ended the track, not we: open it again as soon as it lets us. */
  private taken(track: MediaStreamTrack): void {
    if (this.track !== track) return;
    this.track = null;
    this.emit('track', null);
    this.emit('trouble', new Error('the system took the microphone away'));
    this.reopen();
  }

  private reopen(): void {
    clearTimeout(this.reopenTimer);
    this.reopenTimer = setTimeout(() => {
      if (!this.wanted) return;
      this.open().catch(() => this.reopen());
    }, REOPEN_MS);
  }
}
