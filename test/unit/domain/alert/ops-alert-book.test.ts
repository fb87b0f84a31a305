import { expect } from 'chai';
import fc from 'fast-check';
import type { OpsAlert, OpsAlertNews } from '../../../../control-plane/src/domain/alert/ops-alert.ts';
import { MAX_OF_A_KIND, OpsAlertBook } from '../../../../control-plane/src/domain/alert/ops-alert-book.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';

const REPEAT_MS = 900_000;
const MINUTE = 60_000;
const TATA: OpsAlert = { kind: 'trunk-down', subject: 'tata', severity: 'critical', summary: 'Down.' };

/** A book whose owner looks at it when something is due, and writes down what was told. */
class Owner {
  readonly book = new OpsAlertBook(REPEAT_MS);
  readonly told: string[] = [];
  now = 1_000_000;
  #ids = 0;

  raise(alert: Partial<OpsAlert> = {}): this {
    const news = this.book.raise({ ...TATA, ...alert }, `id${(this.#ids += 1)}`, this.now as Instant);
    if (news === 'full') this.told.push('full');
    else this.#tell(news);
    return this;
  }
  resolve(subject = 'tata'): this {
    return this.#tell(this.book.resolve('trunk-down', subject, this.now as Instant));
  }
  acknowledge(id: string, by = 'chief') {
    const result = this.book.acknowledge(id, by, this.now as Instant);
    if (result.ok) this.#tell(result.news);
    return result;
  }
  after(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      const dueAt = this.book.nextDueAt();
      if (dueAt === null || dueAt > until) break;
      this.now = Math.max(this.now, dueAt);
      this.#tell(this.book.due(this.now as Instant));
    }
    this.now = until;
    return this;
  }
  /** What somebody on call was told since the last look; changes that wake nobody left out. */
  heard(): string[] {
    return this.told.splice(0).filter((what) => what !== 'changed' && what !== 'acknowledged');
  }
  #tell(news: readonly OpsAlertNews[]): this {
    this.told.push(...news.map(({ what }) => what));
    return this;
  }
}

