import { expect } from 'chai';
import fc from 'fast-check';
import { LaneGuard, type Verdict } from '../../../../control-plane/src/domain/sip/lane-guard.ts';
import {
  AOR,
  bodyOf,
  clientAnswer,
  clientInDialog,
  clientRequest,
  directions,
  DOMAIN,
  engineRequest,
  headersOf,
  LEG,
  sdp,
  type SdpShape,
} from './sip-samples.ts';

const guardOf = (role: 'citizen' | 'operator' = 'citizen'): LaneGuard =>
  new LaneGuard({ aor: AOR, role, sipDomain: DOMAIN });

/** A guard whose client has answered the engine's call. */
function inCall(role: 'citizen' | 'operator' = 'citizen'): LaneGuard {
  const guard = guardOf(role);
  guard.fromEngine(engineRequest('INVITE', { body: sdp() }), 0);
  guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 1);
  return guard;
}

const onlyEngine = (verdict: Verdict): string => {
  expect(verdict.toEngine).to.have.length(1);
  return verdict.toEngine[0] ?? '';
};
const onlyClient = (verdict: Verdict): string => {
  expect(verdict.toClient).to.have.length(1);
  return verdict.toClient[0]?.text ?? '';
};
const refusedWith = (verdict: Verdict, code: string, status: number): void => {
  expect(verdict.toEngine, 'nothing reaches the engine').to.deep.equal([]);
  expect(verdict.refused).to.equal(code);
  const answer = onlyClient(verdict);
  expect(answer).to.match(new RegExp(`^SIP/2\\.0 ${status} `));
  expect(headersOf(answer, 'X-Hamrahi-Code')).to.deep.equal([code]);
};

