import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import {
  chainHash,
  genesisHash,
  personalHash,
  verifyChain,
} from '../../../control-plane/src/evidence/event-chain.ts';
import type { ChainRow } from '../../../control-plane/src/evidence/event-chain.ts';
import type { Instant, SessionId } from '../../../control-plane/src/domain/ids.ts';

const SESSION = '11111111-2222-4333-8444-555555555555' as SessionId;
const facts = { location: { latitude: 12.97, longitude: 77.59 }, claimed: { battery: 12 } };

/** A chain of five events, the first two with personal facts. */
function chain(): { rows: ChainRow[]; head: { seq: number; hash: Buffer } } {
  const rows: ChainRow[] = [];
  let previous = genesisHash(SESSION);
  for (let seq = 1; seq <= 5; seq += 1) {
    const personal = seq <= 2 ? { salt: randomBytes(32), facts } : null;
    const event = { type: 'timer.due', timer: 'retry', n: seq };
    const hashed = personal && personalHash(personal.salt, personal.facts);
    const row = { seq, type: 'timer.due', at: (1000.001 * seq) as Instant, event, personalHash: hashed };
    previous = chainHash(previous, row);
    rows.push({ ...row, hash: previous, personal });
  }
  return { rows, head: { seq: 5, hash: previous } };
}

function verdictAfter(meddle: (rows: ChainRow[]) => ChainRow[]) {
  const { rows, head } = chain();
  return verifyChain(SESSION, meddle(rows), head);
}

const altered = (change: Partial<ChainRow>) =>
  verdictAfter((rows) => rows.map((row) => (row.seq === 2 ? { ...row, ...change } : row)));

describe('evidence/event-chain', () => {
  it('finds a chain whole that nobody has touched, and an empty one', () => {
    expect(verdictAfter((rows) => rows)).to.deep.equal({ whole: true, events: 5 });
    const empty = verifyChain(SESSION, [], { seq: 0, hash: genesisHash(SESSION) });
    expect(empty).to.deep.equal({ whole: true, events: 0 });
  });

  it('hashes what its documentation says, byte for byte', () => {
    const row = {
      seq: 1,
      type: 'api.released',
      at: 1.5 as Instant,
      event: { b: 1, a: 2 },
      personalHash: null,
    };
    expect(chainHash(Buffer.alloc(32), row).toString('hex')).to.equal(
      '24cc4ca1f2832bf61ffa38da1de1c321f792dfc4a484abf71c4ed295b548456d',
    );
  });

  it('names the event that was altered, in whichever part', () => {
    const broken = { whole: false, brokenAt: 2, why: 'altered' };
    expect(altered({ event: { type: 'timer.due', timer: 'watchdog', n: 2 } })).to.deep.equal(broken);
    expect(altered({ type: 'pbx.ended' })).to.deep.equal(broken);
    expect(altered({ at: 2000.003 as Instant })).to.deep.equal(broken);
    expect(altered({ personalHash: randomBytes(32) })).to.deep.equal(broken);
    expect(altered({ personalHash: null })).to.deep.equal(broken);
    expect(altered({ hash: randomBytes(32) })).to.deep.equal(broken);
  });

  it('names the event that is missing: from the middle, the beginning or the end', () => {
    expect(verdictAfter((rows) => rows.toSpliced(2, 1))).to.deep.equal({
      whole: false,
      brokenAt: 3,
      why: 'missing',
    });
    expect(verdictAfter((rows) => rows.slice(1))).to.deep.equal({
      whole: false,
      brokenAt: 1,
      why: 'missing',
    });
    expect(verdictAfter((rows) => rows.slice(0, 3))).to.deep.equal({
      whole: false,
      brokenAt: 4,
      why: 'cut-off',
    });
    expect(verdictAfter(() => [])).to.deep.equal({ whole: false, brokenAt: 1, why: 'cut-off' });
  });

  it('finds events that changed places, renumbered or not', () => {
    const swapped = (rows: ChainRow[]) => [rows[0]!, rows[2]!, rows[1]!, rows[3]!, rows[4]!];
    expect(verdictAfter(swapped)).to.deep.equal({ whole: false, brokenAt: 2, why: 'missing' });
    const renumbered = (rows: ChainRow[]) => swapped(rows).map((row, index) => ({ ...row, seq: index + 1 }));
    expect(verdictAfter(renumbered)).to.deep.equal({ whole: false, brokenAt: 2, why: 'altered' });
  });

  it('finds an end that was forged with a chain of its own, by the head', () => {
    const forged = verdictAfter((rows) => {
      const event = { type: 'timer.due', timer: 'forged' };
      const hash = chainHash(rows[3]!.hash, { ...rows[4]!, event });
      return [...rows.slice(0, 4), { ...rows[4]!, event, hash }];
    });
    expect(forged).to.deep.equal({ whole: false, brokenAt: 6, why: 'cut-off' });
  });

  it("does not take another session's chain", () => {
    const { rows, head } = chain();
    const other = '11111111-2222-4333-8444-666666666666' as SessionId;
    expect(verifyChain(other, rows, head)).to.deep.include({ whole: false, brokenAt: 1 });
  });

  it('stays whole when personal facts are erased, and breaks when they are altered', () => {
    expect(altered({ personal: null })).to.deep.equal({ whole: true, events: 5 });
    const moved = { salt: randomBytes(32), facts: { ...facts, location: { latitude: 0, longitude: 0 } } };
    expect(altered({ personal: moved })).to.deep.equal({
      whole: false,
      brokenAt: 2,
      why: 'personal-altered',
    });
    const added = verdictAfter((rows) =>
      rows.map((row) => (row.seq === 4 ? { ...row, personal: { salt: randomBytes(32), facts } } : row)),
    );
    expect(added).to.deep.equal({ whole: false, brokenAt: 4, why: 'personal-altered' });
  });

  it('salts personal facts: the same facts never give the same hash twice', () => {
    const [first, second] = [personalHash(randomBytes(32), facts), personalHash(randomBytes(32), facts)];
    expect(first.equals(second)).to.equal(false);
  });
});
