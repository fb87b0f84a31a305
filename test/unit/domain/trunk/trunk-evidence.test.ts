import { expect } from 'chai';
import fc from 'fast-check';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import {
  evidenceTimes,
  groundsForDown,
  judge,
  noteCall,
  noteWord,
  NO_EVIDENCE,
  type CallEvidence,
  type TrunkEvidence,
} from '../../../../control-plane/src/domain/trunk/trunk-evidence.ts';

const TIMES = evidenceTimes(5, 2);
const MINUTE = 60_000;

/** A trunk whose evidence comes while a clock is wound on. */
class Trunk {
  now = 10_000_000;
  evidence: TrunkEvidence = NO_EVIDENCE;

  get state(): string {
    return this.#look();
  }
  get grounds(): readonly string[] {
    return groundsForDown(this.evidence, TIMES, this.now as Instant);
  }
  after(ms: number): this {
    // As the monitor does: it looks at once, and each second.
    this.#look();
    for (const until = this.now + ms; this.now < until;) {
      this.now = Math.min(until, this.now + 1000);
      this.#look();
    }
    return this;
  }
  options(good: boolean | null): this {
    this.evidence = noteWord(this.evidence, 'options', good, this.now as Instant);
    return this;
  }
  registration(good: boolean | null): this {
    this.evidence = noteWord(this.evidence, 'registration', good, this.now as Instant);
    return this;
  }
  call(...calls: readonly CallEvidence[]): this {
    for (const call of calls) {
      this.now += 1;
      this.evidence = noteCall(this.evidence, call, this.now as Instant);
    }
    return this;
  }
  #look(): string {
    this.evidence = judge(this.evidence, TIMES, this.now as Instant);
    return this.evidence.state;
  }
}

