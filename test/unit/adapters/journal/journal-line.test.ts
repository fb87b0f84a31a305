import { expect } from 'chai';
import { lineOf, readLines } from '../../../../control-plane/src/adapters/journal/journal-line.ts';
import { journalEntry } from '../../../support/journal-entries.ts';
import { copied } from '../../../support/memory/memory-tables.ts';

describe('adapters/journal/journal-line', () => {
  const entries = [journalEntry('one'), journalEntry('two\n"{'), journalEntry('three')];
  const bytes = Buffer.concat(entries.map(lineOf));

  it('reads back what it wrote, in order, up to the bytes that were only reserved', () => {
    const { entries: read, damaged, end } = readLines(Buffer.concat([bytes, Buffer.alloc(4096)]));
    expect(read).to.deep.equal(copied(entries));
    expect(damaged).to.equal(0);
    expect(end).to.equal(bytes.length);
  });

  it('passes over a line torn at any byte, and keeps every whole one', () => {
    const [first, second, third] = entries.map((entry) => lineOf(entry).length);
    const whole = first! + second!;
    for (let cut = 1; cut < third! - 1; cut += 37) {
      const torn = Buffer.concat([bytes.subarray(0, whole + cut), Buffer.alloc(64)]);
      const { entries: read, damaged, end } = readLines(torn);
      expect(read, `cut at ${cut}`).to.have.length(2);
      expect({ damaged, end }).to.deep.equal({ damaged: 1, end: whole });
    }
  });

  it('passes over a line in which one bit has turned, and goes on behind it', () => {
    const turned = Buffer.from(bytes);
    const at = lineOf(entries[0]!).length + 100;
    turned[at] = turned[at]! ^ 1;
    const { entries: read, damaged } = readLines(turned);
    expect(read.map(({ claim }) => claim?.key)).to.deep.equal(['one', 'three']);
    expect(damaged).to.equal(1);
  });

  it('an empty file holds nothing', () => {
    expect(readLines(Buffer.alloc(0))).to.deep.equal({ entries: [], damaged: 0, end: 0 });
  });
});
