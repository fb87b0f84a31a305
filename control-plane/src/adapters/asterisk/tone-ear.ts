/**
 * An ear for one tone on a channel: Asterisk's TONE_DETECT, which counts how often it has heard the tone for half a second.
 * It has no event; the count is asked for. It ends with the channel, also where nobody is left to end it.
 */
import type { Instant, LegId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PbxResult } from '../../ports/pbx-driver.ts';
import { ari } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import { withoutValue } from './ari-result.ts';

const TONE_MS = 500;
const ASK_EVERY_MS = 100;
const OK = { ok: true, value: undefined } as const;

export class ToneEar {
  readonly #client: AriClient;
  readonly #clock: Clock;

  constructor(client: AriClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** To what comes from the far end alone. One that listens already is replaced: it counts from nought. */
  async listen(legId: LegId, hz: number): Promise<PbxResult> {
    const ended = await this.#set(legId, 'TONE_DETECT(0,,x)');
    return ended.ok ? this.#set(legId, `TONE_DETECT(${hz},${TONE_MS},r)`) : ended;
  }

  async hears(legId: LegId, withinMs: number): Promise<PbxResult<boolean>> {
    const until = this.#clock.now() + withinMs;
    for (;;) {
      const variable = 'TONE_DETECT(rx)';
      const count = await this.#client.request(ari.channels.getChannelVar, { channelId: legId, variable });
      if (!count.ok) return { ok: false, code: count.code, detail: count.detail };
      const isHeard = Number(count.value.value) > 0;
      if (isHeard || this.#clock.now() >= until) {
        await this.#set(legId, 'TONE_DETECT(0,,x)');
        return { ok: true, value: isHeard };
      }
      await this.#pause();
    }
  }

  async #set(legId: LegId, variable: string): Promise<PbxResult> {
    const order = { channelId: legId, variable, value: '' };
    const result = await this.#client.request(ari.channels.setChannelVar, order);
    return result.ok ? OK : withoutValue(result);
  }

  #pause(): Promise<void> {
    const at = (this.#clock.now() + ASK_EVERY_MS) as Instant;
    return new Promise((resolve) => void this.#clock.at(at, resolve));
  }
}
