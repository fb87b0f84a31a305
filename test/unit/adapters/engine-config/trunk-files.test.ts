import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { TrunkFiles } from '../../../../control-plane/src/adapters/engine-config/trunk-files.ts';
import { problemText } from '../../../../control-plane/src/domain/trunk/trunk-problem.ts';

const SHIPPED = resolve(import.meta.dirname, '../../../../sip-trunks/sandbox.yml');

describe('adapters/engine-config/trunk-files', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hamrahi-trunks-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const read = (sources: string, relayAddress: string) => {
    const text = readFileSync(SHIPPED, 'utf8').replace('sources: [127.0.0.2]', `sources: ${sources}`);
    writeFileSync(join(directory, 'sandbox.yml'), text);
    return new TrunkFiles({ directory, names: ['sandbox'], siteFile: null, relayAddress }).read();
  };

  it('reads the files as they are now', async () => {
    const reading = await read('[127.0.0.3]', '127.0.0.1');
    expect(reading.ok && reading.trunks.map(({ sources }) => sources)).to.deep.equal([['127.0.0.3']]);
  });

  it('TEL-9: refuses a trunk that would be whoever the relay speaks for', async () => {
    const reading = await read('[127.0.0.0/16]', '127.0.0.1');
    const file = join(directory, 'sandbox.yml');
    expect(reading.ok ? [] : reading.problems.map(problemText)).to.deep.equal([
      `${file}:12: sources.0: expected addresses without the gateway's own: each of its clients would be taken for the carrier`,
    ]);
    expect(await read('[127.0.0.0/16]', '10.0.0.7')).to.include({ ok: true });
  });
});
