/** Applies the number policy to requests, and says by field what is wrong. */
import { judgeCallee, judgeRegistered } from '../../domain/numbering/number-policy.ts';
import type { NumberPolicy, NumberRefusal } from '../../domain/numbering/number-policy.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import { REFUSAL_WORDS } from '../../domain/numbering/refusal-words.ts';
import type { NumberingPlans } from '../../ports/numbering-plans.ts';

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export class NumberJudge {
  readonly #plans: NumberingPlans;
  readonly #policy: NumberPolicy;

  constructor(plans: NumberingPlans, policy: NumberPolicy) {
    this.#plans = plans;
    this.#policy = policy;
  }

  /** Every field's number, or what is wrong with each that is refused. The same number twice is refused too. */
  judge(fields: readonly (readonly [path: string, text: string])[]): {
    readonly numbers: readonly PhoneNumber[];
    readonly errors: readonly FieldError[];
  } {
    const numbers: PhoneNumber[] = [];
    const errors: FieldError[] = [];
    for (const [path, text] of fields) {
      const judged = judgeCallee(text, this.#policy, (number) => this.#plans.factsOf(number));
      if (!judged.ok) errors.push({ path, message: REFUSAL_WORDS[judged.refusal] });
      else if (numbers.some((known) => known.equals(judged.number)))
        errors.push({ path, message: 'a party that this call has already' });
      else numbers.push(judged.number);
    }
    return { numbers, errors };
  }

  registrationRefusal(number: PhoneNumber): NumberRefusal | null {
    return judgeRegistered(number, (one) => this.#plans.factsOf(one));
  }
}
