/**
 * The gateway's Asterisk with two trunks: the first goes to a peer that the test plays (it refuses, is silent, or is slow),
 * the second to the carrier simulator. Between them the lines as the gateway has them. Two more can take the first one's
 * place: nobody listens at the one, nobody can trust the other.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { reservePort } from '../../control-plane/sandbox/free-ports.ts';
import type { SipTransportSettings } from '../../control-plane/src/adapters/engine-config/gateway-settings.ts';
import { behaviourNamed } from '../../control-plane/sandbox/carrier/behaviours.ts';
import {
  createCarrierReport,
  type CarrierReport,
} from '../../control-plane/sandbox/carrier/carrier-report.ts';
import { startCarrier } from '../../control-plane/sandbox/carrier/start-carrier.ts';
import { AsteriskDriver } from '../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { legIdOf } from '../../control-plane/src/domain/ids.ts';
import type { LegId, SessionId } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import type { Trunk } from '../../control-plane/src/domain/trunk/trunk.ts';
import type { PbxEvent } from '../../control-plane/src/ports/pbx-driver.ts';
import type { LineDial } from '../../control-plane/src/ports/telephony.ts';
import { callWitness, type AsteriskWitness } from './asterisk-witness.ts';
import { sandboxTrunk, startTestEngine } from './gateway-engine.ts';
import { keptLog } from './kept-log.ts';
import { phoneLinesLab, type PhoneLinesLab } from './phone-lines-lab.ts';
import { asteriskRootDir, makeRunDir } from './sandbox-roots.ts';
import { silentMetrics } from './silent-metrics.ts';
import { openUdpPeer, type SipPeer } from './sip-peer.ts';
import { makeIdentity } from './stream-carrier.ts';

const APP = 'hamrahi';
const PEER_HOST = '127.0.0.4';
const REFUSED_HOST = '127.0.0.5';
const UNTRUSTED_HOST = '127.0.0.6';

export interface ToldEvent {
  readonly event: PbxEvent;
  /** performance.now() at its arrival. */
  readonly at: number;
}

export interface FailoverLab extends PhoneLinesLab {
  readonly peer: SipPeer;
  readonly carrier: CarrierReport;
  readonly witness: AsteriskWitness;
  readonly first: Trunk;
  readonly second: Trunk;
  /** TCP, to a port at which nobody listens. */
  readonly refused: Trunk;
  /** TLS, to somebody whose certificate is of an authority that the engine does not know. */
  readonly untrusted: Trunk;
  /** Names of all four. */
  readonly names: readonly string[];
  /** What the peer answers an INVITE with, at once; nothing: it is silent. OPTIONS it always answers. */
  play(...statuses: readonly string[]): void;
  /** A fresh number of this behaviour at the simulator. */
  number(behaviour: string): PhoneNumber;
  dial(number: PhoneNumber, change?: Partial<LineDial>): Promise<{ legId: LegId; dialledAt: number }>;
  /** The first event of this kind of the leg. */
  until(legId: LegId, type: PbxEvent['type'], deadlineMs?: number): Promise<ToldEvent>;
  of(legId: LegId): readonly PbxEvent[];
  stop(): Promise<void>;
}

