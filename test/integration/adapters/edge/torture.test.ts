/** RFC 4475 and mutated dialogs against the edge on real sockets; the engine's end keeps all that reaches it. */
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  startCoreLinkServer,
  type CoreLinkServer,
} from '../../../../control-plane/src/adapters/edge-link/core-link-server.ts';
import { startEdge, type Edge } from '../../../../control-plane/src/adapters/edge/start-edge.ts';
import { fuzzRuns, fuzzTimeoutMs } from '../../../support/fuzz/fuzz-plan.ts';
import { mutated } from '../../../support/fuzz/mutate-sip.ts';
import { faultsOf, type Client } from '../../../support/fuzz/reaches-engine.ts';
import { TORTURE } from '../../../support/fuzz/torture-messages.ts';
import {
  clientAnswer,
  clientInDialog,
  clientRequest,
  engineRequest,
  sdp,
} from '../../../unit/domain/sip/sip-samples.ts';
import { realClock, Witness } from './edge-lab.ts';
import { headerOf, RawClient } from './raw-client.ts';

const AOR = 'citizen-c1-d1';
const DOMAIN = 'sip.test';
const LIMITS = { messagesPerSecond: 10_000, messageBurst: 10_000, maxMalformed: 10_000, maxOpenings: 1_000 };

describe('adapters/edge fuzz: torture messages', function () {
  this.timeout(fuzzTimeoutMs(20_000));
  const client: Client = { aor: AOR, role: 'citizen', sipDomain: DOMAIN, callIds: new Set(['call-1']) };
  const witness = new Witness();
  let engine: WebSocketServer;
  const reached: string[] = [];
  let core: CoreLinkServer;
  let edge: Edge;
  let lane: WebSocket;
  let speaker: RawClient;

  before(async () => {
    engine = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sip' });
    await once(engine, 'listening');
    const secret = randomBytes(24).toString('hex');
    const upstreamUrl = `ws://127.0.0.1:${(engine.address() as AddressInfo).port}/ws`;
    core = await startCoreLinkServer({
      listen: { host: '127.0.0.1', port: 0 },
      secret,
      onAdmit: () => Promise.resolve({ aor: AOR, role: 'citizen', upstreamUrl, sipDomain: DOMAIN }),
      onStamp: () => undefined,
      onSocket: () => undefined,
      clock: realClock,
      log: witness.log,
      metrics: witness,
    });
    const parts = { clock: realClock, log: witness.log, metrics: witness };
    const listen = { host: '127.0.0.1', port: 0 };
    edge = await startEdge({
      listen,
      coreUrls: [`ws://127.0.0.1:${core.port}`],
      coreSecret: secret,
      limits: LIMITS,
      ...parts,
    });
  });
  after(async () => {
    await edge.stop();
    await core.stop();
    for (const socket of engine.clients) socket.terminate();
    engine.close();
  });

  /** A client in a call of the engine's, which it has answered. */
  const comeIn = async (): Promise<void> => {
    const opened = once(engine, 'connection') as Promise<[WebSocket]>;
    speaker = await RawClient.connect({
      url: `ws://127.0.0.1:${edge.port}/sip`,
      aor: AOR,
      headers: { authorization: 'Bearer t', 'x-hamrahi-device': 'd1' },
    });
    [lane] = await opened;
    lane.on('message', (data: Buffer) => reached.push(data.toString('latin1')));
    const told = once(speaker.socket, 'message');
    lane.send(Buffer.from(engineRequest('INVITE', { body: sdp() }), 'latin1'), { binary: false });
    await told;
    speaker.socket.send(clientAnswer('180 Ringing'));
    await settle();
    reached.length = 0;
  };
  /** The engine's end goes, and with it the lane. */
  const goAway = async (): Promise<void> => {
    const gone = once(speaker.socket, 'close');
    lane.close();
    await gone;
  };
  /** All that was sent has been judged: an OPTIONS behind it is answered by the edge itself. */
  const settle = async (): Promise<void> => {
    const callId = `options-${randomBytes(6).toString('hex')}`;
    const answered = new Promise<void>((resolve) => {
      const look = (data: Buffer): void => {
        if (headerOf(data.toString('latin1'), 'Call-ID') !== callId) return;
        speaker.socket.off('message', look);
        resolve();
      };
      speaker.socket.on('message', look);
    });
    speaker.socket.send(clientRequest('OPTIONS').replace('client-call', callId));
    await answered;
    // What the edge sent to the engine before it answered has left in the same turn: a ping comes behind it.
    lane.ping();
    await once(lane, 'pong');
  };
  /** What is no UTF-8 can only travel as a binary frame: RFC 6455 §8.1 has the socket closed for it. */
  const say = (frame: string): void => {
    const bytes = Buffer.from(frame, 'latin1');
    speaker.socket.send(bytes, { binary: !isUtf8(bytes) });
  };

  describe('of RFC 4475', () => {
    beforeEach(comeIn);
    afterEach(goAway);

    for (const { section, what, frame, refused } of TORTURE)
      it(`RTC-10 §${section} ${what}: ${refused ?? 'passes'}`, async () => {
        const before = witness.refused.length;
        say(frame);
        await settle();
        const codes = witness.refused.slice(before);
        expect(codes).to.deep.equal(refused === null ? [] : [refused]);
        const passedOn = reached.filter((text) => !text.includes(`X-Hamrahi-Code: ${refused ?? ''}`));
        expect(passedOn).to.have.length(refused === null ? 1 : 0);
        for (const text of reached) expect(faultsOf(text, client), text).to.deep.equal([]);
        expect(speaker.socket.readyState, 'it may go on').to.equal(speaker.socket.OPEN);
      });
  });

  it('RTC-3 RTC-10 mutated dialogs: nothing reaches the engine that should not; neither memory nor log grow', async () => {
    await comeIn();
    const samples = [
      clientRequest('REGISTER'),
      clientAnswer('200 OK', { body: sdp({ direction: 'sendonly' }) }),
      clientInDialog('BYE'),
      clientInDialog('UPDATE', { body: sdp({ direction: 'sendonly' }) }),
    ];
    // A larger frame ends the socket, which is shown elsewhere.
    const small = mutated(samples).filter((frame) => frame.length <= 16_384);
    const lines = witness.lines.length;
    const heap = process.memoryUsage().heapUsed;
    const { numRuns, seed } = fuzzRuns(1_500);
    for (const batch of chunks(fc.sample(small, { numRuns, seed }), 100)) {
      for (const frame of batch) say(frame);
      await settle();
      for (const text of reached) expect(faultsOf(text, client), text).to.deep.equal([]);
      reached.length = 0;
    }
    expect(edge.lanes).to.equal(1);
    await goAway();
    expect(witness.lines.length - lines, 'lines of the log').to.be.below(40);
    expect((process.memoryUsage().heapUsed - heap) / 1e6, 'MB').to.be.below(80);
  });
});

function* chunks<T>(all: readonly T[], size: number): Iterable<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
