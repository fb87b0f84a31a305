/** How one and the same number is written on different trunks. Carriers disagree; E.164 with plus is our own form. */
import { PhoneNumber } from './phone-number.ts';

/**
 * `e164_plus` +919876543210 · `e164` 919876543210 · `national_0` 09876543210 (fixed lines dial mobiles with a
 * leading 0) · `national10` 9876543210. The national forms exist for Indian numbers only.
 */
export type NumberFormat = 'e164_plus' | 'e164' | 'national_0' | 'national10';
export const NUMBER_FORMATS: readonly NumberFormat[] = ['e164_plus', 'e164', 'national_0', 'national10'];

export type FormattedNumber =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly code: 'ERR_NUMBER_NOT_NATIONAL' };

/** India: country code 91 and ten digits, for mobiles (first digit 6–9) and fixed lines (area code + number) alike. */
const INDIAN = /^\+91([1-9]\d{9})$/;
const INDIAN_MOBILE = /^\+91[6-9]\d{9}$/;

/** The digits in clear, for the engine: keep them out of logs. */
export function formatNumber(number: PhoneNumber, format: NumberFormat): FormattedNumber {
  const e164 = number.reveal();
  if (format === 'e164_plus') return { ok: true, value: e164 };
  if (format === 'e164') return { ok: true, value: e164.slice(1) };
  const national = INDIAN.exec(e164)?.[1];
  if (national === undefined) return { ok: false, code: 'ERR_NUMBER_NOT_NATIONAL' };
  return { ok: true, value: format === 'national_0' ? `0${national}` : national };
}

/**
 * A number as a carrier writes it (any of the forms above, or 00 before the country code), or `null`.
 * Ten digits without a prefix are Indian.
 */
export function readNumber(text: string): PhoneNumber | null {
  if (text.startsWith('+')) return PhoneNumber.parse(text);
  if (!/^\d{10,17}$/.test(text)) return null;
  if (text.startsWith('00')) return PhoneNumber.parse(`+${text.slice(2)}`);
  if (text.startsWith('0')) return text.length === 11 ? indian(text.slice(1)) : null;
  if (text.length === 10) return indian(text);
  return PhoneNumber.parse(`+${text}`);
}

export function isIndianMobile(number: PhoneNumber): boolean {
  return INDIAN_MOBILE.test(number.reveal());
}

function indian(national: string): PhoneNumber | null {
  const e164 = `+91${national}`;
  return INDIAN.test(e164) ? PhoneNumber.parse(e164) : null;
}
