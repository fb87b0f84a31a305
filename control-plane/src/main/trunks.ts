/** The trunks of a core node: their files, and the passwords that those name. */
import { TrunkFiles } from '../adapters/engine-config/trunk-files.ts';
import { TrunkBook, type TrunkBookPorts } from '../app/trunk-book.ts';
import type { MonitoredTrunk } from '../app/trunk-monitor.ts';
import type { CoreConfig } from '../config/config.ts';
import { problemText } from '../domain/trunk/trunk-problem.ts';
import type { Log } from '../ports/log.ts';
import type { SecretSource } from '../ports/secret-source.ts';
import { secretsOf } from './secret-source.ts';

/**
 * Throws with every problem of every file: a gateway without a readable trunk must not start. One whose trunks cannot be
 * used starts, and says so: a stream needs none.
 */
export async function openTrunks(
  { trunks, engine: { relayAddress } }: Pick<CoreConfig, 'trunks' | 'engine'>,
  ports: Omit<TrunkBookPorts, 'source'>,
): Promise<TrunkBook> {
  const book = new TrunkBook({ source: new TrunkFiles({ ...trunks, relayAddress }), ...ports });
  const reading = await book.start();
  if (reading.ok) return book;
  throw new Error(`the trunk files are wrong\n${reading.problems.map(problemText).join('\n')}`);
}

/** Files that are read anew may name other passwords. */
export function followPasswords(trunks: TrunkBook, secrets: SecretSource, log: Log): void {
  trunks.onChange(() => {
    secrets.start(secretsOf(trunks.known())).catch((error: unknown) => {
      log.error('the passwords of trunks cannot be followed', { reason: String(error) });
    });
  });
}

export function monitoredOf(trunks: TrunkBook): readonly MonitoredTrunk[] {
  return trunks
    .known()
    .map(({ name, sip, auth }) => ({ name, ...sip, registers: auth.kind === 'registration' }));
}
