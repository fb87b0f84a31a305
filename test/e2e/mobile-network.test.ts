/** SOS over a mobile network, in network namespaces of its own; `make bench-4g` is the same with a hundred calls. */
// run-tests: quiet
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';

const CALLS = 10;
const BENCH = resolve(import.meta.dirname, '../bench/link/main.ts');

interface Run {
  readonly heard: number;
  /** Every bar of the bench, the one of the calls among them. */
  readonly ok: boolean;
  readonly said: string;
}

async function tenCalls(wanted: number): Promise<Run> {
  const env = {
    ...process.env,
    LINK_CALLS: String(CALLS),
    LINK_LANES: '4',
    LINK_SPEECH_S: '8',
    LINK_WANTED: String(wanted),
  };
  return new Promise((done) => {
    execFile(process.execPath, [BENCH], { env, timeout: 140_000 }, (error, stdout, stderr) => {
      const heard = Number(/heard within 3 s\s+(\d+) of 10/.exec(stdout)?.[1]);
      done({ heard, ok: error === null, said: `${stdout}\n${stderr}` });
    });
  });
}

describe('e2e: a mobile network', function () {
  this.timeout(300_000);

  it('RTC-2 citizens are heard within 3 s over a round trip of 100 ms with jitter and loss, and can be understood', async () => {
    // Some two calls of a thousand lose one thing twice, and are later (docs/performance.md). One such call in ten is
    // made good for by ten more without any: that fails by chance once in two thousand runs.
    const first = await tenCalls(CALLS - 1);
    expect(first.ok, first.said).to.equal(true);
    if (first.heard === CALLS) return;
    const second = await tenCalls(CALLS);
    expect(second.heard, `${first.said}\n${second.said}`).to.equal(CALLS);
  });
});
