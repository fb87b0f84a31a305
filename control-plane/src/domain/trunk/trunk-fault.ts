/** Why a trunk cannot be used: its account is not complete, or its own number is none of its own (TEL-2). */
import { formatNumber } from '../numbering/number-format.ts';
import { PhoneNumber } from '../numbering/phone-number.ts';
import type { TrunkDialErrorCode } from './trunk-dial.ts';
import type { Trunk } from './trunk.ts';

export interface TrunkFault {
  readonly code: TrunkDialErrorCode;
  /** Dotted paths of the fields that are missing or contradict others. */
  readonly fields: readonly string[];
}

/** What the engine cannot do without: a trunk that lacks it is not in its configuration. Dotted paths. */
export function engineGap({ hosts, auth }: Trunk): readonly string[] {
  const missing: string[] = [];
  if (hosts.length === 0) missing.push('hosts');
  if (auth.kind !== 'ip' && auth.username === '') missing.push('auth.username');
  if (auth.kind === 'registration') {
    if (auth.registrar === '') missing.push('auth.registrar');
    if (auth.domain === '') missing.push('auth.domain');
  }
  return missing;
}

/** Null: calls can go out by the trunk. */
export function trunkFault(trunk: Trunk): TrunkFault | null {
  const { default: chosen, owned } = trunk.callerId;
  const missing = [...engineGap(trunk), ...(chosen === null ? ['callerId.default'] : [])];
  if (missing.length > 0 || chosen === null) return { code: 'ERR_TRUNK_NOT_PROVISIONED', fields: missing };
  if (!owned.includes(chosen))
    return { code: 'ERR_TRUNK_CALLER_ID_NOT_OWNED', fields: ['callerId.default', 'callerId.owned'] };
  const number = PhoneNumber.parse(chosen);
  const unfit = (['from', 'identity'] as const).filter(
    (use) => number === null || !formatNumber(number, trunk.numbers[use]).ok,
  );
  if (unfit.length === 0) return null;
  return {
    code: 'ERR_NUMBER_NOT_NATIONAL',
    fields: ['callerId.default', ...unfit.map((use) => `numbers.${use}`)],
  };
}

/** One sentence for a human, without a number. */
export function faultSentence({ code, fields }: TrunkFault): string {
  switch (code) {
    case 'ERR_TRUNK_NOT_PROVISIONED':
      return `The account is not complete: ${fields.join(', ')}.`;
    case 'ERR_TRUNK_CALLER_ID_NOT_OWNED':
      return 'callerId.default is none of callerId.owned.';
    case 'ERR_NUMBER_NOT_NATIONAL':
      return `callerId.default cannot be written as ${fields.slice(1).join(' and ')} wants it.`;
  }
}
