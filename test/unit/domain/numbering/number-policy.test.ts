import { expect } from 'chai';
import { worldPlans } from '../../../../control-plane/src/adapters/numbering/world-plans.ts';
import {
  judgeCallee,
  judgeRegistered,
  type NumberPolicy,
} from '../../../../control-plane/src/domain/numbering/number-policy.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';

const INDIA: NumberPolicy = { countries: ['IN'], numbers: [] };
const phone = (text: string): PhoneNumber => PhoneNumber.parse(text)!;

/** The refusal, or `ok`. */
function judge(text: string, policy: NumberPolicy = INDIA): string {
  const judged = judgeCallee(text, policy, (number) => worldPlans.factsOf(number));
  if (judged.ok) expect(judged.number.reveal()).to.equal(text);
  return judged.ok ? 'ok' : judged.refusal;
}

const each = (texts: readonly string[], policy?: NumberPolicy) =>
  texts.map((text) => [text, judge(text, policy)]);
const all = (texts: readonly string[], verdict: string) => texts.map((text) => [text, verdict]);

describe('domain/numbering/number-policy', () => {
  it('TEL-1 takes mobiles of all four operators and of every first digit, and landlines', () => {
    const numbers = [
      ...[
        '+917000012345',
        '+919810012345',
        '+919900012345',
        '+919400012345',
        '+916201234567',
        '+918765432109',
      ],
      ...['+911140000100', '+912266554433', '+914428123456', '+913322345678'],
    ];
    expect(each(numbers)).to.deep.equal(all(numbers, 'ok'));
  });

  it('refuses emergency numbers, as they are and in disguise', () => {
    const plain = ['100', '101', '102', '108', '112', '1091', '181', '1930'];
    const disguised = [
      ...['+91100', '+91112', '+911091', '91112', '0112', '+910112', '+9100100', '+112'],
      // Behind an area code: the police of Delhi, the fire brigade of a small town.
      ...['+9111100', '+91112112', '+912112112', '+911421101', '+91011100'],
    ];
    expect(each([...plain, ...disguised])).to.deep.equal(all([...plain, ...disguised], 'emergency'));
  });

  it('refuses short codes, and numbers at which nobody is to be reached', () => {
    expect(each(['139', '+91139', '121', '+9114433', '55678'])).to.deep.equal(
      all(['139', '+91139', '121', '+9114433', '55678'], 'short-code'),
    );
    expect(each(['+911401234567', '+911600123456', '+911601123456'])).to.deep.equal(
      all(['+911401234567', '+911600123456', '+911601123456'], 'service-series'),
    );
  });

  it('refuses what costs extra, at home and abroad', () => {
    expect(judge('+911861123456789')).to.equal('premium');
    expect(judge('+9118601234567')).to.equal('shared-cost');
    expect(judge('+911800111109')).to.equal('toll-free');
    expect(judge('+19005550123', { ...INDIA, countries: ['IN', 'US'] })).to.equal('premium');
    expect(judge('+449098790000', { ...INDIA, countries: ['IN', 'GB'] })).to.equal('premium');
  });

  it('refuses other countries unless they are allowed', () => {
    expect(judge('+12125550123')).to.equal('country');
    expect(judge('+12125550123', { ...INDIA, countries: ['IN', 'US'] })).to.equal('ok');
    expect(judge('+919810012345', { ...INDIA, countries: ['NP'] })).to.equal('country');
  });

  it('says what is wrong with a number that is none', () => {
    expect(judge('9876543210')).to.equal('not-e164');
    expect(judge('09876543210')).to.equal('not-e164');
    expect(judge('919876543210')).to.equal('not-e164');
    expect(judge('+91 98765 43210')).to.equal('not-e164');
    expect(judge('+09876543210')).to.equal('not-e164');
    expect(judge('tel:+919876543210')).to.equal('not-e164');
    expect(judge('')).to.equal('not-e164');
    expect(judge('+91981001234')).to.equal('too-short');
    expect(judge('+9198100123456')).to.equal('too-long');
    expect(judge('+91981001234567890')).to.equal('too-long');
    expect(judge('+915555555555')).to.equal('unknown-range');
    expect(judge('+88213123456')).to.equal('unknown-range');
    expect(judge('+9998765432')).to.equal('unknown-range');
  });

  it('calls a number that is listed, whatever it is, unless it is an emergency number', () => {
    const listed = ['+915555555555', '+12125550123', '+911600123456'];
    const policy = { ...INDIA, numbers: [...listed, '+9111100'].map(phone) };
    expect(each(listed, policy)).to.deep.equal(all(listed, 'ok'));
    expect(judge('+9111100', policy)).to.equal('emergency');
  });

  it('FB-2 takes any telephone of a citizen or operator; only what is nobody’s telephone is none', () => {
    const registered = (text: string) => judgeRegistered(phone(text), (number) => worldPlans.factsOf(number));
    for (const hers of [
      '+919810012345',
      '+911140000100',
      '+12125550123',
      '+915555555555',
      '+97798123456',
      '+91981001234',
    ])
      expect(registered(hers), hers).to.equal(null);
    expect(registered('+9111100')).to.equal('emergency');
    expect(registered('+911860' + '1234567')).to.equal('shared-cost');
    expect(registered('+911861123456789')).to.equal('premium');
    expect(registered('+911800111109')).to.equal('toll-free');
    expect(registered('+911401234567')).to.equal('universal-access');
    expect(registered('+911600123456')).to.equal('service-series');
  });
});
