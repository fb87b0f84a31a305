import { expect } from 'chai';
import fc from 'fast-check';
import {
  operatorSeriesOf,
  parseDialledNumber,
} from '../../../../control-plane/sandbox/carrier/indian-numbers.ts';

describe('sandbox/carrier/indian-numbers', () => {
  it('knows the four forms of any number, and gives E.164', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000_000_000, max: 9_999_999_999 }), (national) => {
        const e164 = `+91${national}`;
        expect(parseDialledNumber(e164)).to.deep.equal({ e164, form: 'e164_plus' });
        expect(parseDialledNumber(`91${national}`)).to.deep.equal({ e164, form: 'e164' });
        expect(parseDialledNumber(`0${national}`)).to.deep.equal({ e164, form: 'national_0' });
        expect(parseDialledNumber(`${national}`)).to.deep.equal({ e164, form: 'national10' });
      }),
    );
  });

  it('takes ten digits that begin with 91 for a mobile, not for a short number with its country', () => {
    expect(parseDialledNumber('9112345678')).to.deep.equal({ e164: '+919112345678', form: 'national10' });
  });

  it('refuses what is no Indian subscriber number', () => {
    for (const dialled of [
      '',
      '112',
      '0',
      '+9198123450',
      '+9198123450001',
      '00919812345000',
      '+14155550100',
      'sos',
    ])
      expect(parseDialledNumber(dialled), dialled).to.equal(undefined);
  });

  it('tells the operators apart by series, and mobiles from landlines (TEL-1)', () => {
    expect(operatorSeriesOf('+917012345678')).to.equal('jio');
    expect(operatorSeriesOf('+919812345678')).to.equal('airtel');
    expect(operatorSeriesOf('+919912345678')).to.equal('vi');
    expect(operatorSeriesOf('+919412345678')).to.equal('bsnl');
    expect(operatorSeriesOf('+918012345678')).to.equal('mobile');
    expect(operatorSeriesOf('+911123456789')).to.equal('landline');
  });
});
