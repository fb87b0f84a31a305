/** The trunk files of the settings, for a gateway that runs: read without holding it up. */
import type { TrunkReading, TrunkSource } from '../../ports/trunks.ts';
import { trunksOf } from './load-trunks.ts';
import { trunkTextsWithin } from './trunk-texts.ts';

export interface TrunkFilesOptions {
  readonly directory: string;
  readonly names: readonly string[];
  readonly siteFile: string | null;
  /** From which the clients' requests come: no trunk's. */
  readonly relayAddress: string;
}

const READ_WITHIN_MS = 5_000;

export class TrunkFiles implements TrunkSource {
  readonly #options: TrunkFilesOptions;

  constructor(options: TrunkFilesOptions) {
    this.#options = options;
  }

  async read(): Promise<TrunkReading> {
    const { directory, names, siteFile, relayAddress } = this.#options;
    const texts = await trunkTextsWithin(READ_WITHIN_MS, directory, names, siteFile);
    if (texts === null) {
      const expected = `files that can be read within ${READ_WITHIN_MS} ms`;
      const late = {
        code: 'ERR_TRUNK_FILE_MISSING',
        file: directory,
        line: null,
        path: '',
        expected,
      } as const;
      return { ok: false, problems: [late] };
    }
    const result = trunksOf(texts, [relayAddress]);
    return result.ok ? { ok: true, trunks: result.trunks.map(({ trunk }) => trunk) } : result;
  }
}
