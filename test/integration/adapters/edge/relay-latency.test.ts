// run-tests: quiet
import { expect } from 'chai';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { provisionClient } from '../../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { sipUrlOf, startEdgeLab, type EdgeLab } from './edge-lab.ts';
import { startCalls } from './engine-calls.ts';
import { answerTo, RawClient } from './raw-client.ts';

const ROUNDS = 150;
const CALLS = 20;
const RTC_1_MS = 500;

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

describe('adapters/edge: what the hop costs', function () {
  this.timeout(30_000);
  let engine: GatewayEngine;
  let lab: EdgeLab;

  before(async () => {
    engine = await startTestEngine({ trunks: [sandboxTrunk(9)] });
    lab = await startEdgeLab(engine, { limits: { messagesPerSecond: 10_000, messageBurst: 10_000 } });
  });
  after(async () => {
    await lab.stop();
    await engine.stop();
  });

  const roundTrips = async (client: RawClient): Promise<number[]> => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      await client.register();
      times.push(performance.now() - started);
    }
    return times;
  };

  // Medians: the machine of a test run is busy with other things. The bench measures the tail.
  it('RTC-1: adds less than a hundredth of the 500 ms to a round trip, and less than half of that within', async () => {
    await provisionClient(engine, { aor: 'citizen-c9-d1' });
    const direct = await RawClient.connect({ url: sipUrlOf(engine), aor: 'citizen-c9-d1', headers: {} });
    const relayed = await lab.connect('citizen-c1-d1');
    const added: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const without = quantile(await roundTrips(direct), 0.5);
      added.push(quantile(await roundTrips(relayed), 0.5) - without);
    }
    direct.terminate();
    expect(quantile(added, 0.5)).to.be.lessThan(RTC_1_MS / 100);
    expect(quantile(lab.witness.relayMs, 0.5)).to.be.lessThan(RTC_1_MS / 200);
  });

  it('RTC-1: handles the messages of a call, SDP and all, in less than a hundredth of the 500 ms each', async () => {
    const calls = await startCalls(engine);
    const client = await lab.connect('citizen-c2-d1');
    await client.register();
    const before = lab.witness.relayMs.length;
    for (let index = 0; index < CALLS; index += 1) {
      await calls.call(client.aor, `call-${index}`);
      const invite = await client.request('INVITE');
      client.respond(invite, '200 OK', answerTo(invite));
      await client.request('ACK');
      await calls.hangUp(`call-${index}`);
      client.respond(await client.request('BYE'), '200 OK');
    }
    calls.close();
    const taken = lab.witness.relayMs.slice(before);
    expect(taken.length).to.be.at.least(CALLS * 5 - 1);
    expect(quantile(taken, 0.5)).to.be.lessThan(RTC_1_MS / 100);
  });
});
