import { expect } from 'chai';
import fc from 'fast-check';
import { fileNameOf } from '../../../control-plane/src/adapters/secrets/directory-secrets.ts';
import { isSecretReference } from '../../../control-plane/src/domain/secret-reference.ts';

const part = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const reference = fc.array(part, { minLength: 2, maxLength: 6 }).map((parts) => parts.join('/'));

describe('domain/secret-reference', () => {
  it('takes what trunk files name', () => {
    for (const one of ['trunks/tata/password', 'trunks/jio-2/password', 'smtp/password'])
      expect(isSecretReference(one), one).to.equal(true);
    fc.assert(fc.property(reference, isSecretReference));
  });

  it('takes nothing that could lead elsewhere, or is written in two ways', () => {
    const wrong = [
      'trunks',
      '',
      '/trunks/tata',
      'trunks/tata/',
      'a//b',
      'a/../b',
      './a/b',
      'a/b.c',
      'A/b',
      'a/b c',
      'a/b\n',
      'a/b%2fc',
      'a/1b',
      'ä/b',
    ];
    expect(wrong.filter(isSecretReference)).to.deep.equal([]);
    expect(isSecretReference(Array.from({ length: 7 }, () => 'a').join('/'))).to.equal(false);
    expect(isSecretReference(`a/${'b'.repeat(64)}`)).to.equal(false);
  });

  it('two references never share a file', () => {
    fc.assert(
      fc.property(
        reference,
        reference,
        (one, other) => one === other || fileNameOf(one) !== fileNameOf(other),
      ),
    );
  });
});
