/**
 * "Please hold" to a leg whose other party does not answer yet, "press 1" to one that has to accept: a music-on-hold class of musiconhold.conf, which
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
  /** Legs to which one plays, or may, and which. */
  readonly #playing = new Map<LegId, string>();

  constructor(client: AriClient) {
    this.#client = client;
  }

  /** A prompt takes the place of another one. */
  async start(leg: LegRecord, mohClass: string): Promise<PbxResult> {
    if (this.#playing.get(leg.legId) === mohClass || leg.bridgeId !== null)
      return { ok: true, value: undefined };
    const order = { channelId: leg.legId, mohClass };
    this.#playing.set(leg.legId, mohClass);
    const result = await this.#client.request(ari.channels.startMoh, order);
    // an order without an answer may have been carried out: it will be taken back all the same
    if (!result.ok && result.httpStatus !== null) this.#playing.delete(leg.legId);
    return withoutValue(result);
  }

  /** Also where it is not known whether one plays: of a leg that was adopted, nobody remembers. */
  async stop(leg: LegRecord): Promise<PbxResult> {
    if (!this.#playing.has(leg.legId) && leg.voice !== null) return { ok: true, value: undefined };
    const result = await this.#client.request(ari.channels.stopMoh, { channelId: leg.legId });
    if (result.ok) this.#playing.delete(leg.legId);
    return withoutValue(result);
  }

  forget(legId: LegId): void {
    this.#playing.delete(legId);
  }
}
