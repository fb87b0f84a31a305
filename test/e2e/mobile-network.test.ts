/** SOS over a mobile network, in network namespaces of its own; `make bench-4g` is the same with a hundred calls. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';

/**
 * Of ten. About three calls of a hundred lose a flight of the DTLS handshake with the headless client, and are heard by the
 * retry or telephoned; `make bench-4g` judges a hundred by the bar of 99 (docs/known-gaps.md).
 */
const WANTED = 8;
const BENCH = resolve(import.meta.dirname, '../bench/link/main.ts');

describe('e2e: a mobile network', function () {
  this.timeout(150_000);

  it('RTC-2 citizens are heard within 3 s over a round trip of 100 ms with jitter and loss, and can be understood', async () => {
    const env = {
      ...process.env,
      LINK_CALLS: '10',
      LINK_LANES: '4',
      LINK_SPEECH_S: '8',
      LINK_WANTED: String(WANTED),
    };
    const { failed, said } = await new Promise<{ failed: boolean; said: string }>((done) => {
      execFile(process.execPath, [BENCH], { env, timeout: 140_000 }, (error, stdout, stderr) =>
        done({ failed: error !== null, said: `${stdout}\n${stderr}` }),
      );
    });
    expect(failed, said).to.equal(false);
    const heard = Number(/heard within 3 s\s+(\d+) of 10/.exec(said)?.[1]);
    expect(heard, said).to.be.at.least(WANTED);
  });
});