describe('domain/sip/lane-guard: who speaks as whom', () => {
  it('passes a REGISTER of the own address of record', () => {
    const text = onlyEngine(
      guardOf().fromClient(clientRequest('REGISTER', { headers: ['Expires: 120'] }), 0),
    );
    expect(text).to.match(new RegExp(`^REGISTER sip:${DOMAIN} SIP/2.0\r\n`));
    expect(headersOf(text, 'Expires')).to.deep.equal(['120']);
    expect(headersOf(text, 'Contact')).to.deep.equal(['<sip:u1@client.invalid;transport=ws>']);
  });

  const FOREIGN: readonly (readonly [string, Parameters<typeof clientRequest>[1]])[] = [
    ['in From', { from: `<sip:citizen-c2-d1@${DOMAIN}>;tag=1` }],
    ['in To', { to: `<sip:citizen-c2-d1@${DOMAIN}>` }],
    [
      'in From, with the own one as display name',
      { from: `"sip:${AOR}@${DOMAIN}" <sip:citizen-c2-d1@${DOMAIN}>;tag=1` },
    ],
    ['in From, escaped', { from: `<sip:%63itizen-c2-d1@${DOMAIN}>;tag=1` }],
    ['by another case', { from: `<sip:${AOR.toUpperCase()}@${DOMAIN}>;tag=1` }],
    ['of another domain in From', { from: `<sip:${AOR}@evil.test>;tag=1` }],
    ['of another domain in To', { to: `<sip:${AOR}@evil.test>` }],
    ['of another domain in the Request-URI', { uri: 'sip:evil.test' }],
    ['by a port in From', { from: `<sip:${AOR}@${DOMAIN}:5080>;tag=1` }],
    ['by headers in From', { from: `<sip:${AOR}@${DOMAIN}?P-Asserted-Identity=x>;tag=1` }],
    ['by maddr in From', { from: `<sip:${AOR}@${DOMAIN};maddr=192.0.2.9>;tag=1` }],
    ['by maddr in To', { to: `<sip:${AOR}@${DOMAIN};maddr=192.0.2.9>` }],
    ['by a user in the Request-URI', { uri: `sip:citizen-c2-d1@${DOMAIN}` }],
    ['by maddr in the Request-URI', { uri: `sip:${DOMAIN};maddr=192.0.2.9` }],
    ['by a tag in To', { to: `<sip:${AOR}@${DOMAIN}>;tag=1` }],
  ];
  for (const [what, changes] of FOREIGN)
    it(`RTC-10: refuses a REGISTER for somebody else ${what}`, () =>
      refusedWith(guardOf().fromClient(clientRequest('REGISTER', changes), 0), 'ERR_EDGE_IDENTITY', 403));

  it('RTC-10: refuses OPTIONS and MESSAGE in the name of another', () => {
    const from = `<sip:citizen-c2-d1@${DOMAIN}>;tag=1`;
    for (const method of ['OPTIONS', 'MESSAGE'])
      refusedWith(guardOf().fromClient(clientRequest(method, { from }), 0), 'ERR_EDGE_IDENTITY', 403);
  });

  it('RTC-10: leaves out every header that the engine would take a word or a way from', () => {
    const headers = [
      'Authorization: Digest username="citizen-c2-d1"',
      'Proxy-Authorization: Digest username="citizen-c2-d1"',
      'P-Asserted-Identity: <sip:boss@sip.test>',
      'P-Preferred-Identity: <sip:boss@sip.test>',
      'Remote-Party-ID: <sip:boss@sip.test>',
      'Diversion: <sip:boss@sip.test>',
      'Record-Route: <sip:evil.test;lr>',
      'Path: <sip:evil.test;lr>',
      'Replaces: call-2;to-tag=a;from-tag=b',
      'X-Hamrahi-Leg: forged',
      `Route: <sip:${DOMAIN};lr>`,
    ];
    const text = onlyEngine(guardOf().fromClient(clientRequest('REGISTER', { headers }), 0));
    for (const header of headers) expect(text).to.not.include(header.slice(0, header.indexOf(':') + 1));
  });

  it('RTC-10: refuses a Route to elsewhere', () => {
    for (const route of ['<sip:evil.test;lr>', `<sip:${DOMAIN};lr>, <sip:evil.test;lr>`, 'nonsense'])
      refusedWith(
        guardOf().fromClient(clientRequest('REGISTER', { headers: [`Route: ${route}`] }), 0),
        'ERR_EDGE_ROUTE',
        403,
      );
  });

  for (const contact of [
    '<sip:u1@client.invalid;transport=ws;maddr=192.0.2.9>',
    '<sip:u1@client.invalid;transport=udp>',
    '<sip:u1@client.invalid;transport=ws?Route=%3Csip:evil.test%3E>',
    '<sip:u1@client.invalid;x-ast-orig-host=evil.test>',
    '<sip:u1@client.invalid;method=INVITE>',
    '<sip:u1@client.invalid>, <sip:u2@evil.test>',
    '<sips:u1@client.invalid>\r\nContact: <sip:u2@evil.test>',
    '*',
    '<https://evil.test>',
  ])
    it(`RTC-10: refuses the Contact ${contact}`, () =>
      refusedWith(guardOf().fromClient(clientRequest('REGISTER', { contact }), 0), 'ERR_EDGE_CONTACT', 403));

  it('lets a client take its registration back', () => {
    const changes = { contact: '*', headers: ['Expires: 0'] };
    expect(guardOf().fromClient(clientRequest('REGISTER', changes), 0).toEngine).to.have.length(1);
  });

  for (const via of [
    'SIP/2.0/UDP client.invalid;branch=z9hG4bKc-1',
    'SIP/2.0/WSS client.invalid;branch=z9hG4bKc-1;maddr=192.0.2.9',
    'SIP/2.0/WSS client.invalid;branch=z9hG4bKc-1;received=192.0.2.9',
    'SIP/2.0/WSS client.invalid;branch=old-style',
    'SIP/2.0/WSS client.invalid',
  ])
    it(`RTC-10: refuses the Via ${via}`, () =>
      refusedWith(guardOf().fromClient(clientRequest('REGISTER', { via }), 0), 'ERR_EDGE_SIP_VIA', 400));
});

