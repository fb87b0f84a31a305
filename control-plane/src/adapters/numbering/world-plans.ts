/** The numbering plans as libphonenumber-js holds them, with all that it knows of kinds of numbers. */
import {
  parsePhoneNumberFromString,
  validatePhoneNumberLength,
  type PhoneNumberType,
} from 'libphonenumber-js/max';
import type { NumberFacts, NumberKind } from '../../domain/numbering/number-policy.ts';
import type { NumberingPlans } from '../../ports/numbering-plans.ts';

const KINDS: Readonly<Record<PhoneNumberType, NumberKind>> = {
  MOBILE: 'mobile',
  FIXED_LINE: 'fixed-line',
  FIXED_LINE_OR_MOBILE: 'fixed-line-or-mobile',
  TOLL_FREE: 'toll-free',
  PREMIUM_RATE: 'premium',
  SHARED_COST: 'shared-cost',
  UAN: 'universal-access',
  VOIP: 'other',
  PERSONAL_NUMBER: 'other',
  PAGER: 'other',
  VOICEMAIL: 'other',
};

const NOBODYS: NumberFacts = { country: null, length: 'right', kind: null };

export const worldPlans: NumberingPlans = {
  factsOf: (number) => {
    const e164 = number.reveal();
    const parsed = parsePhoneNumberFromString(e164);
    // The parser knows national forms too: what it reads as another number is not what would be dialled.
    if (parsed?.number !== e164) return NOBODYS;
    const type = parsed.isValid() ? parsed.getType() : undefined;
    return {
      country: parsed.country ?? null,
      length: lengthOf(validatePhoneNumberLength(e164)),
      kind: type === undefined ? null : KINDS[type],
    };
  },
};

function lengthOf(fault: ReturnType<typeof validatePhoneNumberLength>): NumberFacts['length'] {
  if (fault === 'TOO_SHORT') return 'too-short';
  return fault === 'TOO_LONG' ? 'too-long' : 'right';
}
