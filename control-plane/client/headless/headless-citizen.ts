/** A citizen without a phone: the app's own client code with a tone for a microphone, for the probe, tests, demo and load. */
import type { MediaStreamTrack } from 'werift';
import { CitizenClient } from '../citizen-client.ts';
import { GatewayApi } from '../gateway-api.ts';
import { GatewaySockets } from '../gateway-sockets.ts';
import type { IncomingLeg } from '../incoming-leg.ts';
import type { CitizenMediaPort } from '../media-port.ts';
import type { RtpCounts } from '../one-way-media.ts';
import { NodeSockets, type SipRecord } from './node-socket.ts';
import { RtpCounter } from './rtp-counter.ts';
import { wallClockMs } from './tone-listener.ts';
import { createToneTrack, opusLoop } from './tone-track.ts';
import { createWeriftMedia } from './werift-media.ts';

export interface HeadlessCitizenOptions {
  /** The gateway's HTTP interface, without `/v1`. */
  readonly baseUrl: string;
  readonly token: string;
  readonly deviceId: string;
  /** The tone that she sends. Default 1300. */
  readonly toneHz?: number;
  /** Sends packets of digital silence, as a locked phone does. */
  readonly silent?: boolean;
  readonly failIce?: boolean;
  /** See WeriftOptions. */
  readonly failDtls?: 'mismatch' | 'silence';
  /** She has not allowed the microphone. */
  readonly noMicrophone?: boolean;
  /** How long she waits for ICE before she gives a call up. Default 2000. */
  readonly iceTimeoutMs?: number;
  /** Refuses every call with this SIP status. */
  readonly rejectWith?: number;
  /** Default `header`, as an app does. */
  readonly credentials?: 'ticket' | 'header';
  readonly ca?: string;
  readonly fetch?: typeof fetch;
  /** What she sends in place of the tone: Opus packets of 20 ms, over and over. */
  readonly voice?: readonly Uint8Array[];
  /** The address on which her media are bound. Default 127.0.0.1. */
  readonly address?: string;
  /** Other media than WebRTC; then the voice, the tone and `failIce` are theirs to decide. */
  readonly media?: CitizenMediaPort;
}

/** Wall-clock milliseconds (see wallClockMs) of one call of the gateway. */
export interface LegTimes {
  readonly legId: string;
  readonly sessionId: string;
  readonly offeredAt: number;
  answeredAt: number | null;
  connectedAt: number | null;
  endedAt: number | null;
  ended: { readonly how: string; readonly reason: string | null } | null;
}

export interface HeadlessCitizen {
  readonly client: CitizenClient;
  /** Every call so far, oldest first. */
  readonly legs: readonly LegTimes[];
  /** Every SIP message, as it stood on the wire. */
  readonly sip: readonly SipRecord[];
  /** What went wrong on the way, and was tried again. */
  readonly troubles: readonly Error[];
  /** RTP over all her calls. `packetsReceived` above 0 means that somebody could be heard at her phone. */
  rtp(): RtpCounts;
  /** Whether the microphone captures. */
  microphoneOn(): boolean;
  /** Cuts her connections as a dead network would; the client connects again. Media flow on. */
  cutSignalling(): void;
  /** Gone without a BYE, and for good. */
  vanish(): Promise<void>;
  close(): Promise<void>;
}

export async function createHeadlessCitizen(options: HeadlessCitizenOptions): Promise<HeadlessCitizen> {
  const packets = options.voice ?? (await opusLoop(options.silent === true ? 0 : (options.toneHz ?? 1300)));
  const sockets = new NodeSockets({ ca: options.ca });
  const counter = new RtpCounter();
  const werift = createWeriftMedia({
    failIce: options.failIce ?? false,
    ...(options.address === undefined ? {} : { address: options.address }),
    ...(options.failDtls === undefined ? {} : { failDtls: options.failDtls }),
    onConnection: (connection) => counter.watch(connection),
  });
  let microphone: MediaStreamTrack | null = null;
  const api = new GatewayApi({
    baseUrl: options.baseUrl,
    token: () => options.token,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const client = new CitizenClient({
    api,
    sockets: new GatewaySockets({
      api,
      deviceId: options.deviceId,
      createSocket: sockets.create,
      credentials: options.credentials ?? 'header',
    }),
    ...(options.iceTimeoutMs === undefined ? {} : { iceTimeoutMs: options.iceTimeoutMs }),
    media: options.media ?? {
      ...werift,
      openMicrophone() {
        if (options.noMicrophone === true)
          return Promise.reject(new DOMException('denied', 'NotAllowedError'));
        microphone = createToneTrack(packets);
        return Promise.resolve(microphone as unknown as globalThis.MediaStreamTrack);
      },
    },
  });
  const legs: LegTimes[] = [];
  const troubles: Error[] = [];
  client.on('trouble', (error) => troubles.push(error));
  client.on('leg', (leg) => {
    legs.push(timesOf(leg));
    if (options.rejectWith !== undefined) void leg.reject(options.rejectWith);
  });
  return {
    client,
    legs,
    sip: sockets.sip,
    troubles,
    rtp: () => counter.counts(),
    microphoneOn: () => microphone !== null && !microphone.stopped,
    cutSignalling: () => sockets.cut(),
    async vanish() {
      sockets.cut();
      await client.vanish();
    },
    close: () => client.stop(),
  };
}

/** Notes the times of one call as they come. */
export function timesOf(leg: IncomingLeg): LegTimes {
  const times: LegTimes = {
    legId: leg.legId,
    sessionId: leg.sessionId,
    offeredAt: wallClockMs(),
    answeredAt: null,
    connectedAt: null,
    endedAt: null,
    ended: null,
  };
  leg.on('answered', () => (times.answeredAt = wallClockMs()));
  leg.on('connected', () => (times.connectedAt ??= wallClockMs()));
  leg.on('ended', (ended) => {
    times.endedAt = wallClockMs();
    times.ended = ended;
  });
  return times;
}