describe('domain/sip/lane-guard: methods', () => {
  for (const method of [
    'MESSAGE',
    'SUBSCRIBE',
    'PUBLISH',
    'NOTIFY',
    'REFER',
    'INFO',
    'UPDATE',
    'PRACK',
    'BREW',
    'invite',
  ])
    it(`RTC-10: refuses ${method} outside of a dialog`, () => {
      const verdict = guardOf().fromClient(clientRequest(method), 0);
      refusedWith(verdict, 'ERR_EDGE_METHOD', 405);
      expect(headersOf(onlyClient(verdict), 'Allow')[0]).to.include('REGISTER');
    });

  it('RTC-10: refuses an INVITE of its own with 403', () =>
    refusedWith(
      guardOf().fromClient(clientRequest('INVITE', { uri: `sip:100@${DOMAIN}`, body: sdp() }), 0),
      'ERR_EDGE_METHOD',
      403,
    ));

  for (const method of ['MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'NOTIFY', 'REFER', 'INFO'])
    it(`RTC-10: refuses ${method} inside a call, too`, () =>
      expect(
        inCall().fromClient(clientInDialog(method, { from: `<sip:${AOR}@${DOMAIN}>;tag=client-tag` }), 2),
      ).to.include({
        refused: 'ERR_EDGE_METHOD',
      }));

  for (const method of ['BYE', 'CANCEL'])
    it(`RTC-10: refuses ${method} without a dialog`, () =>
      refusedWith(guardOf().fromClient(clientRequest(method), 0), 'ERR_EDGE_DIALOG', 481));

  it('answers OPTIONS itself', () => {
    const verdict = guardOf().fromClient(clientRequest('OPTIONS'), 0);
    expect(verdict).to.deep.include({ toEngine: [], refused: null });
    expect(onlyClient(verdict)).to.match(/^SIP\/2\.0 200 OK\r\n/);
  });

  it('RTC-10: answers a damaged request with 400, and lets nothing damaged through', () => {
    refusedWith(guardOf().fromClient(`${clientRequest('REGISTER')}surplus`, 0), 'ERR_EDGE_SIP_LENGTH', 400);
    expect(guardOf().fromClient('noise', 0)).to.deep.equal({
      toEngine: [],
      toClient: [],
      refused: 'ERR_EDGE_SIP_SYNTAX',
      answered: null,
    });
  });

  it('RTC-10: never answers an ACK', () =>
    expect(guardOf().fromClient(clientRequest('ACK'), 0)).to.deep.include({
      toClient: [],
      refused: 'ERR_EDGE_DIALOG',
    }));
});

describe('domain/sip/lane-guard: dialogs', () => {
  for (const method of ['BYE', 'INVITE', 'UPDATE', 'PRACK', 'CANCEL', 'ACK'])
    it(`passes ${method} in a call that the engine offered, in the words of the call`, () => {
      const body = ['INVITE', 'UPDATE'].includes(method) ? sdp() : '';
      const text = onlyEngine(
        inCall().fromClient(clientInDialog(method, { uri: 'sip:elsewhere.test', body }), 2),
      );
      expect(text).to.match(new RegExp(`^${method} sip:anonymous@127.0.0.1:5060;transport=ws SIP/2.0\r\n`));
      expect(headersOf(text, 'From')).to.deep.equal(['<sip:u1@127.0.0.1>;tag=client-tag']);
      expect(headersOf(text, 'To')).to.deep.equal([
        '"Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=engine-tag',
      ]);
    });

  it("gives a client's BYE without a reason the one that it means", () => {
    const reason = (headers: string[]): string[] =>
      headersOf(onlyEngine(inCall().fromClient(clientInDialog('BYE', { headers }), 2)), 'Reason');
    expect(reason([])).to.deep.equal(['Q.850;cause=16']);
    expect(reason(['Reason: SIP;cause=408'])).to.deep.equal(['SIP;cause=408']);
  });

  it('writes the To of a call as the engine wrote it, whatever address the client gives its tag', () => {
    const to = '<sip:somebody@evil.test>;tag=engine-tag';
    const text = onlyEngine(inCall().fromClient(clientInDialog('BYE', { to }), 2));
    expect(headersOf(text, 'To')).to.deep.equal([
      '"Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=engine-tag',
    ]);
  });

  it('takes the own address of record for the address that the engine called', () => {
    const from = `<sip:${AOR}@${DOMAIN}>;tag=client-tag`;
    expect(inCall().fromClient(clientInDialog('BYE', { from }), 2).toEngine).to.have.length(1);
  });

  it('RTC-10: refuses a BYE with a Call-ID that this client was never offered', () =>
    refusedWith(inCall().fromClient(clientInDialog('BYE', { callId: 'call-2' }), 2), 'ERR_EDGE_DIALOG', 481));

  it('RTC-10: refuses a BYE with a foreign tag on either side', () => {
    for (const changes of [
      { from: '<sip:u1@127.0.0.1>;tag=guess' },
      { to: '<sip:anonymous@anonymous.invalid>;tag=guess' },
    ])
      refusedWith(inCall().fromClient(clientInDialog('BYE', changes), 2), 'ERR_EDGE_DIALOG', 481);
  });

  it("RTC-10: refuses a BYE in somebody else's name", () =>
    refusedWith(
      inCall().fromClient(clientInDialog('BYE', { from: `<sip:citizen-c2-d1@${DOMAIN}>;tag=client-tag` }), 2),
      'ERR_EDGE_IDENTITY',
      403,
    ));

  it('RTC-10: refuses a re-INVITE before the call is answered', () => {
    const guard = guardOf();
    guard.fromEngine(engineRequest('INVITE', { body: sdp() }), 0);
    refusedWith(guard.fromClient(clientInDialog('INVITE', { body: sdp() }), 1), 'ERR_EDGE_DIALOG', 481);
  });

  it('follows the engine to the target of its last re-INVITE', () => {
    const guard = inCall();
    const moved = engineRequest('INVITE', { inDialog: true, branch: 'z9hG4bKe-2', seq: 101, body: sdp() });
    guard.fromEngine(moved.replace('anonymous@127.0.0.1:5060', 'moved@127.0.0.1:5070'), 2);
    expect(onlyEngine(guard.fromClient(clientInDialog('BYE'), 3))).to.match(
      /^BYE sip:moved@127\.0\.0\.1:5070/,
    );
  });

  it('has room for call after call, however fast they follow each other', () => {
    const guard = guardOf();
    for (let index = 0; index < 200; index += 1) {
      const call = { callId: `call-${index}`, branch: `z9hG4bKe-${index}` };
      expect(guard.fromEngine(engineRequest('INVITE', { ...call, body: sdp() }), index).refused).to.equal(
        null,
      );
      expect(guard.fromClient(clientAnswer('200 OK', { ...call, body: sdp() }), index).refused).to.equal(
        null,
      );
      const bye = { callId: call.callId, branch: `z9hG4bKb-${index}`, seq: 101 };
      expect(guard.fromEngine(engineRequest('BYE', { ...bye, inDialog: true }), index).refused).to.equal(
        null,
      );
      expect(guard.fromClient(clientAnswer('200 OK', { ...bye, method: 'BYE' }), index).refused).to.equal(
        null,
      );
    }
  });

  it('refuses the engine a call too many with 503, and keeps those that are', () => {
    const guard = guardOf();
    const invite = (index: number): string =>
      engineRequest('INVITE', { callId: `call-${index}`, branch: `z9hG4bKe-${index}`, body: sdp() });
    for (let index = 0; index < 32; index += 1)
      expect(guard.fromEngine(invite(index), index).refused).to.equal(null);
    const verdict = guard.fromEngine(invite(32), 32);
    expect(verdict.refused).to.equal('ERR_EDGE_TABLE_FULL');
    expect(onlyEngine(verdict)).to.match(/^SIP\/2\.0 503 /);
    expect(
      guard.fromClient(clientAnswer('180 Ringing', { callId: 'call-5', branch: 'z9hG4bKe-5' }), 33).refused,
    ).to.equal(null);
  });
});

describe('domain/sip/lane-guard: responses', () => {
  const offered = (): LaneGuard => {
    const guard = guardOf();
    guard.fromEngine(engineRequest('INVITE', { body: sdp() }), 0);
    return guard;
  };
  const dropped = (verdict: Verdict, code = 'ERR_EDGE_TRANSACTION'): void => {
    expect(verdict).to.deep.include({ toEngine: [], toClient: [], refused: code });
  };

  it('RTC-10: drops a response to nothing', () =>
    dropped(guardOf().fromClient(clientAnswer('200 OK', { body: sdp() }), 0)));
  it('RTC-10: drops a response with another branch', () =>
    dropped(offered().fromClient(clientAnswer('200 OK', { branch: 'z9hG4bKother', body: sdp() }), 1)));
  it('RTC-10: drops a response with another Call-ID', () =>
    dropped(offered().fromClient(clientAnswer('200 OK', { callId: 'call-2', body: sdp() }), 1)));
  it('RTC-10: drops a response with another CSeq', () =>
    dropped(offered().fromClient(clientAnswer('200 OK', { seq: 101, body: sdp() }), 1)));
  it('RTC-10: drops a second, different final response', () => {
    const guard = offered();
    guard.fromClient(clientAnswer('486 Busy Here'), 1);
    dropped(guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 2));
  });

  it('passes a retransmitted 200, and stamps it once', () => {
    const guard = offered();
    expect(guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 1).answered).to.deep.equal({
      legId: LEG,
      status: 200,
    });
    const again = guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 2);
    expect(again.toEngine).to.have.length(1);
    expect(again.answered).to.equal(null);
  });

  it('answers in the words of the request, whatever the client wrote there', () => {
    const forged = clientAnswer('200 OK', { body: sdp() })
      .replace(/From: .*\r\n/, `From: <sip:boss@${DOMAIN}>;tag=engine-tag\r\n`)
      .replace(/To: <[^>]*>/, 'To: <sip:boss@sip.test>')
      .replace('\r\nCSeq', '\r\nRecord-Route: <sip:evil.test;lr>\r\nCSeq');
    const text = onlyEngine(offered().fromClient(forged, 1));
    expect(headersOf(text, 'From')).to.deep.equal([
      '"Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=engine-tag',
    ]);
    expect(headersOf(text, 'To')).to.deep.equal(['<sip:u1@127.0.0.1>;tag=client-tag']);
    expect(headersOf(text, 'Record-Route')).to.deep.equal([]);
  });

  it('RTC-10: makes a redirection a refusal', () => {
    const verdict = offered().fromClient(clientAnswer('302 Moved Temporarily'), 1);
    const text = onlyEngine(verdict);
    expect(text).to.match(/^SIP\/2\.0 480 /);
    expect(headersOf(text, 'Contact')).to.deep.equal([]);
    expect(verdict.answered).to.deep.equal({ legId: LEG, status: 480 });
  });

  it('RTC-3: an answer without a fingerprint ends the call on both sides, and the microphone with it', () => {
    const guard = offered();
    const verdict = guard.fromClient(clientAnswer('200 OK', { body: sdp({ fingerprint: null }) }), 1);
    expect(verdict.refused).to.equal('ERR_EDGE_SDP_FINGERPRINT');
    expect(verdict.answered).to.deep.equal({ legId: LEG, status: 488 });
    expect(onlyEngine(verdict)).to.match(/^SIP\/2\.0 488 /);
    const [ack, bye] = verdict.toClient.map(({ text }) => text);
    expect(ack).to.match(/^ACK sip:u1@client\.invalid;transport=ws SIP\/2\.0\r\n/);
    expect(bye).to.match(/^BYE sip:u1@client\.invalid;transport=ws SIP\/2\.0\r\n/);
    expect(headersOf(bye ?? '', 'CSeq')).to.deep.equal(['101 BYE']);
    expect(headersOf(bye ?? '', 'Reason')[0]).to.include('ERR_EDGE_SDP_FINGERPRINT');
    expect(headersOf(bye ?? '', 'To')).to.deep.equal(['<sip:u1@127.0.0.1>;tag=client-tag']);
    expect(guard.fromEngine(engineRequest('ACK', { branch: 'z9hG4bKe-INVITE' }), 2).toClient).to.deep.equal(
      [],
    );
    const again = guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 2);
    expect(again).to.deep.equal({ toEngine: [], toClient: [], refused: null, answered: null });
    const branch = /branch=([^;\s]+)/.exec(bye ?? '')?.[1] ?? '';
    const ended = guard.fromClient(clientAnswer('200 OK', { method: 'BYE', branch, seq: 101 }), 3);
    expect(ended).to.deep.equal({ toEngine: [], toClient: [], refused: null, answered: null });
  });

  it('RTC-10: a redirecting Contact in a 200 ends the call', () => {
    const bad = clientAnswer('200 OK', { body: sdp() }).replace(
      'transport=ws>',
      'transport=ws;maddr=192.0.2.9>',
    );
    const verdict = offered().fromClient(bad, 1);
    expect(verdict.refused).to.equal('ERR_EDGE_CONTACT');
    expect(onlyEngine(verdict)).to.match(/^SIP\/2\.0 403 /);
  });

  it('RTC-3: leaves out a provisional answer that it refuses, and waits for the final one', () => {
    const guard = offered();
    dropped(
      guard.fromClient(clientAnswer('183 Session Progress', { body: sdp({ fingerprint: null }) }), 1),
      'ERR_EDGE_SDP_FINGERPRINT',
    );
    expect(guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 2).refused).to.equal(null);
  });
});

