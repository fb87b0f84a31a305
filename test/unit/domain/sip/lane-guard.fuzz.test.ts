import { expect } from 'chai';
import fc from 'fast-check';
import { LaneGuard } from '../../../../control-plane/src/domain/sip/lane-guard.ts';
import { fuzzRuns, fuzzTimeoutMs } from '../../../support/fuzz/fuzz-plan.ts';
import { mutated } from '../../../support/fuzz/mutate-sip.ts';
import { faultsOf, type Client } from '../../../support/fuzz/reaches-engine.ts';
import {
  AOR,
  clientAnswer,
  clientInDialog,
  clientRequest,
  DOMAIN,
  engineRequest,
  sdp,
} from './sip-samples.ts';

const FROM_CLIENT = [
  clientRequest('REGISTER', { headers: ['Expires: 120'] }),
  clientRequest('REGISTER', { contact: '*', headers: ['Expires: 0'] }),
  clientRequest('OPTIONS'),
  clientRequest('INVITE', { body: sdp(), headers: ['Content-Type: application/sdp'] }),
  clientAnswer('100 Trying', { tag: null }),
  clientAnswer('180 Ringing'),
  clientAnswer('183 Session Progress', { body: sdp({ direction: 'sendonly' }) }),
  clientAnswer('200 OK', { body: sdp({ direction: 'sendonly' }) }),
  clientAnswer('200 OK', { body: sdp({ direction: 'recvonly' }) }),
  clientAnswer('302 Moved', { headers: ['Contact: <sip:1@evil.test>'] }),
  clientAnswer('486 Busy Here'),
  clientInDialog('BYE'),
  clientInDialog('ACK'),
  clientInDialog('INVITE', { body: sdp() }),
  clientInDialog('UPDATE', { body: sdp({ direction: 'sendonly' }) }),
];
const FROM_ENGINE = [
  engineRequest('INVITE', { body: sdp() }),
  engineRequest('INVITE', { inDialog: true, branch: 'z9hG4bKre', seq: 101, body: sdp() }),
  engineRequest('ACK', { inDialog: true }),
  engineRequest('BYE', { inDialog: true }),
  engineRequest('CANCEL'),
  engineRequest('OPTIONS'),
];

describe('domain/sip/lane-guard fuzz: mutated dialogs', function () {
  this.timeout(fuzzTimeoutMs(20_000));

  for (const role of ['citizen', 'operator'] as const)
    it(`RTC-3 RTC-10 lets nothing of a hostile ${role} reach the engine that should not, and never throws`, () => {
      const frames = fc.array(
        fc.oneof(
          { weight: 6, arbitrary: mutated(FROM_CLIENT).map((text) => ({ by: 'client' as const, text })) },
          {
            weight: 2,
            arbitrary: fc.constantFrom(...FROM_CLIENT).map((text) => ({ by: 'client' as const, text })),
          },
          {
            weight: 2,
            arbitrary: fc.constantFrom(...FROM_ENGINE).map((text) => ({ by: 'engine' as const, text })),
          },
          { weight: 1, arbitrary: mutated(FROM_ENGINE).map((text) => ({ by: 'engine' as const, text })) },
        ),
        { maxLength: 12 },
      );
      let passed = 0;
      fc.assert(
        fc.property(fc.boolean(), frames, (isInCall, steps) => {
          const guard = new LaneGuard({ aor: AOR, role, sipDomain: DOMAIN });
          const callIds = new Set<string>();
          const client: Client = { aor: AOR, role, sipDomain: DOMAIN, callIds };
          const all = isInCall
            ? [
                { by: 'engine' as const, text: FROM_ENGINE[0]! },
                { by: 'client' as const, text: FROM_CLIENT[7]! },
                ...steps,
              ]
            : steps;
          for (const [now, { by, text }] of all.entries()) {
            if (by === 'engine') {
              // The engine is ours; what it says is only heard, and its calls are calls.
              for (const { text: told } of guard.fromEngine(text, now).toClient)
                callIds.add(/^(?:Call-ID|i) *: *([^\r]*)/im.exec(told)?.[1] ?? '');
              continue;
            }
            for (const frame of guard.fromClient(text, now).toEngine) {
              passed += 1;
              expect(faultsOf(frame, client), frame).to.deep.equal([]);
            }
          }
        }),
        fuzzRuns(2_000),
      );
      expect(passed, 'the fuzz reached the engine at all').to.be.above(500);
    });

  it('RTC-10 holds no more of a hostile client than of another, however long it goes on', () => {
    const guard = new LaneGuard({ aor: AOR, role: 'citizen', sipDomain: DOMAIN });
    guard.fromEngine(FROM_ENGINE[0]!, 0);
    fc.assert(
      fc.property(mutated([...FROM_CLIENT, ...FROM_ENGINE]), fc.boolean(), (text, byEngine) => {
        if (byEngine) guard.fromEngine(text, 1);
        else guard.fromClient(text, 1);
      }),
      fuzzRuns(3_000),
    );
    expect(guard.redeliver(2).length).to.be.at.most(64);
  });

  it('the oracle finds what it is there for', () => {
    const client: Client = { aor: AOR, role: 'citizen', sipDomain: DOMAIN, callIds: new Set(['call-1']) };
    const wrong: readonly (readonly [string, string])[] = [
      ['to is somebody else', clientRequest('REGISTER', { to: `<sip:citizen-c2-d1@${DOMAIN}>` })],
      ['method MESSAGE', clientRequest('MESSAGE')],
      ['header route', clientInDialog('BYE', { headers: ['Route: <sip:evil.test>'] })],
      ['a call that it was never offered', clientInDialog('BYE', { callId: 'call-9' })],
      ['direction', clientAnswer('200 OK', { body: sdp({ direction: 'sendrecv' }) })],
      ['no fingerprint', clientAnswer('200 OK', { body: sdp({ direction: 'sendonly', fingerprint: null }) })],
      ['no direction: both', clientAnswer('200 OK', { body: sdp({ direction: null }) })],
      ['media', clientAnswer('200 OK', { body: sdp({ direction: 'sendonly', protocol: 'RTP/AVP' }) })],
      ['a redirection', clientAnswer('302 Moved')],
      ['content-length', clientInDialog('BYE').replace('Content-Length: 0', 'Content-Length: 4')],
      ['contact', clientRequest('REGISTER', { contact: '<sip:u1@x.test;maddr=192.0.2.9>' })],
      ['control characters', clientRequest('REGISTER').replace('reg-tag', 'reg\0tag')],
    ];
    for (const [fault, frame] of wrong) expect(faultsOf(frame, client)).to.include(fault);
    for (const frame of [clientRequest('REGISTER'), clientInDialog('BYE'), clientAnswer('180 Ringing')])
      expect(faultsOf(frame, client)).to.deep.equal([]);
  });
});
