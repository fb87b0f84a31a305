import { expect } from 'chai';
import { legRecords } from '../../../../control-plane/src/adapters/postgres/leg-record.ts';
import { legIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { CitizenId, Instant, LegId, SessionId } from '../../../../control-plane/src/domain/ids.ts';

const session = '11111111-2222-4333-8444-555555555555' as SessionId;
const phone = legIdOf(session, 'citizen-phone', 2);
const party = { role: 'citizen', citizenId: 'priya' as CitizenId } as const;
const at = (ms: number) => ms as Instant;

describe('adapters/postgres/leg-record', () => {
  it('folds the changes of one leg into one record, and keeps the first of doubled facts', () => {
    const records = legRecords([
      { legId: phone, change: { state: 'dialing', party, at: at(1) } },
      { legId: phone, change: { state: 'progress', at: at(2) } },
      { legId: legIdOf(session, 'operator-app', 1), change: { state: 'ringing', at: at(3) } },
      { legId: phone, change: { state: 'ringing', at: at(4) } },
      { legId: phone, change: { state: 'ringing', at: at(5) } },
      { legId: phone, change: { state: 'carrier-reference', try: 1, callId: 'a@b', at: at(5) } },
      { legId: phone, change: { state: 'answered', trunk: null, at: at(6) } },
      { legId: phone, change: { state: 'ended', at: at(7), outcome: 'completed', sipStatus: 200, q850: 16 } },
      { legId: phone, change: { state: 'ended', at: at(8), outcome: 'lost', sipStatus: null, q850: null } },
    ]);
    expect(records.map((record) => [record.kind, record.attempt])).to.deep.equal([
      ['citizen-phone', 2],
      ['operator-app', 1],
    ]);
    expect(records[0]).to.deep.include({ dialledAt: 1, progressAt: 2, ringingAt: 4, answeredAt: 6, party });
    expect(records[0]).to.deep.include({ carrierCallId: 'a@b' });
    expect(records[0]?.end).to.deep.include({ at: 7, outcome: 'completed', sipStatus: 200, q850: 16 });
    expect(records[1]).to.deep.include({ ringingAt: 3, party: null, end: null });
  });

  it('throws for an id that is no leg', () => {
    const legId = 'somebody-elses-channel' as LegId;
    expect(() => legRecords([{ legId, change: { state: 'ringing', at: at(1) } }])).to.throw(/no leg/);
  });
});
