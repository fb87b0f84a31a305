/**
 * Media without ICE, DTLS and SRTP for the clients' own code: bare RTP over UDP, as SIPp would send it. A citizen and a
 * panel of it cost a hundredth of a WebRTC one, so that a hundred fit on a machine that also runs the gateway.
 * The rest of such a client is the real one: HTTP, feed, SIP over WebSocket through the edge.
 */
import { createSocket, type Socket } from 'node:dgram';
import type {
  CitizenMediaPort,
  PanelMediaPort,
  PeerConnection,
} from '../../../control-plane/client/media-port.ts';
import { wallClockMs } from '../../../control-plane/client/headless/tone-listener.ts';
import { readMark, writeMark, type Mark } from './marked-voice.ts';
import { plainAnswer, readOffer } from './plain-sdp.ts';

const HOST = '127.0.0.1';
const FRAME_MS = 20;
const FRAME_TICKS = 960;
const RTP_HEADER_BYTES = 12;
/** A stalled process catches up with at most this many packets. */
const MAX_BURST = 10;

/** A citizen's microphone: says on each packet who speaks. */
export interface PlainVoice {
  readonly speaker: number;
  /** Shared by all: the marks differ. */
  readonly loop: readonly Buffer[];
}

/** What arrived at one panel on one leg. */
export interface PlainEar {
  readonly legId: string;
  packets: number;
  /** Packets without a mark. */
  unmarked: number;
  /** Packets of each speaker. */
  readonly speakers: Map<number, number>;
  firstPacketAt: number | null;
  /** Packets that say when they were sent; sum and maximum of their way through Asterisk, milliseconds. */
  timed: number;
  delaySumMs: number;
  delayMaxMs: number;
}

type Track = {
  stop(): void;
  stopped: boolean;
  addEventListener(): void;
  readonly voice?: PlainVoice;
  ear?: PlainEar;
};

export function plainCitizenMedia(voice: PlainVoice): CitizenMediaPort {
  return {
    createPeerConnection: () => new PlainPeer() as unknown as PeerConnection,
    openMicrophone: () => Promise.resolve(track(voice) as unknown as MediaStreamTrack),
  };
}

export function plainPanelMedia(ears: PlainEar[]): PanelMediaPort {
  return {
    createPeerConnection: () => new PlainPeer() as unknown as PeerConnection,
    unlockAudio: () => Promise.resolve(),
    play(arriving, legId) {
      const ear = newEar(legId);
      ears.push(ear);
      (arriving as unknown as Track).ear = ear;
      return {
        levelDb: () => (ear.packets === 0 ? null : -12),
        setMuted: () => undefined,
        stop: () => undefined,
      };
    },
  };
}

/** Counts a payload that arrived; used by ears of every kind. */
export function hear(ear: PlainEar, payload: Buffer): void {
  const now = wallClockMs();
  ear.packets += 1;
  ear.firstPacketAt ??= now;
  const mark: Mark | null = readMark(payload);
  if (mark === null) {
    ear.unmarked += 1;
    return;
  }
  ear.speakers.set(mark.speaker, (ear.speakers.get(mark.speaker) ?? 0) + 1);
  // a voice whose mark never changes says nothing of time
  if (Number.isNaN(mark.sentAt)) return;
  ear.timed += 1;
  ear.delaySumMs += now - mark.sentAt;
  ear.delayMaxMs = Math.max(ear.delayMaxMs, now - mark.sentAt);
}

export function newEar(legId: string): PlainEar {
  const nothing = { packets: 0, unmarked: 0, firstPacketAt: null, timed: 0, delaySumMs: 0, delayMaxMs: 0 };
  return { legId, speakers: new Map(), ...nothing };
}

function track(voice?: PlainVoice): Track {
  const made: Track = {
    stopped: false,
    stop: () => (made.stopped = true),
    // nobody takes it away
    addEventListener: () => undefined,
    ...(voice ? { voice } : {}),
  };
  return made;
}

