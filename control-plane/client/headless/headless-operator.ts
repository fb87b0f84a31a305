/** An operator without a browser: the panel's own client code with an ear that knows tones. */
import type { MediaStreamTrack, RTCPeerConnection } from 'werift';
import { GatewayApi } from '../gateway-api.ts';
import { GatewaySockets } from '../gateway-sockets.ts';
import type { PanelMediaPort } from '../media-port.ts';
import type { RtpCounts } from '../one-way-media.ts';
import { PanelClient } from '../panel-client.ts';
import { withDeadline } from '../deadline.ts';
import type { HeardSound } from './tone-detector.ts';
import type { FeedEvent } from '../../src/contracts/panel-feed.ts';
import { timesOf, type LegTimes } from './headless-citizen.ts';
import { NodeSockets, type SipRecord } from './node-socket.ts';
import { RtpCounter } from './rtp-counter.ts';
import { ToneListener, wallClockMs, type RecognisedTone } from './tone-listener.ts';
import { createToneTrack, opusLoop } from './tone-track.ts';
import { createWeriftMedia } from './werift-media.ts';

export interface HeadlessOperatorOptions {
  readonly baseUrl: string;
  readonly token: string;
  /** Which panel client of this operator it is. */
  readonly clientId: string;
  /** The tones that it knows. */
  readonly candidatesHz: readonly number[];
  /** Misbehaves: answers `sendrecv` and sends this tone in spite of everything. */
  readonly sendAnywayHz?: number;
  readonly failIce?: boolean;
  /** Refuses every call with this SIP status. */
  readonly rejectWith?: number;
  readonly credentials?: 'ticket' | 'header';
  readonly ca?: string;
  readonly fetch?: typeof fetch;
  /** The address on which its media are bound. Default 127.0.0.1. */
  readonly address?: string;
  /** Told of each packet's Opus as it came, with its number. */
  readonly onPayload?: (legId: string, payload: Buffer, sequence: number) => void;
  /** Other media than WebRTC with an ear for tones; then nothing is heard here, but there. */
  readonly media?: PanelMediaPort;
}

/** What was heard on one call. */
export interface HeardLeg {
  readonly legId: string;
  readonly firstPacketAt: number | null;
  readonly packets: number;
  /** Every tone that began to arrive, with the time of its recognition; the same tone again after a pause counts again. */
  readonly tones: readonly RecognisedTone[];
  /** What arrives just now. Two voices mixed are `sound`, and no tone. */
  readonly now: HeardSound;
}

export interface HeadlessOperator {
  readonly client: PanelClient;
  /** Every call so far, oldest first. */
  readonly legs: readonly LegTimes[];
  readonly sip: readonly SipRecord[];
  /** Every feed event with the time of its arrival. */
  readonly events: readonly { readonly event: FeedEvent; readonly at: number }[];
  readonly troubles: readonly Error[];
  heard(): readonly HeardLeg[];
  /** RTP over all calls. `packetsSent` above 0 only when it misbehaves. */
  rtp(): RtpCounts;
  /** On duty, as the gateway confirms; rejects after `deadlineMs`. */
  beginShift(deadlineMs?: number): Promise<void>;
  /** Can be called to join or to listen in, without a shift; rejects after `deadlineMs`. */
  openAudio(deadlineMs?: number): Promise<void>;
  /** The first time this tone is recognised on any call; rejects after `deadlineMs`. */
  tone(hz: number, deadlineMs: number): Promise<RecognisedTone>;
  /** The first feed event that fits, past ones included; rejects after `deadlineMs`. */
  event(fits: (event: FeedEvent) => boolean, deadlineMs: number): Promise<{ event: FeedEvent; at: number }>;
  cutSignalling(): void;
  /** Gone without a BYE, and for good. */
  vanish(): Promise<void>;
  close(): Promise<void>;
}