describe('domain/sip/lane-guard: one way in every message that carries SDP', () => {
  type Role = 'citizen' | 'operator';
  const expected = { citizen: ['recvonly', 'sendonly'], operator: ['sendonly', 'recvonly'] } as const;
  const shapes: readonly (readonly [string, SdpShape])[] = [
    ['on the stream', {}],
    ['on the session', { direction: null, sessionDirection: 'sendrecv' }],
    ['left out', { direction: null }],
  ];
  const multipart = (body: string): { headers: string[]; body: string } => ({
    headers: ['c: multipart/mixed;boundary=b1'],
    body: `--b1\r\nc: application/sdp\r\n\r\n${body}\r\n--b1\r\nc: application/sdp\r\n\r\n${body}\r\n--b1--\r\n`,
  });
  const compact = (text: string): string =>
    text
      .replace('Content-Type:', 'c:')
      .replace('Content-Length:', 'l:')
      .replace('Via:', 'v:')
      .replace('From:', 'f:')
      .replace('To:', 't:')
      .replace('Call-ID:', 'i:')
      .replace('Contact:', 'm:');
  const dressed: readonly (readonly [
    string,
    (body: string) => { headers?: string[]; body: string },
    (text: string) => string,
  ])[] = [
    ['plain', (body) => ({ body }), (text) => text],
    ['compact', (body) => ({ body }), compact],
    ['multipart', multipart, (text) => text],
  ];
  const check = (text: string, direction: string): void => {
    const found = directions(bodyOf(text));
    expect(found.length).to.be.greaterThan(0);
    for (const each of found) expect(each).to.equal(direction);
    expect(headersOf(text, 'Content-Length')).to.deep.equal([String(bodyOf(text).length)]);
  };

  for (const role of ['citizen', 'operator'] as Role[])
    for (const [where, shape] of shapes)
      for (const [dress, wear, write] of dressed) {
        const [fromEngine, fromClient] = expected[role];
        const name = `${role}, ${dress}, direction ${where}`;

        it(`RTC-3: engine's INVITE, re-INVITE, UPDATE, PRACK, ACK and responses: ${name}`, () => {
          const body = wear(sdp(shape));
          const guard = guardOf(role);
          check(onlyClient(guard.fromEngine(write(engineRequest('INVITE', body)), 0)), fromEngine);
          guard.fromClient(clientAnswer('200 OK', { body: sdp() }), 1);
          for (const [method, seq] of [
            ['ACK', 100],
            ['INVITE', 101],
            ['UPDATE', 102],
            ['PRACK', 103],
          ] as const) {
            const request = engineRequest(method, {
              ...body,
              inDialog: true,
              branch: `z9hG4bKe-x${seq}`,
              seq,
            });
            check(onlyClient(guard.fromEngine(write(request), 2)), fromEngine);
          }
          for (const status of ['183 Session Progress', '200 OK'])
            check(
              onlyClient(guard.fromEngine(write(clientAnswer(status, { ...body, branch: 'z9hG4bKc-2' })), 3)),
              fromEngine,
            );
        });

        it(`RTC-3: client's 183, 200, re-INVITE, UPDATE, PRACK and ACK: ${name}`, () => {
          const body = wear(sdp(shape));
          const guard = guardOf(role);
          guard.fromEngine(engineRequest('INVITE', { body: sdp() }), 0);
          for (const status of ['183 Session Progress', '200 OK'])
            check(onlyEngine(guard.fromClient(write(clientAnswer(status, body)), 1)), fromClient);
          for (const method of ['INVITE', 'UPDATE', 'PRACK', 'ACK'])
            check(onlyEngine(guard.fromClient(write(clientInDialog(method, body)), 2)), fromClient);
          guard.fromEngine(engineRequest('UPDATE', { body: sdp(), inDialog: true, seq: 101 }), 3);
          const answer = clientAnswer('200 OK', { ...body, method: 'UPDATE', seq: 101 });
          check(onlyEngine(guard.fromClient(write(answer), 4)), fromClient);
        });
      }

  it("RTC-3: refuses a client's re-INVITE without a fingerprint with 488, and the call goes on", () => {
    const guard = inCall();
    const verdict = guard.fromClient(clientInDialog('INVITE', { body: sdp({ fingerprint: null }) }), 2);
    refusedWith(verdict, 'ERR_EDGE_SDP_FINGERPRINT', 488);
    expect(guard.fromClient(clientInDialog('BYE'), 3).refused).to.equal(null);
  });

  it("RTC-3: refuses an engine's offer that is not secure, and answers the engine", () => {
    const verdict = guardOf().fromEngine(engineRequest('INVITE', { body: sdp({ protocol: 'RTP/AVP' }) }), 0);
    expect(verdict.toClient).to.deep.equal([]);
    expect(onlyEngine(verdict)).to.match(/^SIP\/2\.0 488 /);
  });

  it('RTC-3: refuses SDP that hides behind another type, or behind none', () => {
    for (const headers of [
      ['Content-Type: text/plain'],
      ['X: y'],
      ['Content-Type: application/sdp', 'e: gzip'],
    ]) {
      const guard = guardOf();
      guard.fromEngine(engineRequest('INVITE', { body: sdp() }), 0);
      const verdict = guard.fromClient(clientAnswer('200 OK', { headers, body: sdp() }), 1);
      expect(verdict.refused).to.equal('ERR_EDGE_BODY_TYPE');
      expect(verdict.toEngine[0]).to.match(/^SIP\/2\.0 415 /);
    }
  });

  it('RTC-3, RTC-10: whatever a client writes over its messages, nothing says more than its role or its name', () => {
    const sources = [
      clientAnswer('200 OK', { body: sdp() }),
      clientInDialog('INVITE', { body: sdp() }),
      clientInDialog('BYE'),
      clientRequest('REGISTER'),
    ];
    const edit = fc.tuple(
      fc.nat(900),
      fc.constantFrom('', '\r\n', '\n', ' ', ':', 'a=sendrecv\r\n', ';', 'c:', '\0', '<', 'm=audio', '-'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...sources), fc.array(edit, { maxLength: 3 }), (source, edits) => {
        let text = source;
        for (const [at, piece] of edits) text = text.slice(0, at) + piece + text.slice(at + 1);
        const guard = inCall();
        guard.fromEngine(
          engineRequest('INVITE', { inDialog: true, branch: 'z9hG4bKe-2', seq: 101, body: sdp() }),
          2,
        );
        for (const passed of guard.fromClient(text, 3).toEngine) {
          expect(bodyOf(passed)).to.not.match(/a=(sendrecv|recvonly)/i);
          expect(passed).to.match(/^(SIP\/2\.0 [1-6]\d\d |(REGISTER|BYE|INVITE) sip:)/);
          const [from = ''] = headersOf(passed, 'From');
          expect(from).to.match(/^(<sip:u1@127\.0\.0\.1>|<sip:citizen-c1-d1@sip\.test>|"Ham Rahi" <)/);
        }
      }),
      {
        numRuns: 3_000,
        // a display name in front of the address
        examples: [
          [clientRequest('REGISTER'), [[clientRequest('REGISTER').indexOf('<sip:citizen') - 1, '-']]],
        ],
      },
    );
  });
});

