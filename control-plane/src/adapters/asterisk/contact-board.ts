/** Who can be reached: clients by their SIP contacts, trunks by their answers to OPTIONS. */
import { parseAor, type AddressOfRecord, type Instant } from '../../domain/ids.ts';
import type { PbxEvent } from '../../ports/pbx-driver.ts';
import type { TrunkLookup } from '../../ports/trunks.ts';
import type { AriEvent, Endpoint } from './ari.gen.ts';

export class ContactBoard {
  readonly #trunks: Pick<TrunkLookup, 'has'>;
  readonly #emit: (event: PbxEvent) => void;
  /** Contact URIs by address of record; one that is online by a snapshot has an empty set. */
  readonly #online = new Map<AddressOfRecord, Set<string>>();
  /** Also of trunks that the engine has and the files do not name, or not yet. */
  readonly #trunkUp = new Map<string, boolean>();

  constructor(trunks: Pick<TrunkLookup, 'has'>, emit: (event: PbxEvent) => void) {
    this.#trunks = trunks;
    this.#emit = emit;
  }

  get contacts(): AddressOfRecord[] {
    return [...this.#online.keys()];
  }

  /** What the engine says after (re)attaching stands in place of all that was known. */
  reset(endpoints: readonly Endpoint[]): void {
    this.#online.clear();
    this.#trunkUp.clear();
    for (const endpoint of endpoints) {
      if (!this.#isClient(endpoint.resource)) this.#trunkUp.set(endpoint.resource, isUp(endpoint));
      else if (endpoint.state === 'online') this.#online.set(endpoint.resource as AddressOfRecord, new Set());
    }
  }

  /** Whether the engine had such an endpoint of a trunk when it was asked last. */
  knows(endpoint: string): boolean {
    return this.#trunkUp.has(endpoint);
  }

  /** The state of every trunk, to be told after a reset and when the files were read anew. */
  tellTrunks(at: Instant): void {
    for (const trunk of this.#trunkUp.keys()) this.#tellTrunk(trunk, at);
  }

  apply(event: AriEvent, at: Instant): void {
    switch (event.type) {
      case 'ContactStatusChange':
        this.#changed(event.endpoint, at);
        this.#contact(event.endpoint, event.contact_info.uri, event.contact_info.contact_status, at);
        break;
      case 'PeerStatusChange':
      case 'EndpointStateChange':
        this.#changed(event.endpoint, at);
        break;
      default:
        break;
    }
  }

  /** The endpoint was taken away: Asterisk says nothing of that. */
  removed(aor: AddressOfRecord, at: Instant): void {
    if (this.#online.delete(aor)) this.#emit({ type: 'contact.offline', aor, at });
  }

  #changed(endpoint: Endpoint, at: Instant): void {
    const trunk = endpoint.resource;
    if (this.#isClient(trunk)) {
      if (endpoint.state === 'offline') this.removed(trunk as AddressOfRecord, at);
      return;
    }
    const up = isUp(endpoint);
    if (this.#trunkUp.get(trunk) === up) return;
    this.#trunkUp.set(trunk, up);
    this.#tellTrunk(trunk, at);
  }

  #tellTrunk(trunk: string, at: Instant): void {
    const type = this.#trunkUp.get(trunk) === false ? 'trunk.down' : 'trunk.up';
    if (this.#trunks.has(trunk)) this.#emit({ type, trunk, at });
  }

  #isClient(resource: string): boolean {
    return !this.#trunks.has(resource) && parseAor(resource) !== null;
  }

  /** A new contact is news also where an older one is still there: the client has connected anew. */
  #contact(endpoint: Endpoint, uri: string, status: string, at: Instant): void {
    if (!this.#isClient(endpoint.resource)) return;
    const aor = endpoint.resource as AddressOfRecord;
    const uris = this.#online.get(aor);
    if (status === 'Removed' || status === 'Unreachable') {
      uris?.delete(uri);
    } else if (endpoint.state !== 'offline' && uris?.has(uri) !== true) {
      this.#online.set(aor, new Set([...(uris ?? []), uri]));
      this.#emit({ type: 'contact.online', aor, at });
    }
  }
}

/** A trunk that is not asked by OPTIONS has no state: it counts as up, its calls say the rest. */
function isUp({ state }: Endpoint): boolean {
  return state !== 'offline';
}
