/**
 * The engine with its trunks: what a leg to a telephone is dialled by. A leg may take several tries, each on one trunk
 * and a fresh channel, one after the other or (for an SOS) side by side; the leg rings, is answered and ends once.
 */
import type { LegId } from '../domain/ids.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { CallPurpose } from './trunk-health.ts';
import type { PbxDriver, PbxResult } from './pbx-driver.ts';

export interface LineDial {
  readonly legId: LegId;
  /** The session or the call that it belongs to. */
  readonly ownerId: string;
  readonly number: PhoneNumber;
  /** From the order to the answer, all tries together. */
  readonly ringTimeoutMs: number;
  readonly purpose: CallPurpose;
  /** One of the trunk's own numbers; null: its default. A trunk that does not own it is passed over. */
  readonly callerId: PhoneNumber | null;
  /** Tries that the leg has behind it: the next one gets the next number, for none is used twice. */
  readonly triesBefore: number;
  /** This trunk alone (synthetic calls); null: all of them in their order. */
  readonly trunk: string | null;
  /** As PhoneDial's, for each try. */
  readonly longestMs?: number;
}

export interface Telephony extends Omit<PbxDriver, 'dialPhone'> {
  /**
   * Repeatable while the leg lives. ERR_PBX_OVERLOAD: no trunk has a channel or a call per second free for this purpose
   * (never for an SOS). A failure here is definitive; else `leg.*` events follow.
   */
  dialPhone(dial: LineDial): Promise<PbxResult>;
}
