/** What the numbering plans of the world say. */
import type { NumberFacts } from '../domain/numbering/number-policy.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';

export interface NumberingPlans {
  factsOf(number: PhoneNumber): NumberFacts;
}
