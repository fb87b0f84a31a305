import { expect } from 'chai';
import fc from 'fast-check';
import {
  formatNumber,
  isIndianMobile,
  NUMBER_FORMATS,
  readNumber,
} from '../../../../control-plane/src/domain/numbering/number-format.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';

const number = (text: string): PhoneNumber => PhoneNumber.parse(text)!;

describe('domain/numbering/number-format', () => {
  it('writes an Indian mobile in each of the four forms', () => {
    const mobile = number('+919876543210');
    const written = NUMBER_FORMATS.map((format) => formatNumber(mobile, format));
    expect(written).to.deep.equal([
      { ok: true, value: '+919876543210' },
      { ok: true, value: '919876543210' },
      { ok: true, value: '09876543210' },
      { ok: true, value: '9876543210' },
    ]);
  });

  it('writes an Indian fixed line nationally too', () => {
    expect(formatNumber(number('+911123456789'), 'national_0')).to.deep.equal({
      ok: true,
      value: '01123456789',
    });
  });

  for (const foreign of ['+14155550100', '+9112345', '+910123456789', '+9198765432101']) {
    it(`has no national form for ${foreign}, which is no Indian number`, () => {
      for (const format of ['national_0', 'national10'] as const) {
        expect(formatNumber(number(foreign), format)).to.deep.equal({
          ok: false,
          code: 'ERR_NUMBER_NOT_NATIONAL',
        });
      }
      expect(formatNumber(number(foreign), 'e164_plus')).to.deep.equal({ ok: true, value: foreign });
    });
  }

  it('reads back every Indian number from every form (property)', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[1-9]\d{9}$/),
        fc.constantFrom(...NUMBER_FORMATS),
        (national, format) => {
          const original = number(`+91${national}`);
          const written = formatNumber(original, format);
          expect(written.ok && readNumber(written.value)?.equals(original)).to.equal(true);
        },
      ),
    );
  });

  it('reads other countries with + and with 00', () => {
    expect(readNumber('+14155550100')?.reveal()).to.equal('+14155550100');
    expect(readNumber('0014155550100')?.reveal()).to.equal('+14155550100');
    expect(readNumber('00919876543210')?.reveal()).to.equal('+919876543210');
  });

  for (const text of [
    '',
    'anonymous',
    '112',
    '0',
    '012345',
    '0123456789',
    '+',
    '+0123456789',
    '98765 43210',
    '987654321a',
  ]) {
    it(`reads no number from "${text}"`, () => {
      expect(readNumber(text)).to.equal(null);
    });
  }

  it('tells mobiles, which begin with 6 to 9, from fixed lines', () => {
    expect(isIndianMobile(number('+916000000000'))).to.equal(true);
    expect(isIndianMobile(number('+919999999999'))).to.equal(true);
    expect(isIndianMobile(number('+911123456789'))).to.equal(false);
    expect(isIndianMobile(number('+14155550100'))).to.equal(false);
  });
});
