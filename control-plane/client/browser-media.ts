/** WebRTC, microphone and loudspeaker of a browser, for CitizenClient and PanelClient in a page. */
import { createLevelMeter, type LevelMeter } from './level-meter.ts';
import type { CitizenMediaPort, PanelMediaPort, PlayingAudio } from './media-port.ts';

function createPeerConnection(configuration: RTCConfiguration): RTCPeerConnection {
  return new RTCPeerConnection(configuration);
}

export const browserCitizenMedia: CitizenMediaPort = {
  createPeerConnection,
  async openMicrophone() {
    // What happens around her is what the operator must hear: nothing is filtered out of it, only made louder.
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: true, channelCount: 1 },
    });
    const [track] = stream.getAudioTracks();
    if (track === undefined) throw new Error('the browser gave no microphone');
    return track;
  },
};

export class BrowserPanelMedia implements PanelMediaPort {
  private context: AudioContext | null = null;

  createPeerConnection = createPeerConnection;

  async unlockAudio(): Promise<void> {
    this.context ??= new AudioContext();
    await this.context.resume();
  }

  play(track: MediaStreamTrack): PlayingAudio {
    // The element plays; Web Audio only measures (Chromium gives a remote track to Web Audio only while it plays).
    const element = new Audio();
    element.srcObject = new MediaStream([track]);
    void element.play().catch(() => undefined);
    const meter: LevelMeter | null = this.context === null ? null : createLevelMeter(this.context, track);
    return {
      levelDb: () => meter?.levelDb() ?? null,
      setMuted: (muted) => (element.muted = muted),
      stop: () => {
        meter?.stop();
        element.pause();
        element.srcObject = null;
      },
    };
  }
}

/** Calls `changed` when the browser goes online or gets another network. Returns the function that stops it. */
export function watchNetwork(changed: () => void): () => void {
  const connection = (navigator as { connection?: EventTarget }).connection;
  window.addEventListener('online', changed);
  connection?.addEventListener('change', changed);
  return () => {
    window.removeEventListener('online', changed);
    connection?.removeEventListener('change', changed);
  };
}
