import { expect } from 'chai';
import { FeedScope } from '../../../../control-plane/src/adapters/feed/feed-scope.ts';
import type { OperatorId, ZoneId } from '../../../../control-plane/src/domain/ids.ts';
import { FakeFeedSource, sessionIn, sessionNumber } from '../../../support/fake-feed-source.ts';
import { SAMPLE_VIEW } from '../../../support/fake-gateway.ts';

const AKRAM = 'akram' as OperatorId;
const zones = (...names: string[]) => names as ZoneId[];

describe('adapters/feed feed-scope', () => {
  const source = new FakeFeedSource();
  const row = (zone: string | null, session: number, resolvedBy?: string) =>
    source.commit(zone, session, { session: sessionIn(zone, session, resolvedBy) });

  it('shows everything to whom no zone limits', () => {
    const scope = new FeedScope(AKRAM, null);
    expect([row('a', 1), row('b', 2), row(null, 3)].map((one) => scope.judge(one))).to.deep.equal([
      'show',
      'show',
      'show',
    ]);
  });

  it('TEL-8: shows synthetic sessions to their own operator, and to nobody else', () => {
    const [synthetic] = zones('synthetic');
    const everything = new FeedScope(AKRAM, null, synthetic);
    expect(everything.judge(row('synthetic', 1))).to.equal('hide');
    expect(everything.judge(row('north', 2))).to.equal('show');
    expect(everything.judge(row(null, 3))).to.equal('show');
    expect(new FeedScope(AKRAM, zones('synthetic'), synthetic).judge(row('synthetic', 1))).to.equal('show');
  });

  it('shows own zones, no zone, and what is assigned to the operator', () => {
    const scope = new FeedScope(AKRAM, zones('north'));
    expect(scope.judge(row('north', 1))).to.equal('show');
    expect(scope.judge(row(null, 2))).to.equal('show');
    expect(scope.judge(row('south', 3))).to.equal('hide');
    expect(scope.judge(row('south', 4, 'akram'))).to.equal('show');
    expect(scope.judge(row('south', 4, 'bina'))).to.equal('hide');
  });

  it('shows nothing but what he has to an operator who is on duty nowhere', () => {
    const scope = new FeedScope(AKRAM, []);
    expect(scope.judge(row(null, 2))).to.equal('hide');
    expect(scope.judge(row('south', 4, 'akram'))).to.equal('show');
  });

  it('takes a card away once, also one of the snapshot', () => {
    const scope = new FeedScope(AKRAM, []);
    scope.restart(zones('north'), [{ ...SAMPLE_VIEW, id: sessionNumber(7) }]);
    expect(scope.judge(row('south', 7))).to.equal('gone');
    expect(scope.judge(row('south', 7))).to.equal('hide');
    expect(scope.judge(row('north', 7))).to.equal('show');
    expect(scope.judge(row('south', 7))).to.equal('gone');
  });

  it('knows other zones from the same in another order', () => {
    const scope = new FeedScope(AKRAM, zones('a', 'b'));
    expect(scope.differs(zones('b', 'a'))).to.equal(false);
    expect(scope.differs(zones('a'))).to.equal(true);
    expect(scope.differs(zones('a', 'c'))).to.equal(true);
    expect(scope.differs(null)).to.equal(true);
  });
});
