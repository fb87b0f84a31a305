/** Clients' endpoints, put into Asterisk's memory by its dynamic configuration; a restart of it loses them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AddressOfRecord, Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { PbxResult } from '../../ports/pbx-driver.ts';
import { ari, type ConfigTuple } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import type { AriResult } from './ari-result.ts';

/** The fields of one client's objects, which all bear the address of record as their id. */
export interface EndpointFields {
  readonly aor: readonly ConfigTuple[];
  readonly endpoint: readonly ConfigTuple[];
}

const DONE = { ok: true, value: undefined } as const;
const CONFIG_CLASS = 'res_pjsip';
/** Requests on their way at once while all endpoints are put again. */
const RESTORE_BATCH = 50;
/** A channel that was hung up is gone in milliseconds; a device that comes back waits behind this. */
const FREE_WITHIN_MS = 1_000;
const LOOK_AGAIN_MS = 20;
/** After a removal: whatever Asterisk still had to say of a channel has been said by then. */
const LOOK_BACK_MS = 1_000;
const LOOKS_BACK = 5;

export interface ProvisionerPorts {
  readonly client: AriClient;
  readonly fieldsOf: (aor: AddressOfRecord) => EndpointFields;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The engine had listed it, and has nothing of it: nobody can be reached there. */
  readonly wasGhost: (aor: AddressOfRecord) => void;
}

export class EndpointProvisioner {
  readonly #ports: ProvisionerPorts;
  readonly #client: AriClient;
  readonly #wanted = new Set<AddressOfRecord>();
  /** Somebody is registered there, as the engine says; an earlier process has put them. */
  readonly #found = new Set<AddressOfRecord>();
  readonly #looksBack = new Map<AddressOfRecord, () => void>();
  /** The end of the last order per address: provision and remove never overtake each other. */
  readonly #orders = new Map<AddressOfRecord, Promise<unknown>>();

  constructor(ports: ProvisionerPorts) {
    this.#ports = ports;
    this.#client = ports.client;
  }

