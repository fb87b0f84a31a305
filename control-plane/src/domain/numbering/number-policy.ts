/** Whom the backend may have called. Emergency numbers never; nothing that costs extra; abroad only where a deployment says so. */
import { PhoneNumber } from './phone-number.ts';

export type NumberKind =
  | 'mobile'
  | 'fixed-line'
  /** Where one plan holds both. */
  | 'fixed-line-or-mobile'
  | 'toll-free'
  | 'premium'
  | 'shared-cost'
  | 'universal-access'
  | 'other';

/** What numbering plans say of a number. */
export interface NumberFacts {
  /** ISO 3166-1; null: of no country. */
  readonly country: string | null;
  readonly length: 'right' | 'too-short' | 'too-long';
  /** Of a range that was given out; null: it is not. */
  readonly kind: NumberKind | null;
}

/** Why a number is not called. */
export type NumberRefusal =
  | 'not-e164'
  | 'too-short'
  | 'too-long'
  | 'unknown-range'
  | 'emergency'
  | 'short-code'
  | 'service-series'
  | 'toll-free'
  | 'premium'
  | 'shared-cost'
  | 'universal-access'
  | 'other-kind'
  | 'country';

export interface NumberPolicy {
  /** ISO 3166-1. */
  readonly countries: readonly string[];
  /** Called whatever their range and country; never an emergency number. */
  readonly numbers: readonly PhoneNumber[];
}

export type JudgedNumber =
  | { readonly ok: true; readonly number: PhoneNumber }
  | { readonly ok: false; readonly refusal: NumberRefusal };

/**
 * India's emergency and distress lines. A call from a trunk would reach the trunk's own district, not the caller's, and a
 * machine must not ring there.
 */
const EMERGENCY: ReadonlySet<string> = new Set([
  ...['100', '101', '102', '103', '104', '108', '112', '181', '182', '1033', '1066', '1070', '1073', '1077'],
  ...['1078', '1090', '1091', '1092', '1093', '1094', '1095', '1096', '1097', '1098', '1099', '1906', '1930'],
]);
const LONGEST_SHORT_CODE = 6;
const INDIAN_DIGITS = 10;
/** Telemarketers' (140) and service (160) numbers: they call, and nobody is to be reached at them. */
const SERVICE_SERIES = /^1[46]0/;

/** The text of a request, as a number that may be called. */
export function judgeCallee(
  text: string,
  policy: NumberPolicy,
  factsOf: (number: PhoneNumber) => NumberFacts,
): JudgedNumber {
  const code = codeRefusal(text);
  if (code !== null) return refused(code);
  const number = PhoneNumber.parse(text);
  if (number === null) return refused(malformed(text));
  if (policy.numbers.some((allowed) => allowed.equals(number))) return { ok: true, number };
  const refusal = refusalOf(number, factsOf(number), policy.countries);
  return refusal === null ? { ok: true, number } : refused(refusal);
}

/**
 * Whether a number may stand for a citizen's or an operator's telephone. Only what can be nobody's telephone is refused: a
 * number of an unknown range or from abroad may be hers, and an SOS is refused nothing.
 */
export function judgeRegistered(
  number: PhoneNumber,
  factsOf: (number: PhoneNumber) => NumberFacts,
): NumberRefusal | null {
  const text = number.reveal();
  const code = codeRefusal(text);
  if (code !== null) return code;
  const { kind } = factsOf(number);
  switch (kind) {
    case 'toll-free':
    case 'premium':
    case 'shared-cost':
    case 'universal-access':
      return kind;
    case 'mobile':
    case 'fixed-line':
    case 'fixed-line-or-mobile':
    case 'other':
    case null:
      return isServiceSeries(text) ? 'service-series' : null;
  }
}

function refusalOf(
  number: PhoneNumber,
  { country, length, kind }: NumberFacts,
  countries: readonly string[],
): NumberRefusal | null {
  const text = number.reveal();
  if (isServiceSeries(text)) return 'service-series';
  switch (kind) {
    case null:
      return unknownRange(text, length);
    case 'toll-free':
    case 'premium':
    case 'shared-cost':
    case 'universal-access':
      return kind;
    case 'other':
      return 'other-kind';
    case 'mobile':
    case 'fixed-line':
    case 'fixed-line-or-mobile':
      return country !== null && countries.includes(country) ? null : 'country';
  }
}

function unknownRange(text: string, length: NumberFacts['length']): NumberRefusal {
  const national = indianDigits(text);
  if (national !== null && national.length !== INDIAN_DIGITS)
    return national.length < INDIAN_DIGITS ? 'too-short' : 'too-long';
  return length === 'right' ? 'unknown-range' : length;
}

function codeRefusal(text: string): NumberRefusal | null {
  const short = shortCodeOf(text);
  if (isEmergencyOfAnArea(text) || (short !== null && EMERGENCY.has(short))) return 'emergency';
  return short === null ? null : 'short-code';
}

/** What is left of `112`, `+112`, `0112`, `91112`, `+91112` and `+910112` once nothing but the code is: `112`. */
function shortCodeOf(text: string): string | null {
  const code = /^\+?(?:91)?0{0,2}([1-9]\d{1,5})$/.exec(text)?.[1];
  return code !== undefined && code.length <= LONGEST_SHORT_CODE ? code : null;
}

/** An emergency number behind an area code: +91 11 100 is the police of Delhi. */
function isEmergencyOfAnArea(text: string): boolean {
  const national = indianDigits(text)?.replace(/^0+/, '') ?? '';
  if (national.length >= INDIAN_DIGITS) return false;
  return [2, 3, 4].some((area) => EMERGENCY.has(national.slice(area)));
}

function isServiceSeries(text: string): boolean {
  const national = indianDigits(text);
  return national?.length === INDIAN_DIGITS && SERVICE_SERIES.test(national);
}

function indianDigits(text: string): string | null {
  return /^\+91(\d+)$/.exec(text)?.[1] ?? null;
}

function malformed(text: string): NumberRefusal {
  if (!/^\+[1-9]\d*$/.test(text)) return 'not-e164';
  return text.length > 16 ? 'too-long' : 'too-short';
}

function refused(refusal: NumberRefusal): JudgedNumber {
  return { ok: false, refusal };
}
