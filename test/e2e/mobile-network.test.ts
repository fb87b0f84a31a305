/** SOS over a mobile network, in network namespaces of its own; `make bench-4g` is the same with a hundred calls. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';

const BENCH = resolve(import.meta.dirname, '../bench/link/main.ts');

describe('e2e: a mobile network', function () {
  this.timeout(150_000);

  it('RTC-2 ten of ten citizens are heard within 3 s over a round trip of 100 ms with jitter and loss, and can be understood', async () => {
    const env = { ...process.env, LINK_CALLS: '10', LINK_LANES: '4', LINK_SPEECH_S: '8' };
    const { failed, said } = await new Promise<{ failed: boolean; said: string }>((done) => {
      execFile(process.execPath, [BENCH], { env, timeout: 140_000 }, (error, stdout, stderr) =>
        done({ failed: error !== null, said: `${stdout}\n${stderr}` }),
      );
    });
    expect(failed, said).to.equal(false);
    expect(said, 'what was measured').to.match(/heard within 3 s\s+10 of 10/);
  });
});