export async function startFailoverLab(): Promise<FailoverLab> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    return await build(stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(stops: (() => Promise<void>)[], stop: () => Promise<void>): Promise<FailoverLab> {
  const { runDir, remove } = makeRunDir('car');
  stops.push(remove);
  const carrier = await startCarrier({ root: asteriskRootDir(), runDir });
  stops.push(() => carrier.stop());
  // Where it answers to is known once the engine has a port.
  const gateway = { host: '127.0.0.1', port: 9 };
  const peer = await openUdpPeer(PEER_HOST, gateway);
  stops.push(async () => {
    await Promise.resolve();
    peer.close();
  });
  const second = sandboxTrunk(carrier.port);
  const first: Trunk = {
    ...second,
    name: 'first',
    priority: 1,
    hosts: [{ address: PEER_HOST, port: peer.port, priority: 1 }],
    sources: [PEER_HOST],
  };
  const { refused, untrusted, moreTransports } = await streamTrunks(first, runDir, stops);
  const trunks = [first, second, refused, untrusted];
  const engine = await startTestEngine({ trunks, ariApp: APP, rtpPorts: 400, moreTransports });
  stops.push(() => engine.stop());
  gateway.port = engine.sipPort;
  carrier.setGateway(gateway);
  const { user, password } = engine.settings.ari;
  const clock = systemClock();
  const driver = new AsteriskDriver({
    url: `${engine.httpUrl}/ari`,
    user,
    password,
    app: APP,
    trunks: new Map(trunks.map((trunk) => [trunk.name, trunk])),
    endpointFields: () => ({ aor: [], endpoint: [] }),
    clock,
    log: keptLog(),
    metrics: silentMetrics,
  });
  const lab = phoneLinesLab(driver, clock, [first, second]);
  stops.push(() => lab.lines.stop());
  const told: ToldEvent[] = [];
  const waiting = new Set<() => void>();
  lab.lines.onEvent((event) => {
    told.push({ event, at: performance.now() });
    for (const look of waiting) look();
  });
  await lab.lines.start(5000);
  const witness = await callWitness({ url: engine.httpUrl, user, password: password.reveal() });
  let numbers = 0;
  const play: FailoverLab['play'] = (...statuses) => {
    peer.answer = ({ start }) => {
      if (start.kind !== 'request' || start.method === 'ACK') return [];
      if (start.method !== 'INVITE') return ['200 OK'];
      return statuses;
    };
  };
  play();
  return Object.assign(lab, {
    peer,
    carrier: createCarrierReport(carrier.reportUrl),
    witness,
    first,
    second,
    refused,
    untrusted,
    names: trunks.map(({ name }) => name),
    play,
    number: (behaviour: string) => {
      numbers += 1;
      const number = PhoneNumber.parse(`+9198${100_000 + numbers}${behaviourNamed(behaviour).digits}`);
      if (number === null) throw new Error(behaviour);
      return number;
    },
    dial: async (number: PhoneNumber, change: Partial<LineDial> = {}) => {
      const sessionId = randomUUID() as SessionId;
      const legId = change.legId ?? legIdOf(sessionId, 'citizen-phone', 1);
      const dialledAt = performance.now();
      const result = await lab.lines.dialPhone({
        legId,
        ownerId: sessionId,
        number,
        ringTimeoutMs: 25_000,
        triesBefore: 0,
        purpose: 'sos',
        callerId: null,
        trunk: null,
        ...change,
      });
      if (!result.ok) throw new Error(result.code);
      return { legId, dialledAt };
    },
    until: (legId: LegId, type: PbxEvent['type'], deadlineMs = 8000) =>
      new Promise<ToldEvent>((resolve, reject) => {
        const find = () =>
          told.find(({ event }) => event.type === type && 'legId' in event && event.legId === legId);
        const timer = setTimeout(() => {
          waiting.delete(look);
          const had = told.filter(({ event }) => 'legId' in event && event.legId === legId);
          reject(new Error(`no ${type} of ${legId}; but ${had.map(({ event }) => event.type).join(', ')}`));
        }, deadlineMs);
        const look = (): void => {
          const found = find();
          if (!found) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    of: (legId: LegId) =>
      told.flatMap(({ event }) => ('legId' in event && event.legId === legId ? [event] : [])),
    stop,
  });
}

async function streamTrunks(
  like: Trunk,
  folder: string,
  stops: (() => Promise<void>)[],
): Promise<Record<'refused' | 'untrusted', Trunk> & { moreTransports: SipTransportSettings[] }> {
  const [stranger, known] = await Promise.all([
    makeIdentity(folder, 'stranger', UNTRUSTED_HOST),
    makeIdentity(folder, 'known', '127.0.0.1'),
  ]);
  const server = createServer({
    cert: readFileSync(stranger.certificateFile),
    key: readFileSync(stranger.keyFile),
  });
  // that its guests leave during the handshake is what this is about
  server.on('tlsClientError', () => undefined);
  server.listen(0, UNTRUSTED_HOST);
  await once(server, 'listening');
  stops.push(() => new Promise((resolve) => void server.close(() => resolve())));
  const [nobody, tcp, tls] = await Promise.all([reservePort([REFUSED_HOST]), reservePort(), reservePort()]);
  for (const reservation of [nobody, tcp, tls]) stops.push(() => reservation.release());
  const transport = (name: string, protocol: 'tcp' | 'tls', port: number): SipTransportSettings => ({
    ...{ name, protocol, address: '127.0.0.1', port },
    ...{ externalMediaAddress: null, externalSignalingAddress: null, externalSignalingPort: null },
    tls: protocol === 'tcp' ? null : { ...known, caFile: known.certificateFile, verifyServer: true },
  });
  return {
    refused: {
      ...like,
      ...{ name: 'refused', transport: 'tcp', localTransport: 'trunk-tcp', sources: [REFUSED_HOST] },
      hosts: [{ address: REFUSED_HOST, port: nobody.first, priority: 1 }],
    },
    untrusted: {
      ...like,
      ...{ name: 'untrusted', transport: 'tls', localTransport: 'trunk-tls', sources: [UNTRUSTED_HOST] },
      hosts: [{ address: UNTRUSTED_HOST, port: (server.address() as AddressInfo).port, priority: 1 }],
    },
    moreTransports: [transport('trunk-tcp', 'tcp', tcp.first), transport('trunk-tls', 'tls', tls.first)],
  };
}
