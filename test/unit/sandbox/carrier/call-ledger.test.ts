import { expect } from 'chai';
import {
  audioId,
  createCallLedger,
  type CallLedger,
} from '../../../../control-plane/sandbox/carrier/call-ledger.ts';
import {
  callReportSchema,
  type CallReport,
} from '../../../../control-plane/sandbox/carrier/report-schema.ts';
import { parseSipMessage } from '../../../../control-plane/sandbox/carrier/sip-message.ts';

interface Seen {
  readonly from?: 'gateway' | 'carrier';
  readonly fate?: 'forwarded' | 'dropped' | 'unanswered';
  readonly cseq?: string;
  readonly callId?: string;
  readonly toTag?: boolean;
  readonly reason?: string;
}

/** Feeds a ledger by hand; each message is a millisecond after the one before. */
function ledgerWith(): {
  ledger: CallLedger;
  see: (startLine: string, seen?: Seen) => void;
  only: () => CallReport;
} {
  const ledger = createCallLedger();
  let at = 1_000;
  const see = (startLine: string, seen: Seen = {}): void => {
    const {
      from = 'gateway',
      fate = 'forwarded',
      cseq = '1 INVITE',
      callId = 'one',
      toTag = false,
      reason,
    } = seen;
    const text = [
      startLine,
      'From: <sip:+911140000000@gw>;tag=g',
      `To: <sip:x@y>${toTag ? ';tag=c' : ''}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq}`,
      ...(reason === undefined ? [] : [`Reason: ${reason}`]),
      '',
      '',
    ].join('\r\n');
    at += 1;
    ledger.record({ at, monotonicMs: at, from, fate, startLine, text }, parseSipMessage(text)!);
  };
  return { ledger, see, only: () => callReportSchema.parse(ledger.reports()[0]) };
}

const INVITE = 'INVITE sip:+919812345000@carrier SIP/2.0';

describe('sandbox/carrier/call-ledger', () => {
  it('follows a call from INVITE to BYE', () => {
    const { see, only } = ledgerWith();
    see(INVITE);
    see('SIP/2.0 100 Trying', { from: 'carrier' });
    see('SIP/2.0 180 Ringing', { from: 'carrier' });
    see('SIP/2.0 200 OK', { from: 'carrier' });
    see('ACK sip:c SIP/2.0', { cseq: '1 ACK', toTag: true });
    expect(only()).to.include({ state: 'live', finalStatus: 200, behaviour: 'answer-tone', phoneHz: 620 });
    see('BYE sip:g SIP/2.0', { from: 'carrier', cseq: '9 BYE', toTag: true, reason: 'Q.850;cause=16' });
    expect(only()).to.deep.include({
      state: 'ended',
      byeBy: 'carrier',
      byeReasons: [{ protocol: 'Q.850', cause: 16, text: null }],
      times: {
        inviteAt: 1_001,
        tryingAt: 1_002,
        ringingAt: 1_003,
        progressAt: null,
        answeredAt: 1_004,
        ackAt: 1_005,
        cancelAt: null,
        byeAt: 1_006,
        endedAt: 1_006,
      },
    });
  });

  it('counts what is sent again, and changes nothing by it', () => {
    const { see, only } = ledgerWith();
    see(INVITE);
    see(INVITE);
    see('SIP/2.0 486 Busy Here', { from: 'carrier' });
    see('SIP/2.0 486 Busy Here', { from: 'carrier' });
    see('SIP/2.0 180 Ringing', { from: 'carrier' });
    expect(only()).to.include({ inviteRetransmissions: 1, reinvites: 0, finalStatus: 486 });
    expect(only().statuses).to.deep.equal([{ status: 486, phrase: 'Busy Here', at: 1_003 }]);
    expect(only().times.ringingAt).to.equal(null);
  });

  it('tells a re-INVITE from the call’s own, and leaves its statuses out', () => {
    const { see, only } = ledgerWith();
    see(INVITE);
    see('SIP/2.0 200 OK', { from: 'carrier' });
    see(INVITE, { cseq: '2 INVITE', toTag: true });
    see('SIP/2.0 491 Request Pending', { from: 'carrier', cseq: '2 INVITE' });
    expect(only()).to.include({ reinvites: 1, inviteRetransmissions: 0, finalStatus: 200, state: 'live' });
  });

  it('leaves dropped messages out of the call, and keeps unanswered ones in it', () => {
    const { ledger, see, only } = ledgerWith();
    see(INVITE, { fate: 'unanswered' });
    see('SIP/2.0 180 Ringing', { from: 'carrier', fate: 'dropped' });
    expect(only()).to.deep.include({ statuses: [], state: 'live' });
    expect(ledger.sightings('one')?.map(({ fate }) => fate)).to.deep.equal(['unanswered', 'dropped']);
  });

  it('opens a call by nothing but an INVITE outside a dialog; the rest is kept apart', () => {
    const { ledger, see } = ledgerWith();
    see('OPTIONS sip:c SIP/2.0', { cseq: '1 OPTIONS' });
    see('BYE sip:c SIP/2.0', { cseq: '2 BYE', toTag: true });
    see(INVITE, { cseq: '2 INVITE', toTag: true });
    expect(ledger.reports()).to.deep.equal([]);
    expect(ledger.sightingsOutsideCalls()).to.have.length(3);
  });

  it('forgets the oldest beyond 500 calls and 100 messages of one', () => {
    const { ledger, see } = ledgerWith();
    for (let call = 0; call < 510; call += 1) see(INVITE, { callId: `call-${call}` });
    expect(ledger.reports()).to.have.length(500);
    expect(ledger.reports()[0]?.callId).to.equal('call-10');
    expect(ledger.listen(audioId('call-9'))).to.equal(undefined);
    expect(ledger.listen(audioId('call-10'))?.behaviour?.name).to.equal('answer-tone');
    for (let message = 0; message < 150; message += 1)
      see('SIP/2.0 180 Ringing', { from: 'carrier', callId: 'call-10' });
    expect(ledger.sightings('call-10')).to.have.length(100);
  });

  it('lists what changed since a revision, and wakes who waits for a change', async () => {
    const { ledger, see } = ledgerWith();
    see(INVITE, { callId: 'a' });
    const revision = ledger.revision();
    expect(ledger.reports(revision)).to.deep.equal([]);
    const waiting = ledger.changed(revision, 5_000);
    see(INVITE, { callId: 'b' });
    await waiting;
    expect(ledger.reports(revision).map(({ callId }) => callId)).to.deep.equal(['b']);
    await ledger.changed(revision, 5_000);
    await ledger.changed(ledger.revision(), 1);
  });

  it('tells what a phone heard as part of its call', () => {
    const { ledger, see, only } = ledgerWith();
    see(INVITE);
    expect(only()).to.deep.include({ audio: null, heard: [] });
    const { heard } = ledger.listen(audioId('one'))!;
    const tone = Int16Array.from(
      { length: 800 },
      (_, at) => 8_000 * Math.sin((2 * Math.PI * 1_300 * at) / 8_000),
    );
    heard.push(tone, 5_000);
    expect(only().heard.map(({ hz }) => hz)).to.deep.equal([1_300]);
    expect(only().audio).to.include({ frames: 1, firstAt: 5_000, lastAt: 5_000 });
  });
});