describe('domain/trunk/trunk-evidence', () => {
  it('TEL-8: refusals that may mean the callee are a doubt, however many, and one SOS that is refused is the third', () => {
    const trunk = new Trunk().call(...Array.from({ length: 20 }, () => 'refused' as const));
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.call('bad').state).to.equal('down');
    expect(trunk.call('refused').grounds).to.deep.equal(['calls']);
  });

  it('is up until something speaks against it', () => {
    expect(new Trunk().state).to.equal('up');
    expect(new Trunk().after(10 * MINUTE).state).to.equal('up');
  });

  it('TEL-8: one missed OPTIONS is a doubt, and down only once a second one was missed too', () => {
    const trunk = new Trunk().options(true).options(false);
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.after(7000).state).to.equal('doubtful');
    expect(trunk.after(1000).state).to.equal('down');
    expect(trunk.grounds).to.deep.equal(['options']);
  });

  it('TEL-8: after one missed OPTIONS and a good one it is up again by itself, and was never down', () => {
    const trunk = new Trunk().options(false).after(3000).options(true);
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.after(6000).state).to.equal('doubtful');
    expect(trunk.after(1000).state).to.equal('up');
  });

  it('TEL-8: comes back once OPTIONS are answered for a while, and not by the first answer', () => {
    const trunk = new Trunk().options(false).after(MINUTE).options(true);
    expect(trunk.state).to.equal('doubtful');
    trunk.after(2000).options(false).after(2000).options(true).after(6000);
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.after(1000).state).to.equal('up');
  });

  it('TEL-8: a call that rings brings it back at once, and outranks the OPTIONS before it', () => {
    const trunk = new Trunk().options(false).after(MINUTE);
    expect(trunk.state).to.equal('down');
    expect(trunk.call('good').state).to.equal('up');
    expect(trunk.after(4 * MINUTE).state).to.equal('up');
  });

  it('that call is believed for five minutes; then the OPTIONS that nobody has answered since count again', () => {
    const trunk = new Trunk()
      .options(false)
      .call('good')
      .after(5 * MINUTE);
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.after(8000).state).to.equal('down');
  });

  it('a call before the OPTIONS went unanswered outranks nothing', () => {
    expect(new Trunk().call('good').after(1000).options(false).after(8000).state).to.equal('down');
  });

  it('TEL-8: three calls in a row that the carrier does not take bring it down, whatever OPTIONS say', () => {
    const trunk = new Trunk().options(true).call('bad');
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.call('bad').state).to.equal('doubtful');
    expect(trunk.call('bad').state).to.equal('down');
    expect(trunk.grounds).to.deep.equal(['calls']);
    expect(new Trunk().call('bad', 'bad', 'good', 'bad', 'bad').state).to.equal('doubtful');
  });

  it('a doubt by one or two calls passes within a minute', () => {
    const trunk = new Trunk().call('bad', 'bad').after(MINUTE);
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.after(8000).state).to.equal('up');
    expect(trunk.call('bad').state).to.equal('down');
  });

  it('TEL-8: down by its calls, it is tried again after five minutes, and never called up for having rested', () => {
    const trunk = new Trunk()
      .options(true)
      .call('bad', 'bad', 'bad')
      .after(4 * MINUTE);
    expect(trunk.state).to.equal('down');
    expect(trunk.after(MINUTE).state).to.equal('doubtful');
    expect(trunk.after(60 * MINUTE).state).to.equal('doubtful');
    expect(trunk.call('bad').state).to.equal('down');
    expect(trunk.after(5 * MINUTE).call('good').state).to.equal('up');
  });

  it('down by its calls, it comes back when OPTIONS do; one more bad call then is enough', () => {
    const trunk = new Trunk()
      .options(false)
      .call('bad', 'bad', 'bad')
      .after(MINUTE)
      .options(true)
      .after(8000);
    expect(trunk.state).to.equal('up');
    expect(trunk.call('bad').state).to.equal('down');
  });

  it('a carrier without room is a doubt, and never down for that', () => {
    const trunk = new Trunk().call('full', 'full');
    expect(trunk.state).to.equal('up');
    expect(trunk.call('full', 'full', 'full', 'full').state).to.equal('doubtful');
    expect(trunk.after(MINUTE + 8000).state).to.equal('up');
  });

  it('TEL-8: a refused registration is a doubt, and down after a minute; its return counts like that of OPTIONS', () => {
    const trunk = new Trunk().options(true).registration(false);
    expect(trunk.state).to.equal('doubtful');
    expect(trunk.after(59_000).state).to.equal('doubtful');
    expect(trunk.after(1000).state).to.equal('down');
    expect(trunk.grounds).to.deep.equal(['registration']);
    expect(trunk.registration(true).after(8000).state).to.equal('up');
  });

  it('whose word is gone says nothing any more', () => {
    const trunk = new Trunk().options(false).registration(false).after(3000).options(null).registration(null);
    expect(trunk.after(10 * MINUTE).state).to.equal('up');
  });

  it('times follow the trunk’s own OPTIONS, within bounds', () => {
    expect(evidenceTimes(30, 3)).to.deep.equal({ confirmMs: 34_000, recoverMs: 15_000 });
    expect(evidenceTimes(60, 5)).to.deep.equal({ confirmMs: 45_000, recoverMs: 15_000 });
    expect(evidenceTimes(0, 3)).to.deep.equal({ confirmMs: 4000, recoverMs: 3000 });
  });

  type Step = (trunk: Trunk) => Trunk;
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constantFrom<CallEvidence>('good', 'bad', 'full').map(
      (call): Step =>
        (trunk) =>
          trunk.call(call),
    ),
    fc.option(fc.boolean()).map(
      (good): Step =>
        (trunk) =>
          trunk.options(good),
    ),
    fc.option(fc.boolean()).map(
      (good): Step =>
        (trunk) =>
          trunk.registration(good),
    ),
    fc.integer({ min: 1, max: 400_000 }).map(
      (ms): Step =>
        (trunk) =>
          trunk.after(ms),
    ),
  );
  const steps = fc.array(step, { maxLength: 30 });

  it('TEL-8: whatever happened before, a call that rings makes it up, now', () => {
    fc.assert(
      fc.property(steps, (before) => {
        const trunk = new Trunk();
        for (const one of before) one(trunk);
        expect(trunk.call('good').state).to.equal('up');
      }),
    );
  });

  it('TEL-8: whatever happened before, silence of the carrier ends in down, and its return in up', () => {
    fc.assert(
      fc.property(steps, (before) => {
        const trunk = new Trunk();
        for (const one of before) one(trunk);
        trunk.registration(null).options(true).options(false);
        expect(trunk.after(6 * MINUTE).state).to.equal('down');
        // A trunk that was down by its calls comes back by this word, too.
        expect(trunk.options(true).after(2 * MINUTE).state).to.equal('up');
      }),
    );
  });

  it('TEL-8: one word or one call alone never takes it from up to down', () => {
    const single: fc.Arbitrary<Step> = fc.constantFrom<Step>(
      (trunk) => trunk.call('bad'),
      (trunk) => trunk.call('full'),
      (trunk) => trunk.options(false),
      (trunk) => trunk.registration(false),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), single, (before, one) => {
        const trunk = new Trunk();
        for (const earlier of before) earlier(trunk);
        // A good call wipes the slate clean.
        trunk.call('good').options(null).registration(null);
        expect(one(trunk).state).to.not.equal('down');
      }),
    );
  });
});
