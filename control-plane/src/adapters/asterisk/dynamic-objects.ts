/** Objects of Asterisk's dynamic configuration, put and taken away one at a time. */
import { ari } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import type { AriFailure } from './ari-result.ts';

export type ObjectType = 'auth' | 'registration';
export type ObjectFields = Readonly<Record<string, string>>;

const CONFIG_CLASS = 'res_pjsip';

/** Whether something was changed, or why nothing could be. */
export type Change = { readonly ok: true; readonly changed: boolean } | AriFailure;

export class DynamicObjects {
  readonly #client: AriClient;

  constructor(client: AriClient) {
    this.#client = client;
  }

  /** `same`: it stands as it should; null: there is none. Values are compared here and go no further. */
  async look(
    objectType: ObjectType,
    id: string,
    fields: ObjectFields,
  ): Promise<{ readonly ok: true; readonly is: 'same' | 'other' | null } | AriFailure> {
    const found = await this.#client.request(ari.asterisk.getObject, this.#named(objectType, id));
    if (!found.ok) return found.code === 'ERR_PBX_NOT_FOUND' ? { ok: true, is: null } : found;
    const present = new Map(found.value.map(({ attribute, value }) => [attribute, value]));
    const isSame = Object.entries(fields).every(([attribute, value]) => present.get(attribute) === value);
    return { ok: true, is: isSame ? 'same' : 'other' };
  }

  /** Over what stands, if it is other. Not for registrations: they take no change (Asterisk 22). */
  async put(objectType: ObjectType, id: string, fields: ObjectFields): Promise<Change> {
    const standing = await this.look(objectType, id, fields);
    if (!standing.ok) return standing;
    if (standing.is === 'same') return { ok: true, changed: false };
    const tuples = Object.entries(fields).map(([attribute, value]) => ({ attribute, value }));
    const order = { ...this.#named(objectType, id), fields: tuples };
    const put = await this.#client.request(ari.asterisk.updateObject, order);
    return put.ok ? { ok: true, changed: true } : put;
  }

  /** What is not there is taken away. */
  async remove(objectType: ObjectType, id: string): Promise<Change> {
    const gone = await this.#client.request(ari.asterisk.deleteObject, this.#named(objectType, id));
    if (gone.ok) return { ok: true, changed: true };
    return gone.code === 'ERR_PBX_NOT_FOUND' ? { ok: true, changed: false } : gone;
  }

  #named(objectType: ObjectType, id: string) {
    return { configClass: CONFIG_CLASS, objectType, id };
  }
}
