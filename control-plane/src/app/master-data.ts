/** Zones and citizens as the path from SOS to sound needs them: from memory where it can, never waiting for long. */
import type { CitizenId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Citizen, Directory, Zone } from '../ports/directory.ts';
import type { Log } from '../ports/log.ts';

const ZONES_FRESH_MS = 2000;
const CITIZEN_FRESH_MS = 10_000;
const MAX_CITIZENS = 10_000;

export class MasterData {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #log: Log;
  #zones: readonly Zone[] = [];
  #zonesReadAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;
  /** Oldest first; also what serves when the directory is away. */
  readonly #citizens = new Map<CitizenId, { readonly citizen: Citizen; readonly readAt: number }>();

  constructor(directory: Directory, clock: Clock, log: Log) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#read();
  }

  /** The zones as of at most a moment ago; a stale copy is served while it is being renewed. */
  zones(): readonly Zone[] {
    if (this.#clock.now() - this.#zonesReadAt > ZONES_FRESH_MS) void this.#refresh();
    return this.#zones;
  }

  /** The directory as the API changes it: zones that were written are read anew before the answer goes out. */
  watched(): Directory {
    const directory = this.#directory;
    const reread = async <T>(result: T): Promise<T> => {
      await this.#read();
      return result;
    };
    return {
      ...directory,
      putZone: async (zone) => reread(await directory.putZone(zone)),
      deleteZone: async (id) => reread(await directory.deleteZone(id)),
      putCitizen: async (citizen) => {
        const result = await directory.putCitizen(citizen);
        this.#citizens.delete(citizen.id);
        return result;
      },
      deleteCitizen: async (id) => {
        const result = await directory.deleteCitizen(id);
        this.#citizens.delete(id);
        return result;
      },
    };
  }

  /**
   * Her profile as of at most a few seconds ago (arming has just read it); `null` when she is unknown or the directory
   * does not answer: she is served all the same.
   */
  async citizen(id: CitizenId): Promise<Citizen | null> {
    const kept = this.#citizens.get(id);
    if (kept && this.#clock.now() - kept.readAt <= CITIZEN_FRESH_MS) return kept.citizen;
    try {
      const citizen = await this.#directory.citizen(id);
      if (citizen) this.#keep(id, citizen);
      return citizen;
    } catch (error) {
      this.#log.error('A citizen could not be looked up.', { error: String(error) });
      return kept?.citizen ?? null;
    }
  }

  #keep(id: CitizenId, citizen: Citizen): void {
    this.#citizens.delete(id);
    this.#citizens.set(id, { citizen, readAt: this.#clock.now() });
    const oldest = this.#citizens.keys().next();
    if (this.#citizens.size > MAX_CITIZENS && !oldest.done) this.#citizens.delete(oldest.value);
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
