/**
 * Indian numbers in the four forms in which trunks carry them, and the simulator's idea of who serves them.
 *
 * The operator by series is a convention of this simulator. In reality numbers are ported, the series tells
 * only whom it was first given to, and nothing may be decided by it.
 */
export type NumberForm = 'e164_plus' | 'e164' | 'national_0' | 'national10';

export interface DialledNumber {
  /** "+91" and ten digits. */
  readonly e164: string;
  readonly form: NumberForm;
}

/** `mobile`: a mobile series of none of the four. */
export type OperatorSeries = 'jio' | 'airtel' | 'vi' | 'bsnl' | 'mobile' | 'landline';

const FORMS: readonly { form: NumberForm; pattern: RegExp }[] = [
  { form: 'e164_plus', pattern: /^\+91([1-9]\d{9})$/ },
  { form: 'e164', pattern: /^91([1-9]\d{9})$/ },
  { form: 'national_0', pattern: /^0([1-9]\d{9})$/ },
  { form: 'national10', pattern: /^([1-9]\d{9})$/ },
];

/** The first two digits of the ten that mark an operator's numbers in the simulator. */
export const OPERATOR_SERIES: Readonly<Record<'jio' | 'airtel' | 'vi' | 'bsnl', string>> = {
  jio: '70',
  airtel: '98',
  vi: '99',
  bsnl: '94',
};

/** Undefined for what is no Indian subscriber number: the carrier answers 404 then. */
export function parseDialledNumber(dialled: string): DialledNumber | undefined {
  for (const { form, pattern } of FORMS) {
    const national = pattern.exec(dialled)?.[1];
    if (national !== undefined) return { e164: `+91${national}`, form };
  }
  return undefined;
}

/** Of an E.164 number as `parseDialledNumber` gives it. Mobiles begin with 6 to 9. */
export function operatorSeriesOf(e164: string): OperatorSeries {
  const national = e164.slice('+91'.length);
  for (const operator of ['jio', 'airtel', 'vi', 'bsnl'] as const) {
    if (national.startsWith(OPERATOR_SERIES[operator])) return operator;
  }
  return /^[6-9]/.test(national) ? 'mobile' : 'landline';
}