describe('domain/sip/lane-guard: a client that was away', () => {
  it('gets the open requests of the engine, in order, and none that it has answered', () => {
    const guard = inCall();
    guard.fromEngine(engineRequest('OPTIONS', { callId: 'call-o' }), 2);
    guard.fromClient(clientAnswer('200 OK', { method: 'OPTIONS', callId: 'call-o' }), 3);
    guard.fromEngine(engineRequest('UPDATE', { inDialog: true, seq: 101 }), 4);
    guard.fromEngine(engineRequest('BYE', { inDialog: true, seq: 102 }), 5);
    const methods = guard.redeliver(6).map(({ text }) => text.split(' ')[0]);
    expect(methods).to.deep.equal(['UPDATE', 'BYE']);
  });

  it('gets an offer addressed to its address of record, and the offer is stamped when it was not before', () => {
    const guard = guardOf();
    const [first] = guard.fromEngine(engineRequest('INVITE', { body: sdp() }), 0).toClient;
    expect(first).to.include({ offerOf: LEG, kept: true });
    const [again] = guard.redeliver(1);
    expect(again?.text).to.match(new RegExp(`^INVITE sip:${AOR}@${DOMAIN} SIP/2.0\r\n`));
    expect(again?.offerOf).to.equal(LEG);
    guard.markOffered(LEG, 2);
    expect(guard.redeliver(3)[0]?.offerOf).to.equal(null);
  });

  it('is spared what the engine has long given up', () => {
    const guard = guardOf();
    guard.fromEngine(engineRequest('OPTIONS'), 0);
    expect(guard.redeliver(32_000)).to.have.length(1);
    expect(guard.redeliver(41_000)).to.have.length(0);
  });
});
