/** Zones, people and their numbers as the path from SOS to sound needs them: from memory where it can, never waiting for long. */
import type { CitizenId, Instant, OperatorId } from '../domain/ids.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { Party } from '../domain/session/leg.ts';
import type { Clock } from '../ports/clock.ts';
import type { Citizen, Directory, Operator, Zone } from '../ports/directory.ts';
import type { Log } from '../ports/log.ts';
import { within } from './outage/within.ts';
import { Recent } from './recent.ts';

const ZONES_FRESH_MS = 2000;
const PERSON_FRESH_MS = 10_000;
const MAX_PEOPLE = 10_000;
/** How long a number is asked for: a phone rings this much later at the most. */
const NUMBER_MS = 3000;
const READ_AGAIN_MS = 200;
const UNHURRIED_MS = 1000;

export class MasterData {
  readonly #directory: Directory;
  readonly #source: Pick<Directory, 'citizen'>;
  readonly #clock: Clock;
  readonly #log: Log;
  #zones: readonly Zone[] = [];
  #zonesReadAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;
  readonly #citizens: Recent<CitizenId, Citizen>;
  readonly #operators: Recent<OperatorId, Operator>;
  /** Citizens who could not be read in their session: whether they wish for silence was not known then. Oldest first. */
  readonly #takenUnread = new Set<CitizenId>();

  /** `directory` never holds anybody up; `source` is what stands behind it, however long it takes. */
  constructor(directory: Directory, clock: Clock, log: Log, source: Pick<Directory, 'citizen'> = directory) {
    this.#directory = directory;
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
    this.#citizens = new Recent(clock, PERSON_FRESH_MS, MAX_PEOPLE);
    this.#operators = new Recent(clock, PERSON_FRESH_MS, MAX_PEOPLE);
  }

  async start(): Promise<void> {
    await this.#read();
  }

  /** The zones as of at most a moment ago; a stale copy is served while it is being renewed. */
  zones(): readonly Zone[] {
    if (this.#clock.now() - this.#zonesReadAt > ZONES_FRESH_MS) void this.#refresh();
    return this.#zones;
  }

  /**
   * The directory as the API changes it: zones that were written are read anew before the answer goes out, and
   * `dutyChanged` is told of everything by which somebody may have come free.
   */
  watched(dutyChanged: () => void = () => undefined): Directory {
    const directory = this.#directory;
    const reread = async <T>(result: T): Promise<T> => {
      await this.#read();
      return result;
    };
    const forgetting = async <T>(forget: () => void, change: Promise<T>): Promise<T> => {
      const result = await change;
      forget();
      return result;
    };
    return {
      ...directory,
      putZone: async (zone) => reread(await directory.putZone(zone)),
      deleteZone: async (id) => reread(await directory.deleteZone(id)),
      putCitizen: async (citizen) =>
        forgetting(() => this.#citizens.forget(citizen.id), directory.putCitizen(citizen)),
      deleteCitizen: async (id) => forgetting(() => this.#citizens.forget(id), directory.deleteCitizen(id)),
      putOperator: async (operator) => {
        const forget = (): void => this.#operators.forget(operator.id);
        const result = await forgetting(forget, directory.putOperator(operator));
        dutyChanged();
        return result;
      },
      putRoster: async (...roster) => {
        const result = await directory.putRoster(...roster);
        dutyChanged();
        return result;
      },
      deleteOperator: async (id) =>
        forgetting(() => this.#operators.forget(id), directory.deleteOperator(id)),
    };
  }

  /**
   * Her profile as of at most a few seconds ago (arming has just read it); `null` when she is unknown or the directory
   * does not answer: she is served all the same.
   */
  async citizen(id: CitizenId): Promise<Citizen | null> {
    const found = await this.citizenIfRead(id);
    return found === 'unread' ? null : found;
  }

  /** The same; `unread`: the directory does not answer, which says nothing about her. */
  async citizenIfRead(id: CitizenId): Promise<Citizen | null | 'unread'> {
    try {
      return await this.#citizens.get(id, () => this.#directory.citizen(id));
    } catch (error) {
      this.#log.error('A citizen could not be looked up.', { error: String(error) });
      this.#takenUnread.add(id);
      for (const oldest of this.#takenUnread)
        if (this.#takenUnread.size > MAX_PEOPLE) this.#takenUnread.delete(oldest);
        else break;
      return 'unread';
    }
  }

  /** Her session is over: what was not known of her in it does not count in the next one. */
  sessionOver(id: CitizenId): void {
    this.#takenUnread.delete(id);
  }

  /** Whether an operator is still one: a lost laptop is shut out by the directory, before its token expires. */
  async isActive(id: OperatorId): Promise<boolean> {
    const operator = await this.#operators.get(id, () => this.#directory.operator(id));
    return operator?.active === true;
  }

  /**
   * Whose number is dialled for a party; `null`: there is none, or none that may be called. Hers was read at the
   * activation, so that no database stands between the watchdog and the call.
   */
  async numberOf(party: Party): Promise<PhoneNumber | null> {
    if (party.role === 'citizen') {
      return this.#numberOfCitizen(party.citizenId);
    }
    const { operatorId } = party;
    const operator = await this.#patiently(async () => {
      try {
        return await this.#operators.get(operatorId, () => this.#directory.operator(operatorId));
      } catch (error) {
        this.#log.error('A duty phone could not be looked up.', { error: String(error) });
        return 'unread';
      }
    });
    return operator === 'unread' ? null : (operator?.dutyPhone ?? null);
  }

  /** Of a session that began while she could not be read, her wish for silence is asked for here. */
  async #numberOfCitizen(id: CitizenId): Promise<PhoneNumber | null> {
    const citizen = await this.#patiently(async () => {
      const found = await this.citizenIfRead(id);
      return found === 'unread' ? this.#unhurriedly(id) : found;
    });
    if (citizen === 'unread' || citizen?.phoneVerified !== true) return null;
    return this.#takenUnread.has(id) && citizen.silent ? null : citizen.phone;
  }

  /** A database that is too slow to decide on, or was a moment ago, may still know her number in time for the call. */
  async #unhurriedly(id: CitizenId): Promise<Citizen | null | 'unread'> {
    const reading = this.#citizens.get(id, () => this.#source.citizen(id));
    return within<Citizen | null, 'unread'>(this.#clock, UNHURRIED_MS, reading, 'unread').catch(
      () => 'unread' as const,
    );
  }

  /** A number is worth waiting for, where the directory only stumbled. */
  async #patiently<T>(read: () => Promise<T | 'unread'>): Promise<T | 'unread'> {
    const giveUpAt = this.#clock.now() + NUMBER_MS;
    for (;;) {
      const found = await read();
      if (found !== 'unread' || this.#clock.now() >= giveUpAt) return found;
      await new Promise<void>((resolve) => {
        this.#clock.at((this.#clock.now() + READ_AGAIN_MS) as Instant, resolve);
      });
    }
  }

  async #refresh(): Promise<void> {
    this.#reading ??= this.#read()
      .catch((error: unknown) => {
        this.#log.error('The zones could not be read; the last copy serves.', { error: String(error) });
      })
      .finally(() => {
        this.#reading = null;
      });
    await this.#reading;
  }

  async #read(): Promise<void> {
    this.#zones = await this.#directory.zones();
    this.#zonesReadAt = this.#clock.now();
  }
}
