import { expect } from 'chai';
import { CardList } from '../../../control-plane/client/card-list.ts';
import type { FeedMessage } from '../../../control-plane/src/contracts/panel-feed.ts';
import type { SessionView } from '../../../control-plane/src/contracts/session-view.ts';

function session(id: string, sessionSeq: number, changes: Partial<SessionView> = {}): SessionView {
  return { id, sessionSeq, phase: 'connecting', activatedAt: null, ...changes } as SessionView;
}

function event(view: SessionView): FeedMessage {
  const { id: sessionId, sessionSeq } = view;
  return { seq: 1, sessionSeq, type: 'sos.active', at: '', sessionId, data: { session: view, detail: {} } };
}

function snapshot(...sessions: SessionView[]): FeedMessage {
  return { type: 'snapshot', seq: 9, at: '', data: { sessions, onShift: true } };
}

describe('control-plane/client/card-list', () => {
  it('keeps the highest sessionSeq of each session', () => {
    const list = new CardList();
    expect(list.take(event(session('a', 3, { phase: 'active' })))).to.equal(true);
    expect(list.take(event(session('a', 2)))).to.equal(false);
    expect(list.take(event(session('a', 3)))).to.equal(false);
    expect(list.get('a')?.phase).to.equal('active');
  });

  it('lets a snapshot decide what is open, and keeps what was seen to end', () => {
    const list = new CardList();
    for (const view of [session('open', 1), session('done', 1, { phase: 'resolved' })])
      list.take(event(view));
    list.take(snapshot(session('new', 1)));
    expect(list.all().map(({ id }) => id)).to.deep.equal(['new', 'done']);
  });

  it('takes a card away that left the zones of this panel', () => {
    const list = new CardList();
    list.take(event(session('a', 1)));
    expect(list.take({ type: 'session.gone', seq: 2, at: '', sessionId: 'a' })).to.equal(true);
    expect(list.all()).to.deep.equal([]);
  });

  it('shows open sessions first, the newest on top, and only the latest closed ones', () => {
    const list = new CardList();
    const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
    for (let minute = 0; minute < 15; minute += 1)
      list.take(event(session(`closed${minute}`, 1, { phase: 'resolved', activatedAt: at(minute) })));
    list.take(event(session('older', 1, { activatedAt: at(1) })));
    list.take(event(session('newer', 1, { activatedAt: at(2) })));
    const ids = list.all().map(({ id }) => id);
    expect(ids.slice(0, 3)).to.deep.equal(['newer', 'older', 'closed14']);
    expect(ids).to.have.lengthOf(12);
  });
});