  /**
   * Repeatable. An endpoint that stands is never put over itself: Asterisk 22 would then copy the old one's access list
   * by a name that does not exist, and refuse everybody. One that an earlier process left is replaced, unless somebody
   * is registered there (to replace it would lose the contact, and nobody would be found until it registers again), or
   * a channel of it stands.
   */
  provision(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#inOrder(aor, async () => {
      if (this.#wanted.has(aor)) return DONE;
      const result = await this.#provide(aor);
      if (result.ok) this.#stands(aor);
      return result;
    });
  }

  /** Once no channel of it stands, as far as that can be waited for. */
  remove(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#inOrder(aor, async () => {
      this.#wanted.delete(aor);
      this.#found.delete(aor);
      await this.#untilFree(aor);
      const result = await this.#delete(aor);
      this.#lookBack(aor, 1);
      return result;
    });
  }

  /** Endpoints of an earlier process that are in use: they stay as they are. Which of them are ghosts is found out behind it. */
  adopt(inUse: readonly AddressOfRecord[]): void {
    const unknown = inUse.filter((aor) => !this.#wanted.has(aor));
    for (const aor of unknown) this.#found.add(aor);
    void this.#askFor(unknown);
  }

  stop(): void {
    for (const cancel of this.#looksBack.values()) cancel();
    this.#looksBack.clear();
  }

  /** Puts again what the engine has lost. `present`: the endpoints it has. */
  async restore(present: ReadonlySet<string>): Promise<PbxResult> {
    const missing = [...this.#wanted, ...this.#found].filter((aor) => !present.has(aor));
    for (let from = 0; from < missing.length; from += RESTORE_BATCH) {
      const results = await Promise.all(
        missing.slice(from, from + RESTORE_BATCH).map((aor) => this.#put(aor)),
      );
      const result = firstFailure(results);
      if (!result.ok) return result;
    }
    return DONE;
  }

  /** Mostly there is none, and one question is all that stands before it. */
  async #provide(aor: AddressOfRecord): Promise<PbxResult> {
    const found = await this.#object(aor);
    if (!found.ok) return found.code === 'ERR_PBX_NOT_FOUND' ? this.#put(aor) : firstFailure([found]);
    if (this.#found.has(aor) || (await this.#channelsOf(aor)) > 0) return DONE;
    const gone = await this.#delete(aor);
    return gone.ok ? this.#put(aor) : gone;
  }

  #stands(aor: AddressOfRecord): void {
    this.#found.delete(aor);
    this.#wanted.add(aor);
  }

  async #askFor(aors: readonly AddressOfRecord[]): Promise<void> {
    for (let from = 0; from < aors.length; from += RESTORE_BATCH) {
      const some = aors.slice(from, from + RESTORE_BATCH);
      await Promise.all(some.map((aor) => this.#inOrder(aor, () => this.#ask(aor))));
    }
  }

  async #ask(aor: AddressOfRecord): Promise<PbxResult> {
    if (!this.#found.has(aor)) return DONE;
    const object = await this.#object(aor);
    if (object.ok) this.#stands(aor);
    else if (object.code === 'ERR_PBX_NOT_FOUND') {
      this.#found.delete(aor);
      this.#ports.wasGhost(aor);
      return this.#exorcise(aor, 1);
    }
    return DONE;
  }

  #lookBack(aor: AddressOfRecord, look: number): void {
    this.#looksBack.get(aor)?.();
    const { clock } = this.#ports;
    const cancel = clock.at((clock.now() + LOOK_BACK_MS) as Instant, () => {
      this.#looksBack.delete(aor);
      void this.#inOrder(aor, () => this.#exorcise(aor, look));
    });
    this.#looksBack.set(aor, cancel);
  }

  /**
   * Asterisk tells its own list of a channel's end a little later than others. An endpoint whose objects were deleted
   * before that comes back into the list, online for ever, with nothing behind it. Put and deleted once more, it goes.
   */
  async #exorcise(aor: AddressOfRecord, look: number): Promise<PbxResult> {
    if (this.#wanted.has(aor) || this.#found.has(aor)) return DONE;
    const [listed, object] = await Promise.all([
      this.#client.request(ari.endpoints.get, { tech: 'PJSIP', resource: aor }),
      this.#object(aor),
    ]);
    if (!listed.ok || object.ok || object.code !== 'ERR_PBX_NOT_FOUND') return DONE;
    if (look < LOOKS_BACK) this.#lookBack(aor, look + 1);
    if (listed.value.channel_ids.length > 0) return DONE;
    const { log, metrics } = this.#ports;
    metrics.count('hamrahi_ari_ghost_endpoints_total');
    log.info('The engine listed an endpoint that was removed; it is removed again.', { aor });
    const put = await this.#put(aor);
    return put.ok ? this.#delete(aor) : put;
  }

  #object(aor: AddressOfRecord): Promise<AriResult<unknown>> {
    const object = { configClass: CONFIG_CLASS, objectType: 'endpoint', id: aor };
    return this.#client.request(ari.asterisk.getObject, object);
  }

  /** Asterisk 22.10 keeps for ever an endpoint whose objects are deleted while a channel of it stands. */
  async #untilFree(aor: AddressOfRecord): Promise<void> {
    const deadline = performance.now() + FREE_WITHIN_MS;
    while ((await this.#channelsOf(aor)) > 0 && performance.now() < deadline) await pause(LOOK_AGAIN_MS);
  }

  /** Where the engine cannot say, none. */
  async #channelsOf(aor: AddressOfRecord): Promise<number> {
    const found = await this.#client.request(ari.endpoints.get, { tech: 'PJSIP', resource: aor });
    return found.ok ? found.value.channel_ids.length : 0;
  }

  /** What is not there is deleted. */
  async #delete(aor: AddressOfRecord): Promise<PbxResult> {
    const object = { configClass: CONFIG_CLASS, id: aor };
    const results = await Promise.all([
      this.#client.request(ari.asterisk.deleteObject, { ...object, objectType: 'endpoint' }),
      this.#client.request(ari.asterisk.deleteObject, { ...object, objectType: 'aor' }),
    ]);
    return firstFailure(results.filter((result) => result.ok || result.code !== 'ERR_PBX_NOT_FOUND'));
  }

  /** Both at once: Asterisk takes them in order, and the endpoint refers to the aor before it. */
  async #put(aor: AddressOfRecord): Promise<PbxResult> {
    const fields = this.#ports.fieldsOf(aor);
    const object = { configClass: CONFIG_CLASS, id: aor };
    const put = (objectType: string, tuples: readonly ConfigTuple[]) =>
      this.#client.request(ari.asterisk.updateObject, {
        ...object,
        objectType,
        fields: tuples.map(({ attribute, value }) => ({ attribute, value })),
      });
    return firstFailure(await Promise.all([put('aor', fields.aor), put('endpoint', fields.endpoint)]));
  }

  #inOrder(aor: AddressOfRecord, order: () => Promise<PbxResult>): Promise<PbxResult> {
    const result = (this.#orders.get(aor) ?? Promise.resolve()).then(order);
    this.#orders.set(aor, result);
    void result.then(() => {
      if (this.#orders.get(aor) === result) this.#orders.delete(aor);
    });
    return result;
  }
}

function firstFailure(results: readonly (AriResult<unknown> | PbxResult)[]): PbxResult {
  for (const result of results) {
    if (!result.ok) return { ok: false, code: result.code, detail: result.detail };
  }
  return DONE;
}
