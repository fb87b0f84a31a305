import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import {
  NUMBERS_DOCUMENT_PATH,
  renderNumbersDocument,
} from '../../../control-plane/tools/sandbox-numbers-document.ts';

describe('tools/sandbox-numbers-document', () => {
  it('has written docs/sandbox-numbers.md from the table as it is now', async () => {
    expect(readFileSync(NUMBERS_DOCUMENT_PATH, 'utf8')).to.equal(
      await renderNumbersDocument(),
      'write it anew: node control-plane/tools/sandbox-numbers-document.ts',
    );
  });
});
