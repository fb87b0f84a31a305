import { expect } from 'chai';
import fc from 'fast-check';
import { redactField, redactText } from '../../../../control-plane/src/adapters/log/redaction.ts';

describe('adapters/log redaction', () => {
  const hidden: readonly (readonly [string, string])[] = [
    ['a number in E.164', '+919811123456'],
    ['a number in a SIP URI', 'sip:+919811123456@carrier.test'],
    ['a number percent-encoded', 'tel=%2B919811123456&x'],
    ['a national number', 'dial 9811123456 now'],
    ['a trunk-prefixed number', 'sip:09811123456@10.0.0.1'],
    ['an international number without plus', '<sip:919811123456@10.0.0.1>'],
    ['a bearer header', 'Authorization: Bearer abc123.def'],
    ['a token of Vault', 'renewed hvs.CAESIJabc-def_1 now'],
    ['the secret of a webhook', 'signed by whsec_abcDEF123/4= then'],
    ['a JWT', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwcml5YSJ9.c2lnbmF0dXJl here'],
    ['a ticket in a URL', 'GET /v1/panel/feed?ticket=Zm9vYmFyYmF6&since=3'],
    ['credentials in a URL', 'postgres://hamrahi:pa55word@db:5432/x'],
    ['an ARI key', 'ws://127.0.0.1/ari/events?api_key=user:pa55word&app=x'],
  ];
  for (const [what, text] of hidden)
    it(`masks ${what}`, () => {
      const masked = redactText(text);
      expect(masked).to.match(/\[(number|credentials|token|secret)\]/);
      for (const secret of [
        '9811123456',
        'abc123',
        'CAESIJabc',
        'abcDEF123',
        'eyJzdWIi',
        'Zm9vYmFyYmF6',
        'pa55word',
      ])
        expect(masked).not.to.contain(secret);
    });

  const kept = [
    'session 5f3c1a52-8f0e-4e7b-9d3e-2f6f6a1f0a11 is streaming',
    'leg 5f3c1a52-8f0e-4e7b-9d3e-9811123456aa.citizen-app.1',
    'waited 5000 ms at 1767323045678',
    '+91******56 rang',
    'http://127.0.0.1:8088/ari',
    'ratio 0.9811123456',
    'ERR_AUTH_EXPIRED',
  ];
  for (const text of kept) it(`leaves "${text}" alone`, () => expect(redactText(text)).to.equal(text));

  it('masks every E.164 number, wherever it stands', () => {
    const number = fc.stringMatching(/^\+[1-9][0-9]{6,14}$/);
    const around = fc.stringMatching(/^[a-zA-Z<>"' :;@=]{0,20}$/);
    fc.assert(
      fc.property(around, number, around, (before, value, after) => {
        expect(redactText(`${before}${value}${after}`)).not.to.contain(value);
      }),
    );
  });

  it('hides fields by their name, and what is inside values of any shape', () => {
    for (const name of ['authorization', 'Password', 'token', 'ticket', 'credential', 'apiKey'])
      expect(redactField(name, 'anything')).to.equal('[secret]');
    expect(redactField('body', { deep: { phone: '+919811123456' } })).to.not.contain('9811123456');
    expect(redactField('error', new Error('call to +919811123456 failed'))).to.not.contain('9811123456');
    expect(redactField('count', 919_811_123)).to.equal(919_811_123);
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const odd of [circular, 10n, () => 1, Symbol('s')])
      expect(redactField('odd', odd)).to.be.a('string');
  });
});
