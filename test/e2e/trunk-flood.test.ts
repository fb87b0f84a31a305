/** A thousand calls that nobody ordered, from the carrier's address and from elsewhere, and an SOS in the middle of them. */
// run-tests: quiet
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openUdpPeer, PLAIN_SDP, startLine, type SipPeer } from '../support/sip-peer.ts';
import { useGateway } from './support/gateway.ts';
import { press, told, verdict } from './support/sos.ts';

const CALLS = 1_000;
const PER_SECOND = 200;
const TONE_HZ = 1100;
/** Of one kind of line: thirty at once, then one a second (docs/security.md). */
const BUDGET = 30;

describe('e2e: a flood of calls', function () {
  this.timeout(60_000);
  const gateway = useGateway();

  /** Final answers by status, `none` where there was none in time. */
  const flood = async (peer: SipPeer): Promise<ReadonlyMap<string, number>> => {
    const answers: Promise<string>[] = [];
    for (let sent = 0; sent < CALLS; sent += PER_SECOND / 20) {
      for (let count = 0; count < PER_SECOND / 20; count += 1)
        answers.push(
          peer
            .request({
              method: 'INVITE',
              requestUri: 'sip:+911140000100@gateway.invalid',
              from: `sip:+9198765${String(10_000 + sent + count)}@${peer.host}`,
              body: PLAIN_SDP,
              deadlineMs: 10_000,
            })
            .then(startLine, () => 'none'),
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const byStatus = new Map<string, number>();
    for (const status of await Promise.all(answers)) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    return byStatus;
  };
  const linesWith = (text: string): number =>
    readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8').split(text).length - 1;

  // Asterisk writes a line for each message that its address list refuses, and has no way to write fewer.
  for (const { whence, host, status, isTold, warnings } of [
    { whence: "the carrier's address", host: '127.0.0.2', status: '480', isTold: true, warnings: 50 },
    { whence: 'elsewhere', host: '127.0.0.9', status: '403', isTold: false, warnings: CALLS + 50 },
  ])
    it(`RTC-10 RTC-2 from ${whence} fills no log and delays no SOS`, async () => {
      const district = await gateway.district();
      const panel = await gateway.panel(district.operators[0]!.id);
      const citizen = await gateway.armedCitizen(district.location, { toneHz: TONE_HZ });
      const peer = await openUdpPeer(host, { host: '127.0.0.1', port: gateway.file.ports.gatewaySip });
      const controlPlaneLog = gateway.sandbox.controlPlane().logFile;
      const asteriskLog = join(gateway.file.runDir, 'gateway', 'log', 'full');
      const before = { own: statSync(controlPlaneLog).size, refused: linesWith('unexpected call refused') };
      const errorsBefore = asteriskErrors(asteriskLog);
      const begun = performance.now();
      try {
        const flooding = flood(peer);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        const id = await press(citizen, district.location);
        await Promise.all([told(panel, id, 'sos.active'), panel.tone(TONE_HZ, 10_000)]);
        const timeline = await gateway.timeline(id);
        for (const requirement of ['RTC-1', 'RTC-2'])
          expect(verdict(timeline, requirement), requirement).to.deep.include({ ok: true });
        const answers = await flooding;
        expect(answers.get(status) ?? 0, JSON.stringify([...answers])).to.be.above(CALLS * 0.95);
        const seconds = Math.ceil((performance.now() - begun) / 1_000);
        const refused = linesWith('unexpected call refused') - before.refused;
        expect(refused).to.be.within(isTold ? 1 : 0, isTold ? BUDGET + seconds : 0);
        expect(statSync(controlPlaneLog).size - before.own, 'bytes of log').to.be.below(150_000);
        expect(asteriskErrors(asteriskLog) - errorsBefore, 'warnings of Asterisk').to.be.at.most(
          warnings + peer.resent,
        );
        await gateway.resolve(id);
      } finally {
        peer.close();
      }
    });
});

/** What a server writes: the sandbox alone has notices and verbose lines beside. */
function asteriskErrors(file: string): number {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /\b(WARNING|ERROR)\b/.test(line)).length;
}
