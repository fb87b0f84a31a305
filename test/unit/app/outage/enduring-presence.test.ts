import { expect } from 'chai';
import { DutyBook } from '../../../../control-plane/src/app/outage/duty-book.ts';
import { EnduringPresence } from '../../../../control-plane/src/app/outage/enduring-presence.ts';
import { unavailable } from '../../../../control-plane/src/app/outage/store-watch.ts';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import { AKRAM, BINA, instant, panelOf } from '../../../support/core-lab.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { memoryStore } from '../../../support/memory-store.ts';
import { silentLog } from '../../../support/silent-log.ts';

describe('app/outage/enduring-presence', () => {
  /** `troubles`: what the store throws at the next words about Akram's panel, in turn. */
  const setUp = (...troubles: readonly Error[]) => {
    const { presence, directory } = memoryStore();
    const clock = manualClock();
    const asked: string[] = [];
    const waiting = [...troubles];
    const store = {
      ...presence,
      setContact: (...[aor, online, at]: Parameters<typeof presence.setContact>) => {
        asked.push(aor);
        const trouble = aor === panelOf(AKRAM) ? waiting.shift() : undefined;
        return trouble ? Promise.reject(trouble) : presence.setContact(aor, online, at);
      },
    };
    const watch = { isAway: true, attempt: <T>(work: () => Promise<T>): Promise<T> => work() };
    const duty = new DutyBook(directory, clock, silentLog);
    const enduring = new EnduringPresence({ store, duty, watch, clock, log: silentLog });
    const say = async (): Promise<void> => {
      for (const operator of [AKRAM, BINA]) await enduring.setContact(panelOf(operator), true, instant(1));
    };
    const isThere = (operator: typeof AKRAM) => presence.contactOnline(panelOf(operator));
    return { clock, asked, watch, enduring, say, isThere };
  };

  it('a word that the store will never take holds back none of the others, and is not said again', async () => {
    const { asked, enduring, say, isThere } = setUp(new Error('no such operator'));
    await say();
    await enduring.makeUp();
    expect(await isThere(BINA)).to.equal(true);
    await enduring.makeUp();
    expect(asked).to.deep.equal([panelOf(AKRAM), panelOf(BINA)]);
  });

  it('a word whose row is locked holds back none of the others, and is said again each second', async () => {
    const locked = new StoreError('ERR_STORE_CONFLICT', 'locked');
    const { clock, watch, enduring, say, isThere } = setUp(locked, locked);
    await say();
    await enduring.makeUp();
    // The store comes back without waiting for the lock once more.
    await enduring.makeUp();
    expect(await isThere(BINA)).to.equal(true);
    expect(await isThere(AKRAM)).to.equal(false);
    watch.isAway = false;
    await clock.advance(2000);
    expect(await isThere(AKRAM)).to.equal(true);
  });

  it('RTC-5 a word that a busy store did not take in time is said again, without an outage', async () => {
    const { clock, watch, say, isThere } = setUp(unavailable('no answer in time'));
    watch.isAway = false;
    await say();
    expect(await isThere(AKRAM)).to.equal(false);
    await clock.advance(1000);
    expect(await isThere(AKRAM)).to.equal(true);
  });
});