export async function createHeadlessOperator(options: HeadlessOperatorOptions): Promise<HeadlessOperator> {
  const sockets = new NodeSockets({ ca: options.ca });
  const counter = new RtpCounter();
  const ears = new Map<string, ToneListener>();
  const toneWaiters = new Set<(tone: RecognisedTone) => void>();
  const misbehaviour = await createMisbehaviour(options.sendAnywayHz);
  const media = createWeriftMedia({
    failIce: options.failIce ?? false,
    ...(options.address === undefined ? {} : { address: options.address }),
    onConnection(connection) {
      counter.watch(connection);
      misbehaviour.corrupt(connection);
    },
  });
  const api = new GatewayApi({
    baseUrl: options.baseUrl,
    token: () => options.token,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const client = new PanelClient({
    api,
    sockets: new GatewaySockets({
      api,
      deviceId: options.clientId,
      createSocket: sockets.create,
      credentials: options.credentials ?? 'ticket',
    }),
    media: options.media ?? {
      ...media,
      unlockAudio: () => Promise.resolve(),
      play(track, legId) {
        const ear = new ToneListener({
          track: track as unknown as MediaStreamTrack,
          candidatesHz: options.candidatesHz,
          onTone: (tone) => {
            for (const waiter of toneWaiters) waiter(tone);
          },
        });
        ears.set(legId, ear);
        const { onPayload } = options;
        if (onPayload)
          (track as unknown as MediaStreamTrack).onReceiveRtp.subscribe(({ payload, header }) =>
            onPayload(legId, payload, header.sequenceNumber),
          );
        return { levelDb: () => ear.levelDb(), setMuted: () => undefined, stop: () => ear.stop() };
      },
    },
  });
  const legs: LegTimes[] = [];
  const events: { event: FeedEvent; at: number }[] = [];
  const troubles: Error[] = [];
  client.on('trouble', (error) => troubles.push(error));
  client.on('event', (event) => events.push({ event, at: wallClockMs() }));
  client.on('leg', (leg) => {
    legs.push(timesOf(leg));
    if (options.rejectWith !== undefined) void leg.reject(options.rejectWith);
  });
  return {
    client,
    legs,
    sip: sockets.sip,
    events,
    troubles,
    heard: () => [...ears].map(([legId, ear]) => heardOn(legId, ear)),
    rtp: () => counter.counts(),
    async beginShift(deadlineMs = 10_000) {
      const ready = Promise.all([until(client, 'shift', 'on'), until(client, 'connection', 'registered')]);
      await client.start();
      await client.beginShift();
      await withDeadline(ready, deadlineMs, 'beginning the shift');
    },
    async openAudio(deadlineMs = 10_000) {
      const ready = until(client, 'connection', 'registered');
      await client.start();
      await client.openAudio();
      await withDeadline(ready, deadlineMs, 'registering');
    },
    tone(hz, deadlineMs) {
      const known = [...ears.values()].flatMap((ear) => ear.tones).find((tone) => tone.hz === hz);
      if (known !== undefined) return Promise.resolve(known);
      const found = new Promise<RecognisedTone>((resolve) => {
        toneWaiters.add((tone) => {
          if (tone.hz === hz) resolve(tone);
        });
      });
      return withDeadline(found, deadlineMs, `recognising ${hz} Hz`);
    },
    event(fits, deadlineMs) {
      const known = events.find(({ event }) => fits(event));
      if (known !== undefined) return Promise.resolve(known);
      const found = new Promise<{ event: FeedEvent; at: number }>((resolve) => {
        client.on('event', (event) => {
          if (fits(event)) resolve({ event, at: wallClockMs() });
        });
      });
      return withDeadline(found, deadlineMs, 'a feed event');
    },
    cutSignalling: () => sockets.cut(),
    async vanish() {
      sockets.cut();
      misbehaviour.stop();
      await client.vanish();
    },
    async close() {
      misbehaviour.stop();
      await client.stop();
    },
  };
}

function heardOn(legId: string, ear: ToneListener): HeardLeg {
  return {
    legId,
    firstPacketAt: ear.firstPacketAt,
    packets: ear.packets,
    tones: [...ear.tones],
    now: ear.current(),
  };
}

function until(client: PanelClient, name: 'shift' | 'connection', value: string): Promise<void> {
  return new Promise((resolve) => {
    const off = client.on(name, (state) => {
      if (state !== value) return;
      off();
      resolve();
    });
  });
}

/** Makes a connection answer `sendrecv` and send a tone, against the role of the client that uses it. */
async function createMisbehaviour(
  toneHz: number | undefined,
): Promise<{ corrupt(connection: RTCPeerConnection): void; stop(): void }> {
  if (toneHz === undefined) return { corrupt: () => undefined, stop: () => undefined };
  const packets = await opusLoop(toneHz);
  const tracks: MediaStreamTrack[] = [];
  return {
    corrupt(connection) {
      const answer = connection.createAnswer.bind(connection);
      connection.createAnswer = async () => {
        for (const transceiver of connection.getTransceivers()) {
          transceiver.offerDirection = 'sendrecv';
          transceiver.setDirection('sendrecv');
          const track = createToneTrack(packets);
          tracks.push(track);
          await transceiver.sender.replaceTrack(track);
        }
        return answer();
      };
    },
    stop() {
      for (const track of tracks) track.stop();
    },
  };
}
