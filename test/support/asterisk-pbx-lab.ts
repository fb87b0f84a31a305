/** The contract's lab on the real thing: the gateway's Asterisk, the simulated carrier, and WebRTC clients. */
import type { MediaStreamTrack } from 'werift';
import { SipClient } from '../../control-plane/client/sip-client.ts';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { AsteriskProcess } from '../../control-plane/sandbox/asterisk-process.ts';
import { behaviourNamed } from '../../control-plane/sandbox/carrier/behaviours.ts';
import {
  createCarrierReport,
  type CarrierReport,
} from '../../control-plane/sandbox/carrier/carrier-report.ts';
import { startCarrier } from '../../control-plane/sandbox/carrier/start-carrier.ts';
import type { GatewayEngine } from '../../control-plane/sandbox/gateway-engine.ts';
import {
  AsteriskDriver,
  type AsteriskDriverOptions,
} from '../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { webrtcEndpointFields } from '../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';
import type { AddressOfRecord } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import {
  LOST_AFTER_MS,
  type ClientBehaviour,
  type PbxClient,
  type PbxLab,
} from '../contract/pbx-driver.contract.ts';
import { callWitness, type AsteriskWitness } from './asterisk-witness.ts';
import { startCuttableProxy, type CuttableProxy } from './cuttable-proxy.ts';
import { sandboxTrunk, startTestEngine } from './gateway-engine.ts';
import { NodeSockets } from '../../control-plane/client/headless/node-socket.ts';
import { RtpCounter } from '../../control-plane/client/headless/rtp-counter.ts';
import { createToneTrack, opusLoop } from '../../control-plane/client/headless/tone-track.ts';
import { createWeriftMedia } from '../../control-plane/client/headless/werift-media.ts';
import { keptLog, type KeptLog } from './kept-log.ts';
import { asteriskRootDir, makeRunDir } from './sandbox-roots.ts';
import { silentMetrics } from './silent-metrics.ts';
import { openWebSocketPeer, ringUntilCancelled } from './sip-peer.ts';

export interface AsteriskPbxLab extends PbxLab {
  readonly driver: AsteriskDriver;
  readonly engine: GatewayEngine & { readonly runDir: string };
  readonly carrier: CarrierReport;
  readonly proxy: CuttableProxy;
  readonly witness: AsteriskWitness;
  readonly log: KeptLog;
  /** A further driver, straight to Asterisk. */
  newDriver(options?: Partial<AsteriskDriverOptions>): AsteriskDriver;
  /** A client that answers and whose ICE never connects: it says so by a BYE after 2 s. */
  connectDeafClient(aor: AddressOfRecord): Promise<PbxClient>;
  /** Asterisk was started anew by the test: this process is to be ended with the lab. */
  replaceEngine(asterisk: AsteriskProcess): void;
  /** Where clients' SIP goes. */
  readonly socketUrl: string;
}

const APP = 'hamrahi';
const TONE_HZ = 1_300;

