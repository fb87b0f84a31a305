/** Clients' endpoints, put into Asterisk's memory by its dynamic configuration; a restart of it loses them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AddressOfRecord } from '../../domain/ids.ts';
import type { PbxResult } from '../../ports/pbx-driver.ts';
import { ari, type ConfigTuple } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import type { AriResult } from './ari-result.ts';

/** The fields of one client's objects, which all bear the address of record as their id. */
export interface EndpointFields {
  readonly aor: readonly ConfigTuple[];
  readonly endpoint: readonly ConfigTuple[];
}

const CONFIG_CLASS = 'res_pjsip';
/** Requests on their way at once while all endpoints are put again. */
const RESTORE_BATCH = 50;
/** A channel that was hung up is gone in milliseconds; a device that comes back waits behind this. */
const FREE_WITHIN_MS = 1_000;
const LOOK_AGAIN_MS = 20;

export class EndpointProvisioner {
  readonly #client: AriClient;
  readonly #fieldsOf: (aor: AddressOfRecord) => EndpointFields;
  readonly #wanted = new Set<AddressOfRecord>();
  /** The end of the last order per address: provision and remove never overtake each other. */
  readonly #orders = new Map<AddressOfRecord, Promise<unknown>>();

  constructor(client: AriClient, fieldsOf: (aor: AddressOfRecord) => EndpointFields) {
    this.#client = client;
    this.#fieldsOf = fieldsOf;
  }

  /**
   * Repeatable. An endpoint that stands is never put over itself: Asterisk 22 would then copy the old one's access list
   * by a name that does not exist, and refuse everybody. One that an earlier process left is replaced, unless somebody
   * is registered there (to replace it would lose the contact, and nobody would be found until it registers again), or
   * a channel of it stands.
   */
  provision(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#inOrder(aor, async () => {
      if (this.#wanted.has(aor)) return { ok: true, value: undefined };
      const result = await this.#provide(aor);
      if (result.ok) this.#wanted.add(aor);
      return result;
    });
  }

  /** Once no channel of it stands, as far as that can be waited for. */
  remove(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#inOrder(aor, async () => {
      this.#wanted.delete(aor);
      await this.#untilFree(aor);
      return this.#delete(aor);
    });
  }

  /** Endpoints of an earlier process that are in use: they stay as they are. */
  adopt(inUse: readonly AddressOfRecord[]): void {
    for (const aor of inUse) this.#wanted.add(aor);
  }

  /** Puts again what the engine has lost. `present`: the endpoints it has. */
  async restore(present: ReadonlySet<string>): Promise<PbxResult> {
    const missing = [...this.#wanted].filter((aor) => !present.has(aor));
    for (let from = 0; from < missing.length; from += RESTORE_BATCH) {
      const results = await Promise.all(
        missing.slice(from, from + RESTORE_BATCH).map((aor) => this.#put(aor)),
      );
      const result = firstFailure(results);
      if (!result.ok) return result;
    }
    return { ok: true, value: undefined };
  }

  /** Mostly there is none, and one question is all that stands before it. */
  async #provide(aor: AddressOfRecord): Promise<PbxResult> {
    const object = { configClass: CONFIG_CLASS, objectType: 'endpoint', id: aor };
    const found = await this.#client.request(ari.asterisk.getObject, object);
    if (!found.ok) return found.code === 'ERR_PBX_NOT_FOUND' ? this.#put(aor) : firstFailure([found]);
    if ((await this.#channelsOf(aor)) > 0) return { ok: true, value: undefined };
    const gone = await this.#delete(aor);
    return gone.ok ? this.#put(aor) : gone;
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
    const fields = this.#fieldsOf(aor);
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
  return { ok: true, value: undefined };
}