class PlainPeer {
  readonly iceGatheringState = 'complete';
  signalingState = 'stable';
  iceConnectionState = 'new';
  connectionState = 'new';
  localDescription: { type: string; sdp: string } | null = null;
  readonly #socket: Socket = createSocket('udp4');
  readonly #watchers: (() => void)[] = [];
  readonly #arriving = track();
  readonly #transceiver = {
    direction: 'sendrecv',
    receiver: { track: this.#arriving },
    sender: { replaceTrack: (sent: Track) => Promise.resolve(void (this.#sent = sent)) },
  };
  #sent: Track | null = null;
  #target: { host: string; port: number; payloadType: number } | null = null;
  #packetsSent = 0;
  #packetsReceived = 0;

  addEventListener(_type: string, listener: () => void): void {
    this.#watchers.push(listener);
  }

  addTransceiver(): object {
    return this.#transceiver;
  }

  getTransceivers(): object[] {
    return this.#target === null ? [] : [this.#transceiver];
  }

  setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.#target = readOffer(sdp);
    this.signalingState = 'have-remote-offer';
    return Promise.resolve();
  }

  createOffer(): Promise<never> {
    return Promise.reject(new Error('a plain client only answers'));
  }

  async createAnswer(): Promise<{ type: 'answer'; sdp: string }> {
    if (this.#target === null) throw new Error('there is no offer to answer');
    await new Promise<void>((resolve) => this.#socket.bind(0, HOST, resolve));
    this.#socket.on('message', (packet) => this.#received(packet));
    const { port } = this.#socket.address();
    const { direction } = this.#transceiver;
    return { type: 'answer', sdp: plainAnswer(HOST, port, direction, this.#target.payloadType) };
  }

  setLocalDescription(description: { type: string; sdp: string }): Promise<void> {
    this.localDescription = description;
    this.signalingState = 'stable';
    this.iceConnectionState = this.connectionState = 'connected';
    if (this.#transceiver.direction === 'sendonly') speak(this);
    for (const watcher of this.#watchers) watcher();
    return Promise.resolve();
  }

  getStats(): Promise<Map<string, object>> {
    return Promise.resolve(
      new Map<string, object>([
        ['in', { type: 'inbound-rtp', packetsReceived: this.#packetsReceived }],
        ['out', { type: 'outbound-rtp', packetsSent: this.#packetsSent }],
      ]),
    );
  }

  close(): void {
    this.connectionState = 'closed';
    silence(this);
    try {
      this.#socket.close();
    } catch {
      // It was never bound, or is closed already.
    }
  }

  /** The next 20 ms, if somebody speaks. */
  sendNext(): void {
    const voice = this.#sent?.stopped === false ? this.#sent.voice : undefined;
    if (voice === undefined || this.#target === null) return;
    const number = this.#packetsSent;
    const payload = voice.loop[number % voice.loop.length];
    if (payload === undefined) return;
    writeMark(payload, { speaker: voice.speaker, number, sentAt: wallClockMs() });
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
    packet.writeUInt16BE(0x8000 | this.#target.payloadType, 0);
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * FRAME_TICKS) >>> 0, 4);
    packet.writeUInt32BE(0x4852_0000 + voice.speaker, 8);
    packet.set(payload, RTP_HEADER_BYTES);
    this.#packetsSent += 1;
    this.#socket.send(packet, this.#target.port, this.#target.host);
  }

  #received(packet: Buffer): void {
    // also what is meant for a neighbour: Asterisk sends RTCP to the port above
    if (packet.length <= RTP_HEADER_BYTES || ((packet[1] ?? 0) & 0x7f) !== this.#target?.payloadType) return;
    this.#packetsReceived += 1;
    const { ear } = this.#arriving;
    if (ear) hear(ear, packet.subarray(RTP_HEADER_BYTES));
  }
}

const speakers = new Set<PlainPeer>();
let timer: NodeJS.Timeout | undefined;
let dueAt = 0;

/** One timer serves all; each peer keeps a phase of its own by the moment at which it began. */
function speak(peer: PlainPeer): void {
  speakers.add(peer);
  if (timer !== undefined) return;
  dueAt = performance.now();
  timer = setInterval(tick, FRAME_MS);
}

function silence(peer: PlainPeer): void {
  speakers.delete(peer);
  if (speakers.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function tick(): void {
  const now = performance.now();
  if (now - dueAt > MAX_BURST * FRAME_MS) dueAt = now;
  for (; dueAt <= now; dueAt += FRAME_MS) for (const peer of speakers) peer.sendNext();
}
