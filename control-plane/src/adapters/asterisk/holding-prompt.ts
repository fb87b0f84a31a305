/**
 * "Please hold" to a leg whose other party does not answer yet: a music-on-hold class of musiconhold.conf, which
 * Asterisk repeats by itself. Not a playback: a channel that plays one takes no other order until it ends, and
 * Asterisk would hold back the answers to all requests behind it.
 */
import type { LegId } from '../../domain/ids.ts';
import type { PbxResult } from '../../ports/pbx-driver.ts';
import { ari } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import { withoutValue } from './ari-result.ts';
import type { LegRecord } from './leg-record.ts';

export class HoldingPrompt {
  readonly #client: AriClient;
  readonly #mohClass: string;
  readonly #playing = new Set<LegId>();

  constructor(client: AriClient, mohClass: string) {
    this.#client = client;
    this.#mohClass = mohClass;
  }

  async start(leg: LegRecord): Promise<PbxResult> {
    if (this.#playing.has(leg.legId) || leg.bridgeId !== null) return { ok: true, value: undefined };
    const order = { channelId: leg.legId, mohClass: this.#mohClass };
    const result = await this.#client.request(ari.channels.startMoh, order);
    if (result.ok) this.#playing.add(leg.legId);
    return withoutValue(result);
  }

  /** Also where it is not known whether one plays: of a leg that was adopted, nobody remembers. */
  async stop(leg: LegRecord): Promise<PbxResult> {
    const known = this.#playing.delete(leg.legId);
    if (!known && leg.voice !== null) return { ok: true, value: undefined };
    return withoutValue(await this.#client.request(ari.channels.stopMoh, { channelId: leg.legId }));
  }

  forget(legId: LegId): void {
    this.#playing.delete(legId);
  }

  /** The engine was lost; what plays there now is not known. */
  clear(): void {
    this.#playing.clear();
  }
}
