/** Whose number a trunk may show. */
import { PhoneNumber } from '../numbering/phone-number.ts';
import type { Trunk } from './trunk.ts';

/** One of its own, and it may be asked for. */
export function ownsCallerId({ callerId }: Trunk, wanted: PhoneNumber): boolean {
  const standard = callerId.default === null ? null : PhoneNumber.parse(callerId.default);
  if (standard?.equals(wanted)) return true;
  return callerId.policy === 'any-owned' && callerId.owned.includes(wanted.reveal());
}
