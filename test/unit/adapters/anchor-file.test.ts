import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AnchorFile } from '../../../control-plane/src/adapters/anchor/anchor-file.ts';
import { parseAnchorLine } from '../../../control-plane/src/evidence/anchor-line.ts';
import { FIRST_PREVIOUS, signHead } from '../../../control-plane/src/evidence/audit-head.ts';
import { auditSigner, newAuditKey } from '../../../control-plane/src/evidence/audit-key.ts';

const signer = auditSigner(newAuditKey())!;
const head = (number: number) => signHead(signer, number, number * 1000, FIRST_PREVIOUS, []);

describe('adapters/anchor/anchor-file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hamrahi-anchor-'));
    path = join(folder, 'anchor.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('begins empty, and gives back the last of what was appended', async () => {
    const anchor = new AnchorFile(path);
    expect(await anchor.last()).to.equal(0);
    for (let number = 1; number <= 40; number += 1) await anchor.append(head(number));
    expect(await anchor.last()).to.equal(40);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => parseAnchorLine(line)?.number)).to.deep.equal(
      lines.map((_, index) => index + 1),
    );
    expect(parseAnchorLine(lines[0]!)).to.deep.equal(head(1));
  });

  it('goes on after half a line, which a killed process left', async () => {
    const anchor = new AnchorFile(path);
    await anchor.append(head(1));
    appendFileSync(path, '{"number":2,"at":');
    expect(await anchor.last()).to.equal(1);
    await anchor.append(head(2));
    expect(await anchor.last()).to.equal(2);
    expect(
      readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => parseAnchorLine(line)?.number),
    ).to.deep.equal([1, undefined, 2, undefined]);
  });
});
