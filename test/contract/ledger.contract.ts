/** What every ledger promises: an entry for each session that is over, made once and whole. */
import { expect } from 'chai';
import type { Instant } from '../../control-plane/src/domain/ids.ts';
import type { Ledger } from '../../control-plane/src/ports/ledger.ts';
import type { SessionStore } from '../../control-plane/src/ports/session-store.ts';
import { activation, after as ms, resolved, T0, write } from '../support/session-writes.ts';
import { apply, change } from './store-steps.ts';

const milestones = [
  { seq: 1, name: 'activated', at: T0, ms: 0 },
  { seq: 1, name: 'contact-online', at: T0, ms: 0 },
  { seq: 2, name: 'offer-sent', at: ms(12), ms: 12 },
  { seq: 3, name: 'offer-sent', at: ms(15.5), ms: 15.5 },
];
const verdicts = [
  { id: 'FB-6', limitMs: 25_500, valueMs: null, ok: null, reason: 'there was no fallback' },
  { id: 'RTC-1', limitMs: 500, valueMs: 12, ok: true, reason: null },
  { id: 'time-to-voice', limitMs: null, valueMs: null, ok: false, reason: 'nobody ever heard her' },
];

export function ledgerContract(
  name: string,
  ports: () => { readonly store: SessionStore; readonly ledger: Ledger },
): void {
  describe(`the ledger (${name})`, () => {
    const begun = async () => (await apply(ports().store, activation())).session.id;
    const ended = async () => {
      const id = await begun();
      await change(ports().store, id, (before) => write(before, resolved(before.session, ms(9000))));
      return id;
    };
    const isWaiting = async (id: string, now: Instant = ms(9000)) =>
      (await ports().ledger.unjudged(now, 10_000)).some((one) => one === id);

    it('knows who waits for an entry: a session that is over, until it has one', async () => {
      const open = await begun();
      const over = await ended();
      expect(await isWaiting(open)).to.equal(false);
      expect(await isWaiting(over)).to.equal(true);
      expect(await ports().ledger.enter(over, milestones, verdicts, ms(9001))).to.equal(true);
      expect(await isWaiting(over)).to.equal(false);
    });

    it('gives back what was entered, and the first entry stands', async () => {
      const id = await ended();
      expect(await ports().ledger.find(id)).to.equal(null);
      await ports().ledger.enter(id, milestones, verdicts, ms(9001));
      expect(await ports().ledger.enter(id, [], [], ms(9002))).to.equal(false);
      expect(await ports().ledger.find(id)).to.deep.equal({
        milestones: milestones.map(({ name: one, at, ms: sinceMs }) => ({ name: one, at, ms: sinceMs })),
        verdicts,
      });
    });

    it('makes no entry for a session that is open', async () => {
      const id = await begun();
      expect(await ports().ledger.enter(id, milestones, verdicts, ms(1))).to.equal(false);
      expect(await ports().ledger.find(id)).to.equal(null);
    });
  });
}
