/** Everything that is asked of a long history, as rows of a table. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../../control-plane/src/adapters/postgres/open-database.ts';
import { auditSigner, newAuditKey } from '../../../control-plane/src/evidence/audit-key.ts';
import type { AuditSigner } from '../../../control-plane/src/evidence/audit-key.ts';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import { told, type Row } from '../load/bench-table.ts';
import { commandRow, type Place } from './commands.ts';
import { DAYS, QUIET_ZONE } from './fill.ts';
import { beginSessions, millisecondsOf, questionRows, retentionRows, startRow } from './questions.ts';

const REPORT_BAR = { seconds: 60, memoryMb: 512 };
const VERIFY_BAR = { seconds: 1200, memoryMb: 512 };

/** `dir`: for the public key. */
export async function measure(
  database: Database,
  place: Place,
  dir: string,
  say: (line: string) => void,
): Promise<readonly Row[]> {
  await beginSessions(database);
  const signer = auditSigner(newAuditKey())!;
  const key = join(dir, 'audit.pub');
  writeFileSync(key, signer.publicPem);
  const report = (name: string, ...args: string[]) =>
    commandRow(name, ['report', ...args], place, REPORT_BAR);
  const rows: Row[] = [];
  const next = async (step: () => Promise<Row | readonly Row[]>): Promise<void> => {
    rows.push(...[await step()].flat());
    say(rows.at(-1)!.name);
  };
  await next(() => startRow(database));
  await next(() => questionRows(database));
  await next(() => report('hamrahi report, everything', '--since', `${DAYS + 1}d`));
  await next(() => report('hamrahi report, 30 days', '--since', '30d'));
  await next(() => report('hamrahi report, a zone', '--since', `${DAYS + 1}d`, '--zone', QUIET_ZONE));
  await next(() => sealRow(database, signer));
  await next(() => commandRow('hamrahi audit verify', ['audit', 'verify', '--key', key], place, VERIFY_BAR));
  await next(() => retentionRows(database));
  return rows;
}

/** The first heads over a history that had none. */
async function sealRow(database: Database, signer: AuditSigner): Promise<Row> {
  const audit = database.auditLog(signer);
  let heads = 0;
  const tookMs = await millisecondsOf(async () => {
    while ((await audit.seal(Date.now() as Instant)) !== null) heads += 1;
  });
  const idleMs = await millisecondsOf(() => audit.seal(Date.now() as Instant));
  const text = `${heads} heads, ${(tookMs / 1000).toFixed(0)} s; then ${idleMs.toFixed(1)} ms`;
  return told('sealing it for the first time', text, 'then ≤ 100 ms', idleMs <= 100);
}
