/** What whoever is on call reads of a trunk that is down. Who speaks against it is found again in the words. */
import type { TrunkGround } from './trunk-evidence.ts';
import type { TrunkFailure } from './trunk-health.ts';

const AGAINST: Readonly<Record<TrunkGround, string>> = {
  options: 'it does not answer OPTIONS',
  registration: 'our registration is refused or not answered',
  calls: 'it did not take the last calls',
};
const GROUNDS = Object.keys(AGAINST) as readonly TrunkGround[];

export function downSentence(
  trunk: string,
  against: readonly TrunkGround[],
  lastFailure: TrunkFailure | null,
): string {
  const why = against.map((one) => AGAINST[one]).join(' and ');
  const last =
    against.includes('calls') && lastFailure ? ` The last one: ${failureInWords(lastFailure)}.` : '';
  return `Trunk ${trunk} is down: ${why}.${last}`;
}

/** Of a sentence of `downSentence`; empty: another version's words. */
export function groundsIn(sentence: string): readonly TrunkGround[] {
  return GROUNDS.filter((ground) => sentence.includes(AGAINST[ground]));
}

export function failureInWords({ outcome, sipStatus, silent }: TrunkFailure): string {
  if (silent) return 'no response at all';
  return sipStatus === null ? outcome : `${outcome} (SIP ${sipStatus})`;
}
