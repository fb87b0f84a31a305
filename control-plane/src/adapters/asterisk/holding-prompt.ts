/** "Please hold" to a leg whose other party does not answer yet. */
import type { Clock } from '../../ports/clock.ts';
import type { Instant, LegId } from '../../domain/ids.ts';
import type { PbxResult } from '../../ports/pbx-driver.ts';
import { ari, type AriEvent } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import { withoutValue, type AriResult } from './ari-result.ts';
import type { LegRecord } from './leg-record.ts';

const SUFFIX = '.hold';
/** A prompt that ends sooner has failed: it is not repeated at once. */
const SHORTEST_PROMPT_MS = 1_000;
/** An adopted leg may have had the prompt queued more than once. */
const MAX_STOPS = 3;

export class HoldingPrompt {
  readonly #client: AriClient;
  readonly #clock: Clock;
  readonly #media: readonly string[];
  readonly #playing = new Map<LegId, { readonly since: Instant }>();

  /** `media`: ARI media URIs, played in order, again and again. A `tone:` goes on by itself. */
  constructor(client: AriClient, clock: Clock, media: readonly string[]) {
    this.#client = client;
    this.#clock = clock;
    this.#media = media;
  }

  async start(leg: LegRecord): Promise<PbxResult> {
    if (this.#playing.has(leg.legId) || leg.bridgeId !== null) return { ok: true, value: undefined };
    return withoutValue(await this.#play(leg.legId));
  }

  /**
   * Before a leg is added to a bridge: Asterisk would carry that out only after the prompt, and until then
   * answer no other request. Two prompts in its queue are one too many for the same reason.
   */
  async stop(leg: LegRecord): Promise<PbxResult> {
    const known = this.#playing.delete(leg.legId);
    if (!known && leg.voice !== null) return { ok: true, value: undefined };
    for (let stops = 0; stops < MAX_STOPS; stops += 1) {
      const result = await this.#client.request(ari.playbacks.stop, { playbackId: leg.legId + SUFFIX });
      if (!result.ok) return result.code === 'ERR_PBX_NOT_FOUND' ? { ok: true, value: undefined } : result;
      if (known) break;
    }
    return { ok: true, value: undefined };
  }

  forget(legId: LegId): void {
    this.#playing.delete(legId);
  }

  /** The engine was lost; what plays there now is not known. */
  clear(): void {
    this.#playing.clear();
  }

  /** Repeats a prompt that has come to its end. */
  apply(event: AriEvent, at: Instant): void {
    if (event.type !== 'PlaybackFinished' || !event.playback.id.endsWith(SUFFIX)) return;
    const legId = event.playback.id.slice(0, -SUFFIX.length) as LegId;
    const playing = this.#playing.get(legId);
    if (playing === undefined) return;
    const pauseMs = at - playing.since < SHORTEST_PROMPT_MS ? SHORTEST_PROMPT_MS : 0;
    this.#clock.at((at + pauseMs) as Instant, () => {
      if (this.#playing.get(legId) === playing) void this.#play(legId);
    });
  }

  async #play(legId: LegId): Promise<AriResult<unknown>> {
    const playing = { since: this.#clock.now() };
    this.#playing.set(legId, playing);
    const order = { channelId: legId, playbackId: legId + SUFFIX, media: this.#media };
    const result = await this.#client.request(ari.channels.playWithId, order);
    if (!result.ok && this.#playing.get(legId) === playing) this.#playing.delete(legId);
    return result;
  }
}
