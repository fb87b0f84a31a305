import { expect } from 'chai';
import { sessionRecord } from '../../../../control-plane/src/adapters/postgres/session-columns.ts';
import { legIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import type { Session } from '../../../../control-plane/src/domain/session/session.ts';
import {
  activation,
  after,
  assigned,
  fallbackActive,
  live,
  resolved,
  T0,
} from '../../../support/session-writes.ts';

const akram = 'akram' as OperatorId;

describe('adapters/postgres/session-columns', () => {
  const session = live(activation().after);

  it('RTC-4: names the WebRTC session from the moment of activation, before there is a contact', () => {
    expect(sessionRecord(session)).to.deep.equal({
      activatedAt: T0,
      operatorId: null,
      handedTo: null,
      webrtcSessionId: legIdOf(session.id, 'citizen-app', 1),
      degradedReason: null,
      fallback: null,
      end: null,
    });
  });

  it('RTC-4: names the operator, and the leg that streams rather than the newest', () => {
    const leg = legIdOf(session.id, 'citizen-app', 1);
    const attempts = { ...session.attempts, 'citizen-app': 2 };
    expect(sessionRecord({ ...assigned(session, akram), attempts })).to.deep.include({
      operatorId: akram,
      webrtcSessionId: legIdOf(session.id, 'citizen-app', 2),
    });
    const streaming: Session = { ...session, attempts, stream: { ...session.stream, leg } };
    expect(sessionRecord(streaming).webrtcSessionId).to.equal(leg);
    const queued: Session = { ...session, assignment: { state: 'queued', since: T0 } };
    expect(sessionRecord(queued).operatorId).to.equal(null);
  });

  it('FB-4: has the fallback as a whole or not at all', () => {
    expect(sessionRecord(fallbackActive(session)).fallback).to.include({
      failedAt: after(5000),
      initiatedAt: after(5010),
      callReference: 'call-1@carrier.example',
      reason: 'timeout',
    });
    const won: Session = { ...live(fallbackActive(session)), phase: 'active', fallback: null };
    expect(sessionRecord(won).fallback).to.equal(null);
  });

  it('RTC-9: has the end, and who it was', () => {
    const record = sessionRecord(resolved(assigned(session, akram), after(9)));
    expect(record).to.deep.include({
      end: { at: after(9), by: 'akram' },
      operatorId: akram,
      activatedAt: T0,
    });
  });
});
