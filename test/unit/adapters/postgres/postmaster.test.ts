import { expect } from 'chai';
import { parsePostmasterPid } from '../../../../control-plane/src/adapters/postgres/postmaster.ts';

const complete = '4711\n/data\n1790000000\n40123\n\n127.0.0.1\n  1050122     32772\nready   \n';

describe('adapters/postgres/postmaster', () => {
  it('reads pid, port and readiness', () => {
    expect(parsePostmasterPid(complete)).to.deep.equal({ pid: 4711, port: 40123, ready: true });
  });

  it('knows a server that still starts', () => {
    expect(parsePostmasterPid(complete.replace('ready   ', 'starting'))?.ready).to.equal(false);
    expect(parsePostmasterPid('4711\n/data\n1790000000\n40123\n\n')?.ready).to.equal(false);
  });

  for (const [name, text] of [
    ['an empty file', ''],
    ['a file that is still being written', '4711\n/data\n'],
    ['the pid of init', complete.replace('4711', '1')],
    ['a negative pid, which would signal a process group', complete.replace('4711', '-4711')],
    ['no number', complete.replace('4711', 'postgres')],
  ] as const) {
    it(`makes nothing of ${name}`, () => {
      expect(parsePostmasterPid(text)).to.equal(undefined);
    });
  }
});
