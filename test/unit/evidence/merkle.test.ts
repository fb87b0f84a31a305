import { expect } from 'chai';
import fc from 'fast-check';
import { leafHash, merklePath, merkleRoot, rootOfPath } from '../../../control-plane/src/evidence/merkle.ts';

const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => leafHash(`leaf ${index}`));

describe('evidence/merkle', () => {
  it('has the roots of RFC 6962 for none and for the empty leaf', () => {
    expect(merkleRoot([]).toString('hex')).to.equal(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(merkleRoot([leafHash('')]).toString('hex')).to.equal(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });

  it('proves each leaf of a tree of any size, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), (count, pick) => {
        const leaves = leavesOf(count);
        const index = pick % count;
        const root = merkleRoot(leaves);
        const path = merklePath(leaves, index);
        const prove = (leaf: Buffer, at: number, of: number, by: readonly Buffer[]) =>
          rootOfPath(leaf, at, of, by)?.equals(root) ?? false;
        expect(prove(leaves[index]!, index, count, path)).to.equal(true);
        expect(prove(leafHash('other'), index, count, path)).to.equal(false);
        expect(prove(leaves[index]!, index, count, [...path, leafHash('more')])).to.equal(false);
        if (count > 1) expect(prove(leaves[index]!, (index + 1) % count, count, path)).to.equal(false);
      }),
    );
  });

  it('changes its root when a leaf is changed, moved, added or taken away', () => {
    const leaves = leavesOf(5);
    const roots = [
      leaves,
      leaves.toSpliced(2, 1, leafHash('x')),
      leaves.toReversed(),
      leaves.slice(1),
      [...leaves, leafHash('x')],
    ].map((some) => merkleRoot(some).toString('hex'));
    expect(new Set(roots).size).to.equal(roots.length);
  });
});
