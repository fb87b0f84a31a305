/** What is told of a number that is not called. The number itself is never repeated. */
import type { NumberRefusal } from './number-policy.ts';

export const REFUSAL_WORDS: Readonly<Record<NumberRefusal, string>> = {
  'not-e164': 'not E.164: a plus sign, the country code and the number, digits alone, such as +919810012345',
  'too-short': 'too short for a number of its country',
  'too-long': 'too long for a number of its country',
  'unknown-range': 'of a range that no numbering plan knows',
  emergency: 'an emergency number, which is never called',
  'short-code': 'a short code, not a telephone',
  'service-series': 'of a series from which services and telemarketers call; nobody is reached there',
  'toll-free': 'a toll-free number, not a telephone',
  premium: 'a premium-rate number',
  'shared-cost': 'a shared-cost number',
  'universal-access': 'a universal access number, not a telephone',
  'other-kind': 'neither a mobile nor a landline',
  country: 'of a country that is not allowed here',
};
