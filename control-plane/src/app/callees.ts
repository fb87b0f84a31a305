/** Whose number is dialled for a party of a session. Kept in memory once known, so that no database stands between her and the call. */
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { Party } from '../domain/session/leg.ts';
import type { Directory } from '../ports/directory.ts';

const MAX_KEPT = 10_000;

export class Callees {
  readonly #directory: Directory;
  readonly #kept = new Map<string, PhoneNumber>();

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** The present number, or the last one known when the directory does not answer; `null`: there is none. */
  async numberOf(party: Party): Promise<PhoneNumber | null> {
    const key = party.role === 'citizen' ? `citizen ${party.citizenId}` : `operator ${party.operatorId}`;
    try {
      const number = await this.#lookUp(party);
      if (number) this.remember(key, number);
      return number;
    } catch (error) {
      const kept = this.#kept.get(key);
      if (kept) return kept;
      throw error;
    }
  }

  remember(key: string, number: PhoneNumber): void {
    this.#kept.delete(key);
    this.#kept.set(key, number);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MAX_KEPT && !oldest.done) this.#kept.delete(oldest.value);
  }

  async #lookUp(party: Party): Promise<PhoneNumber | null> {
    if (party.role === 'citizen') {
      const citizen = await this.#directory.citizen(party.citizenId);
      return citizen?.phoneVerified ? citizen.phone : null;
    }
    return (await this.#directory.operator(party.operatorId))?.dutyPhone ?? null;
  }
}
