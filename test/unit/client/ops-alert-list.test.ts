import { expect } from 'chai';
import { OpsAlertList } from '../../../control-plane/client/ops-alert-list.ts';
import type { OpsAlertView } from '../../../control-plane/client/gateway-api.ts';
import type { FeedMessage } from '../../../control-plane/src/contracts/panel-feed.ts';

function told(id: string, change: Partial<OpsAlertView> = {}): FeedMessage {
  const data: OpsAlertView = {
    id,
    kind: 'trunk-down',
    subject: id,
    severity: 'critical',
    summary: 'Down.',
    state: 'standing',
    raisedAt: '2026-11-20T21:30:00.000Z',
    acknowledged: null,
    resolvedAt: null,
    toldAt: '2026-11-20T21:30:00.000Z',
    returns: 0,
    ...change,
  };
  return { type: 'ops.alert', at: data.raisedAt, data };
}

const ids = (list: OpsAlertList): string[] => list.all().map(({ id }) => id);

describe('control-plane/client/ops-alert-list', () => {
  it('keeps what stands, in its newest words, and lets go what is over', () => {
    const list = new OpsAlertList();
    expect(list.take(told('a'))).to.equal(true);
    expect(list.take(told('a', { summary: 'Still down.' }))).to.equal(true);
    expect(list.all().map(({ summary }) => summary)).to.deep.equal(['Still down.']);
    expect(list.take(told('a', { state: 'resolved' }))).to.equal(true);
    expect(list.take(told('a', { state: 'resolved' }))).to.equal(false);
    expect(ids(list)).to.deep.equal([]);
  });

  it('shows first what nobody cares for, then the worst, then the newest', () => {
    const list = new OpsAlertList();
    list.take(told('known', { acknowledged: { by: 'chief', at: '' } }));
    list.take(told('slow', { severity: 'warning' }));
    list.take(told('old'));
    list.take(told('new', { raisedAt: '2026-11-20T22:00:00.000Z' }));
    expect(ids(list)).to.deep.equal(['new', 'old', 'slow', 'known']);
  });

  it('forgets all with the connection, and takes nothing from other messages', () => {
    const list = new OpsAlertList();
    expect(list.take({ type: 'health', at: '', data: { engine: true, database: true } })).to.equal(false);
    expect(list.clear()).to.equal(false);
    list.take(told('a'));
    expect(list.clear()).to.equal(true);
    expect(ids(list)).to.deep.equal([]);
  });
});
