/** The feed's promise: what a reader has passed is complete, whoever commits when (decision of docs/adr/0006-feed-order.md). */
import { expect } from 'chai';
import type { ZoneId } from '../../control-plane/src/domain/ids.ts';
import type { FeedRow, SessionStore } from '../../control-plane/src/ports/session-store.ts';
import { activation, after, freshId, T0, write } from '../support/session-writes.ts';
import { apply, change, rejection } from './store-steps.ts';

export function feedContract(name: string, open: () => SessionStore): void {
  describe(`feed on ${name}`, () => {
    it('gives the rows of a write in order, as apply returned them', async () => {
      const since = await open().feedHead();
      const location = { latitude: 1.5, longitude: 2.5 };
      const { session } = await apply(open(), activation({ zoneId: freshId<ZoneId>('zone'), location }));
      const returned = await change(open(), session.id, (before) =>
        write(before, before.session, {
          at: after(12.345),
          feed: [
            { type: 'sos.queued', detail: {} },
            { type: 'sos.alert', detail: { kind: 'no-operator', n: 1, on: true, who: null } },
          ],
        }),
      );
      const rows = await open().feedAfter(since, 100);
      expect(rows.map((row) => row.type)).to.deep.equal(['sos.activated', 'sos.queued', 'sos.alert']);
      expect(rows.slice(1)).to.deep.equal(returned);
      expect(rows[2]).to.deep.include({
        sessionId: session.id,
        sessionSeq: 2,
        zoneId: session.zoneId,
        location,
      });
      expect(rows[2]?.session).to.deep.equal(session);
      expect(await open().feedHead()).to.equal(rows[2]?.seq);
      expect(await open().feedAfter(rows[0]!.seq, 1)).to.deep.equal([rows[1]]);
      expect(await open().feedAfter(rows[2]!.seq, 100)).to.deep.equal([]);
      expect(await open().feedFloor()).to.be.at.most(since);
    });

    for (const end of ['commits', 'is undone'] as const) {
      it(`holds back what a lower number may still precede, until its transaction ${end}`, async () => {
        const since = await open().feedHead();
        const slow = activation();
        const quick = activation();
        const failing = open().transact(async (tx) => {
          await tx.apply(slow);
          await apply(open(), quick);
          expect(await open().feedAfter(since, 100)).to.deep.equal([]);
          expect(await open().feedHead()).to.equal(since);
          if (end === 'is undone') throw new Error('undone');
        });
        if (end === 'is undone') expect((await rejection(failing)).message).to.equal('undone');
        else await failing;
        const ids = (await open().feedAfter(since, 100)).map((row) => row.sessionId);
        const expected = end === 'commits' ? [slow.after.id, quick.after.id] : [quick.after.id];
        expect(ids).to.deep.equal(expected);
      });
    }

    it('loses nothing for a reader that follows six writers', async function () {
      this.timeout(30_000);
      const since = await open().feedHead();
      const reader = new Follower(open(), since);
      const written = await Promise.all(Array.from({ length: 6 }, (_, n) => writer(open(), n)));
      const expected = written.flat().toSorted((a, b) => a - b);
      await reader.until(expected.at(-1)!);
      expect(reader.seen).to.deep.equal(expected);
    });
  });
}

/** Twelve changes of one session, some undone, some with other statements after the feed's; the numbers that count. */
export async function writer(store: SessionStore, lane: number, rounds = 12): Promise<number[]> {
  const { after: session } = activation({ at: T0 });
  const numbers: number[] = [];
  const first = await store.transact((tx) => tx.apply(activation({ sessionId: session.id })));
  numbers.push(...first.feed.map((row) => row.seq));
  for (let round = 0; round < rounds; round += 1) {
    const rows: FeedRow[] = [];
    const undone = (lane + round) % 5 === 0;
    const attempt = store.transact(async (tx) => {
      const before = await tx.load(session.id);
      const feed = Array.from({ length: 1 + (round % 3) }, () => ({
        type: 'sos.sound' as const,
        detail: { lane, round },
      }));
      rows.push(...(await tx.apply(write(before, before!.session, { feed }))).feed);
      for (let wait = 0; wait < (lane * round) % 4; wait += 1) await tx.dutyPhones(null, T0);
      if (undone) throw new Error('undone');
    });
    if (undone) expect((await rejection(attempt)).message).to.equal('undone');
    else await attempt.then(() => numbers.push(...rows.map((row) => row.seq)));
  }
  return numbers;
}

/** Reads on from the last number it has, as a panel that resumes again and again. */
export class Follower {
  readonly seen: number[] = [];
  readonly #store: SessionStore;
  #last: number;

  constructor(store: SessionStore, since: number) {
    this.#store = store;
    this.#last = since;
    this.#running = this.#follow();
  }

  readonly #running: Promise<void>;
  #goal = Infinity;

  async until(seq: number): Promise<void> {
    this.#goal = seq;
    await this.#running;
  }

  async #follow(): Promise<void> {
    while (this.#last < this.#goal) {
      const rows = await this.#store.feedAfter(this.#last, 7);
      this.seen.push(...rows.map((row) => row.seq));
      this.#last = rows.at(-1)?.seq ?? this.#last;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
