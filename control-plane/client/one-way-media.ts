/**
 * The media of one call, for SIP.js: a peer connection with one audio line in one direction.
 *
 * A citizen only sends, an operator only receives, whatever is offered: the direction is this client's role,
 * not something to negotiate. The gateway enforces the same on its side.
 */
import type { BodyAndContentType, SessionDescriptionHandler } from 'sip.js';
import type { MediaPort, PeerConnection } from './media-port.ts';
import { withoutDtx } from './sdp.ts';

export interface OneWayMediaOptions {
  readonly media: MediaPort;
  readonly direction: 'sendonly' | 'recvonly';
  /** What is sent. Asked for when an offer arrives. */
  readonly track?: () => Promise<MediaStreamTrack>;
  readonly iceServers: readonly RTCIceServer[];
  /** The answer leaves after this long with the candidates found so far (an unreachable STUN server costs 40 s). */
  readonly gatheringTimeoutMs: number;
}

/** Counters of one call since its start. */
export interface RtpCounts {
  readonly packetsSent: number;
  readonly packetsReceived: number;
}

export class OneWayMedia implements SessionDescriptionHandler {
  private readonly options: OneWayMediaOptions;
  private readonly connection: PeerConnection;
  private readonly iceWatchers = new Set<() => void>();
  private closed = false;

  constructor(options: OneWayMediaOptions) {
    this.options = options;
    this.connection = options.media.createPeerConnection({ iceServers: [...options.iceServers] });
    const changed = (): void => {
      for (const watcher of [...this.iceWatchers]) watcher();
    };
    this.connection.addEventListener('iceconnectionstatechange', changed);
    this.connection.addEventListener('connectionstatechange', changed);
  }

  /** `connected` covers DTLS too; `failed` is final. */
  get state(): 'new' | 'checking' | 'ice-connected' | 'connected' | 'interrupted' | 'failed' | 'closed' {
    const { iceConnectionState: ice, connectionState: whole } = this.connection;
    if (this.closed || whole === 'closed') return 'closed';
    if (ice === 'failed' || whole === 'failed') return 'failed';
    if (ice === 'disconnected') return 'interrupted';
    if (whole === 'connected') return 'connected';
    if (ice === 'connected' || ice === 'completed') return 'ice-connected';
    return ice === 'new' ? 'new' : 'checking';
  }

  /** Called whenever `state` may have changed. Returns the function that removes the watcher. */
  watchState(watcher: () => void): () => void {
    this.iceWatchers.add(watcher);
    return () => this.iceWatchers.delete(watcher);
  }

  /** The track that arrives, once an offer was answered. */
  get receivedTrack(): MediaStreamTrack | undefined {
    return this.connection.getTransceivers()[0]?.receiver.track;
  }

  /** Sends something else from now on: a microphone that was opened anew. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    if (!this.closed) await this.connection.getTransceivers()[0]?.sender.replaceTrack(track);
  }

  async rtpCounts(): Promise<RtpCounts> {
    let packetsSent = 0;
    let packetsReceived = 0;
    if (this.closed) return { packetsSent, packetsReceived };
    const report = await this.connection.getStats();
    report.forEach((entry: { type: string; packetsSent?: number; packetsReceived?: number }) => {
      if (entry.type === 'outbound-rtp') packetsSent += entry.packetsSent ?? 0;
      if (entry.type === 'inbound-rtp') packetsReceived += entry.packetsReceived ?? 0;
    });
    return { packetsSent, packetsReceived };
  }

  /** SIP.js: the other side's offer or answer. */
  async setDescription(sdp: string): Promise<void> {
    const type = this.connection.signalingState === 'have-local-offer' ? 'answer' : 'offer';
    await this.connection.setRemoteDescription({ type, sdp: withoutDtx(sdp) });
  }

  /** SIP.js: our answer, or our offer when an INVITE came without one. */
  async getDescription(): Promise<BodyAndContentType> {
    const answering = this.connection.signalingState === 'have-remote-offer';
    if (!answering && this.connection.getTransceivers().length === 0) {
      this.connection.addTransceiver('audio', { direction: this.options.direction });
    }
    await this.applyRole();
    const description = answering
      ? await this.connection.createAnswer()
      : await this.connection.createOffer();
    await this.connection.setLocalDescription(description);
    await this.gathered();
    const sdp = this.connection.localDescription?.sdp;
    if (sdp === undefined) throw new Error('no local description');
    return { body: withoutDtx(sdp), contentType: 'application/sdp' };
  }

  hasDescription(contentType: string): boolean {
    return contentType.toLowerCase().startsWith('application/sdp');
  }

  /** No DTMF on a one-way stream. */
  sendDtmf(): boolean {
    return false;
  }

  /** Ends the peer connection. The microphone's track is not this call's to stop: a second call may send it. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.close();
    for (const watcher of [...this.iceWatchers]) watcher();
  }

  private async applyRole(): Promise<void> {
    for (const transceiver of this.connection.getTransceivers()) {
      if (transceiver.direction !== 'stopped') transceiver.direction = this.options.direction;
    }
    const [audio] = this.connection.getTransceivers();
    if (this.options.track !== undefined && audio !== undefined) {
      await audio.sender.replaceTrack(await this.options.track());
    }
  }

  private gathered(): Promise<void> {
    const { connection } = this;
    if (connection.iceGatheringState === 'complete') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.gatheringTimeoutMs);
      connection.addEventListener('icegatheringstatechange', () => {
        if (connection.iceGatheringState !== 'complete') return;
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