describe('domain/alert/ops-alert-book', () => {
  it('TEL-8: raised once, however often it is raised; repeated each quarter of an hour; resolved once', () => {
    const owner = new Owner().raise().raise().raise();
    expect(owner.heard()).to.deep.equal(['raised']);
    owner.after(REPEAT_MS - 1);
    expect(owner.heard()).to.deep.equal([]);
    owner.after(1);
    expect(owner.heard()).to.deep.equal(['repeated']);
    owner.after(2 * REPEAT_MS);
    expect(owner.heard()).to.deep.equal(['repeated', 'repeated']);
    owner.resolve().resolve();
    expect(owner.heard()).to.deep.equal(['resolved']);
    expect(owner.book.nextDueAt()).to.equal(null);
  });

  it('TEL-8: once acknowledged it is not repeated, and is still resolved by its cause alone', () => {
    const owner = new Owner().raise();
    expect(owner.acknowledge('id1')).to.deep.include({ ok: true });
    owner.after(10 * REPEAT_MS).raise();
    expect(owner.heard()).to.deep.equal(['raised']);
    expect(owner.book.standing()).to.have.length(1);
    expect(owner.resolve().heard()).to.deep.equal(['resolved']);
  });

  it('who was first to acknowledge stays named; what is over, and what never was, cannot be', () => {
    const owner = new Owner().raise();
    owner.acknowledge('id1', 'chief');
    const again = owner.acknowledge('id1', 'other');
    expect(again.ok && again.record.acknowledged?.by).to.equal('chief');
    expect(owner.told.filter((what) => what === 'acknowledged')).to.have.length(1);
    owner.resolve();
    expect(owner.acknowledge('id1')).to.deep.equal({ ok: false, why: 'resolved' });
    expect(owner.acknowledge('id9')).to.deep.equal({ ok: false, why: 'unknown' });
  });

  it('what does not stand cannot be resolved', () => {
    expect(new Owner().resolve().told).to.deep.equal([]);
  });

  it('new words change what is shown and wake nobody; a worse severity does, though it was acknowledged', () => {
    const owner = new Owner().raise({ severity: 'warning' });
    owner.acknowledge('id1');
    owner.raise({ severity: 'warning', summary: 'Still down.' });
    expect(owner.heard()).to.deep.equal(['raised']);
    expect(owner.book.standing()[0]?.summary).to.equal('Still down.');
    owner.raise({ severity: 'critical' });
    expect(owner.heard()).to.deep.equal(['raised']);
    expect(owner.book.standing()[0]?.acknowledged).to.equal(null);
    owner.raise({ severity: 'warning' });
    expect(owner.heard()).to.deep.equal([]);
  });

  it('TEL-8: what comes back within ten minutes is told to have gone only when it stays away, longer each time', () => {
    const owner = new Owner().raise().after(MINUTE).resolve().after(MINUTE);
    expect(owner.heard()).to.deep.equal(['raised', 'resolved']);
    owner.raise().after(MINUTE).resolve();
    expect(owner.heard()).to.deep.equal(['raised']);
    owner.after(29_999);
    expect(owner.heard()).to.deep.equal([]);
    owner.after(1);
    expect(owner.heard()).to.deep.equal(['resolved']);
    owner.raise().resolve().after(59_999);
    expect(owner.heard()).to.deep.equal(['raised']);
    expect(owner.after(1).heard()).to.deep.equal(['resolved']);
  });

  it('after ten quiet minutes it is a new trouble', () => {
    const owner = new Owner()
      .raise()
      .resolve()
      .after(10 * MINUTE)
      .raise()
      .resolve();
    expect(owner.heard()).to.deep.equal(['raised', 'resolved', 'raised', 'resolved']);
    expect(owner.book.all().map(({ returns }) => returns)).to.deep.equal([0, 0]);
  });

  it('TEL-8: a trouble that flickers for an hour is told of a few times, and never called gone while it flickers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 100, max: 25_000 }), { minLength: 300, maxLength: 600 }),
        (waits) => {
          const owner = new Owner();
          let isBad = false;
          for (const waitMs of waits) {
            isBad = !isBad;
            if (isBad) owner.raise();
            else owner.resolve();
            owner.after(waitMs);
          }
          // The first two may both be told; from then on it is held.
          expect(owner.heard().filter((what) => what !== 'repeated').length).to.be.at.most(4);
          owner.resolve().after(20 * MINUTE);
          expect(owner.book.standing()).to.deep.equal([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('an alert keeps its acknowledgement while it flickers, and loses it once it was told to have gone', () => {
    const owner = new Owner().raise().resolve().raise();
    owner.acknowledge('id2');
    owner.resolve().after(1000).raise();
    expect(owner.book.standing()[0]?.acknowledged?.by).to.equal('chief');
    owner
      .resolve()
      .after(20 * MINUTE)
      .raise();
    expect(owner.book.standing()[0]?.acknowledged).to.equal(null);
  });

  it('a thousand sessions in trouble leave room for the reason why', () => {
    const owner = new Owner();
    for (let index = 0; index < 1000; index += 1)
      owner.raise({ kind: 'session-alert', subject: String(index) });
    expect(owner.book.standing()).to.have.length(MAX_OF_A_KIND);
    expect(owner.told.filter((what) => what === 'full')).to.have.length(1000 - MAX_OF_A_KIND);
    owner.told.splice(0);
    expect(owner.raise().heard()).to.deep.equal(['raised']);
  });

  it('keeps the last thousand that are over', () => {
    const owner = new Owner();
    for (let index = 0; index < 1500; index += 1)
      owner
        .after(1)
        .raise({ subject: String(index) })
        .resolve(String(index));
    expect(owner.book.all()).to.have.length(1000);
    expect(owner.book.all()[0]?.subject).to.equal('1499');
  });

  it('TEL-8: what an earlier process left goes on: not raised anew, acknowledged as it was, repeated in time', () => {
    const before = new Owner().raise().after(1).raise({ subject: 'exotel' });
    before.acknowledge('id1');
    const owner = new Owner().after(REPEAT_MS - MINUTE + 1);
    owner.book.restore(before.book.all(), owner.now as Instant);
    owner.raise();
    expect(owner.heard()).to.deep.equal([]);
    expect(owner.book.standing().map(({ id, acknowledged }) => [id, acknowledged?.by])).to.deep.equal([
      ['id1', 'chief'],
      ['id2', undefined],
    ]);
    expect(owner.after(MINUTE).heard()).to.deep.equal(['repeated']);
  });

  it('TEL-8: what somebody minds stands, though nobody has raised it again; and ends as anything does', () => {
    const before = new Owner().raise().raise({ subject: 'exotel' });
    const owner = new Owner();
    owner.book.restore(before.book.all(), owner.now as Instant);
    const minded = (subject: string) => (alert: OpsAlert) => alert.subject === subject;
    const ended = owner.book.endUnseen(owner.now as Instant, minded('tata'));
    expect(ended.map(({ record }) => record.subject)).to.deep.equal(['exotel']);
    expect(owner.book.hasUnseen).to.equal(true);
    expect(owner.after(REPEAT_MS).heard(), 'it is told again and again').to.deep.equal(['repeated']);
    expect(owner.resolve().heard()).to.deep.equal(['resolved']);
    expect(owner.book.hasUnseen).to.equal(false);
  });

  it('TEL-8: what was called gone before the past could be read ends with it; what was raised since does not', () => {
    const before = new Owner().after(1000).raise().after(5000).raise({ subject: 'exotel' });
    const owner = new Owner().after(3000).resolve('tata').resolve('exotel').after(10_000);
    owner.book.restore(before.book.all(), owner.now as Instant);
    const early = owner.book.endEarly(owner.now as Instant);
    expect(early.map(({ what, record }) => [what, record.subject])).to.deep.equal([['resolved', 'tata']]);
    expect(owner.book.standing().map(({ subject }) => subject)).to.deep.equal(['exotel']);
    expect(owner.book.endEarly(owner.now as Instant), 'once').to.deep.equal([]);
  });

  it('what nobody has raised again after a restart is over', () => {
    const before = new Owner().raise().raise({ subject: 'exotel' });
    const owner = new Owner();
    owner.book.restore(before.book.all(), owner.now as Instant);
    owner.raise();
    const ended = owner.book.endUnseen(owner.now as Instant, () => false);
    expect(ended.map(({ what, record }) => [what, record.subject])).to.deep.equal([['resolved', 'exotel']]);
    expect(owner.book.standing().map(({ subject }) => subject)).to.deep.equal(['tata']);
  });

  it('raised before the past could be read, it stays one alert and takes over the acknowledgement', () => {
    const before = new Owner().raise();
    before.acknowledge('id1');
    const [old] = before.book.standing();
    const owner = new Owner();
    owner.raise().book.restore([{ ...old!, id: 'old' }], owner.now as Instant);
    expect(owner.book.standing().map(({ id, acknowledged }) => [id, acknowledged?.by])).to.deep.equal([
      ['id1', 'chief'],
    ]);
    expect(owner.book.all().find(({ id }) => id === 'old')?.resolvedAt).to.equal(owner.now);
  });

  type Step = (owner: Owner) => unknown;
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constantFrom('tata', 'exotel').map(
      (subject): Step =>
        (owner) =>
          owner.raise({ subject }),
    ),
    fc.constantFrom('tata', 'exotel').map(
      (subject): Step =>
        (owner) =>
          owner.resolve(subject),
    ),
    fc.integer({ min: 1, max: 20 }).map(
      (id): Step =>
        (owner) =>
          owner.acknowledge(`id${id}`),
    ),
    fc.integer({ min: 1, max: 2_000_000 }).map(
      (ms): Step =>
        (owner) =>
          owner.after(ms),
    ),
  );

  it('TEL-8: whatever happens: one alert for one trouble; told before it is over, and over once it stays away', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const owner = new Owner();
        for (const one of steps) {
          one(owner);
          const keys = owner.book.standing().map(({ subject }) => subject);
          expect(new Set(keys).size).to.equal(keys.length);
          const raised = owner.told.filter((what) => what === 'raised').length;
          const resolved = owner.told.filter((what) => what === 'resolved').length;
          expect(raised - resolved).to.equal(keys.length);
        }
        owner
          .resolve('tata')
          .resolve('exotel')
          .after(11 * MINUTE);
        expect(owner.book.standing()).to.deep.equal([]);
        expect(owner.book.nextDueAt()).to.equal(null);
      }),
    );
  });
});