export async function startAsteriskPbxLab(): Promise<AsteriskPbxLab> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const { runDir, remove } = makeRunDir('car');
    stops.push(remove);
    const carrier = await startCarrier({ root: asteriskRootDir(), runDir });
    stops.push(() => carrier.stop());
    const trunk = sandboxTrunk(carrier.port);
    const engine = await startTestEngine({ trunks: [trunk], ariApp: APP, rtpPorts: 400 });
    stops.push(() => engine.stop());
    carrier.setGateway({ host: '127.0.0.1', port: engine.sipPort });
    const url = new URL(engine.httpUrl);
    const proxy = await startCuttableProxy({ host: url.hostname, port: Number(url.port) });
    stops.push(() => proxy.stop());
    const log = keptLog();
    const { user, password } = engine.settings.ari;
    const newDriver = (options: Partial<AsteriskDriverOptions> = {}): AsteriskDriver =>
      new AsteriskDriver({
        url: `${engine.httpUrl}/ari`,
        user,
        password,
        app: APP,
        trunks: new Map([[trunk.name, trunk]]),
        endpointFields: (aor) => webrtcEndpointFields({ aor, permit: engine.relayAddresses }),
        clock: systemClock(),
        log,
        metrics: silentMetrics,
        mediaLostAfterMs: LOST_AFTER_MS,
        ...options,
      });
    const driver = newDriver({ url: `http://127.0.0.1:${proxy.port}/ari` });
    await driver.start(5_000);
    stops.push(() => driver.stop());
    const witness = await callWitness({ url: engine.httpUrl, user, password: password.reveal() });
    const report = createCarrierReport(carrier.reportUrl);
    const socketUrl = `${engine.httpUrl.replace('http', 'ws')}/ws`;
    let numbers = 0;
    return {
      driver,
      trunk: trunk.name,
      engine,
      carrier: report,
      proxy,
      witness,
      log,
      newDriver,
      number(behaviour) {
        numbers += 1;
        const text = `+9198${String(100_000 + numbers)}${behaviourNamed(behaviour).digits}`;
        const number = PhoneNumber.parse(text);
        if (number === null) throw new Error(text);
        return number;
      },
      toneOf: (number) => phoneToneHz(number.reveal()),
      connectClient: (aor, behaviour) =>
        behaviour === 'answers'
          ? connectWebrtcClient(socketUrl, aor, false)
          : connectPlainClient(socketUrl, aor, behaviour),
      replaceEngine: (asterisk) => {
        stops.push(async () => {
          await asterisk.stop();
        });
      },
      connectDeafClient: (aor) => connectWebrtcClient(socketUrl, aor, true),
      socketUrl,
      untilHears: async (listener, speaker) => {
        const { phoneHz } = await report.waitForCall(({ number }) => number === speaker.reveal(), 2_000);
        await report.waitForCall(
          ({ number, heard }) => number === listener.reveal() && heard.some(({ hz }) => hz === phoneHz),
          2_000,
        );
      },
      callIn: async () => {
        const placed = await report.placeCall({ to: '+911140000100', from: '+919812345678' });
        return placed.finalStatus ?? 0;
      },
      breakConnection: () => proxy.cut(),
      assertNothingLeft: () => witness.assertNothingLeft([trunk.name]),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Answers with media: sends a tone and would take what comes, whatever its role: so a test sees what the engine
 * enforces when a client does not.
 */
async function connectWebrtcClient(url: string, aor: string, failIce: boolean): Promise<PbxClient> {
  const sockets = new NodeSockets();
  const counter = new RtpCounter();
  const packets = await opusLoop(TONE_HZ);
  const media = createWeriftMedia({
    failIce,
    onConnection: (connection) => counter.watch(connection),
  });
  const tracks: MediaStreamTrack[] = [];
  let sending = true;
  const openTrack = (): MediaStreamTrack => {
    const track = createToneTrack(packets);
    const write = track.writeRtp.bind(track);
    track.writeRtp = (packet) => {
      if (sending) write(packet);
    };
    tracks.push(track);
    return track;
  };
  const client = new SipClient({
    sipUri: `sip:${aor}@127.0.0.1`,
    protocol: 'WS',
    openSocket: () => Promise.resolve(sockets.create(url, ['sip'], {})),
    media: () => ({
      media,
      // no role of a client of ours: a cast is what makes it misbehave
      direction: 'sendrecv' as 'sendonly',
      track: () => Promise.resolve(openTrack() as unknown as globalThis.MediaStreamTrack),
      iceServers: [],
      gatheringTimeoutMs: 500,
    }),
  });
  client.on('leg', (leg) => void leg.answer());
  client.start();
  return {
    send: (yes) => {
      sending = yes;
    },
    received: () => Promise.resolve(counter.counts().packetsReceived),
    disconnect: async () => {
      for (const track of tracks.splice(0)) track.stop();
      await client.stop();
    },
  };
}

/** Signalling alone: rings, or refuses. */
async function connectPlainClient(
  url: string,
  aor: string,
  behaviour: Exclude<ClientBehaviour, 'answers'>,
): Promise<PbxClient> {
  const peer = await openWebSocketPeer(url);
  ringUntilCancelled(peer);
  if (behaviour === 'busy')
    peer.answer = ({ cseq: { method } }) => {
      if (method === 'ACK') return [];
      return method === 'INVITE' ? ['486 Busy Here'] : ['200 OK'];
    };
  const address = `sip:${aor}@127.0.0.1`;
  await peer.request({ method: 'REGISTER', requestUri: 'sip:127.0.0.1', from: address, to: address });
  return {
    send: () => undefined,
    received: () => Promise.resolve(0),
    disconnect: () => {
      peer.close();
      return Promise.resolve();
    },
  };
}
