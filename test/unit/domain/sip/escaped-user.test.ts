import { expect } from 'chai';
import fc from 'fast-check';
import { escapedUser } from '../../../../control-plane/src/domain/sip/escaped-user.ts';
import { parseSipUri } from '../../../../control-plane/src/domain/sip/sip-address.ts';

describe('domain/sip/escaped-user', () => {
  for (const [name, escaped] of [
    ['+911140000100', '+911140000100'],
    ["a-b_c.d!e~f*g'h(i)", "a-b_c.d!e~f*g'h(i)"],
    ['&=+$,;?/', '&=+$,;?/'],
    ['user@ims.invalid', 'user%40ims.invalid'],
    ['Control Room 1', 'Control%20Room%201'],
    ['50%', '50%25'],
    ['a:b#c<d>[e]', 'a%3Ab%23c%3Cd%3E%5Be%5D'],
  ] as const)
    it(`writes ${name} as ${escaped}`, () => {
      expect(escapedUser(name)).to.equal(escaped);
    });

  it('makes of every printable name a URI of this user and of no other host', () => {
    const names = fc.stringMatching(/^[ -~]{1,20}$/);
    fc.assert(
      fc.property(names, (name) => {
        const uri = parseSipUri(`sip:${escapedUser(name)}@ims.invalid`);
        expect(uri).to.include({ host: 'ims.invalid', port: null, hasHeaders: false });
        expect(decodeURIComponent(uri?.user ?? '')).to.equal(name);
      }),
    );
  });
});
