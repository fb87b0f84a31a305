import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson, jsonText, storableText } from '../../../control-plane/src/evidence/canonical-json.ts';

describe('evidence/canonical-json', () => {
  it('writes one text for one value, whatever the order of its keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).to.equal(
      '{"a":true,"b":[1,{"c":"x","d":null}]}',
    );
    expect(canonicalJson({ 10: 1, 9: 2, a: undefined })).to.equal('{"10":1,"9":2}');
    expect(canonicalJson([undefined, -0, 1e21, 0.1])).to.equal('[null,0,1e+21,0.1]');
  });

  it('gives the same text again for what was read back from it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).to.equal(text);
      }),
    );
  });

  it('leaves nothing that PostgreSQL refuses: no NUL and no lone surrogate, in keys or values', () => {
    const odd = { 'a\0': ['\ud800', 'fine \u{1f6a8}', '\\u0000'] };
    for (const write of [canonicalJson, jsonText])
      expect(JSON.parse(write(odd))).to.deep.equal({ 'a\ufffd': ['\ufffd', 'fine \u{1f6a8}', '\\u0000'] });
    expect(storableText('x\0y\udfff')).to.equal('x\ufffdy\ufffd');
  });
});
