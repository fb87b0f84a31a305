/**
 * What a client needs of the machine it runs on. A page gives the browser's WebRTC (browser-media.ts); a
 * program in Node gives a WebRTC library and a sound of its own.
 */

/** The part of RTCPeerConnection that is used. */
export type PeerConnection = Pick<
  RTCPeerConnection,
  | 'addTransceiver'
  | 'getTransceivers'
  | 'setRemoteDescription'
  | 'setLocalDescription'
  | 'createOffer'
  | 'createAnswer'
  | 'localDescription'
  | 'signalingState'
  | 'iceGatheringState'
  | 'iceConnectionState'
  | 'connectionState'
  | 'getStats'
  | 'close'
> & { addEventListener(type: string, listener: () => void): void };

export interface MediaPort {
  createPeerConnection(configuration: RTCConfiguration): PeerConnection;
}

export interface CitizenMediaPort extends MediaPort {
  /** Asks for the microphone; rejects when it is refused or missing. The client stops the track it is given. */
  openMicrophone(): Promise<MediaStreamTrack>;
}

/** A citizen's voice as it plays at the operator's. */
export interface PlayingAudio {
  /** Level of what arrives now in dBFS (0: full scale; digital silence: −Infinity or at most −100); null: not known. */
  levelDb(): number | null;
  setMuted(muted: boolean): void;
  stop(): void;
}

export interface PanelMediaPort extends MediaPort {
  /** Called by the operator's own click when the shift begins: browsers play no sound before one. */
  unlockAudio(): Promise<void>;
  play(track: MediaStreamTrack, legId: string): PlayingAudio;
}
