/**
 * `make chaos`: every fault against a session in every phase, on real Asterisk, PostgreSQL and control-plane
 * processes. ARGS are patterns of the faults' names; CHAOS_JSON=file writes everything down, and
 * CHAOS_DOCUMENT=yes the table into docs/crash-matrix.md. Ends within 25 minutes, or
 * CHAOS_MINUTES.
 */
import { writeFileSync } from 'node:fs';
import { FAULTS, type Fault } from './faults.ts';
import { Rig } from './rig.ts';
import { runFault, type RunResult } from './run-fault.ts';
import { tableOf, tallyOf } from './table.ts';
import { writeDocument } from './document.ts';

const LONGEST_MS = Number(process.env['CHAOS_MINUTES'] ?? 25) * 60_000;
/** A run takes about this long; none is begun that would end too late. */
const ONE_RUN_MS = 75_000;

const say = (line: string): void => void process.stderr.write(`chaos: ${line}\n`);

async function main(wanted: readonly string[]): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  const faults = FAULTS.filter(
    ({ name }) => wanted.length === 0 || wanted.some((one) => new RegExp(one).test(name)),
  );
  const results: RunResult[] = [];
  const untried: string[] = [];
  let rig: Rig | null = null;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void (rig?.stop() ?? Promise.resolve()).finally(() => process.exit(1)));
  try {
    for (const fault of faults) {
      if (performance.now() + ONE_RUN_MS > deadline) {
        untried.push(fault.name);
        continue;
      }
      if (rig === null) {
        rig = new Rig();
        await rig.start();
      }
      if (fault.possible?.(rig) === false) {
        untried.push(`${fault.name} (this machine does not allow it)`);
        continue;
      }
      const result = await runFault(rig, fault).catch((error: unknown) => broken(fault, error));
      results.push(result);
      tell(result);
      if (process.env['CHAOS_STORY'] === 'yes') await story(rig, result);
      // What one run has broken must not be held against the next.
      if (result.objections.length > 0 || process.env['CHAOS_FRESH'] === 'yes') {
        rig.gateway.keepLogs(`chaos ${fault.name}`);
        await rig.stop();
        rig = null;
      }
    }
  } finally {
    await rig?.stop();
  }
  const code = report(results, untried);
  if (process.env['CHAOS_DOCUMENT'] === 'yes')
    writeDocument(results, tallyOf(results), [...untried, ...unwanted(faults)], performance.now());
  return code;
}

/** A run that came to no end says so, and does not take the others with it. */
function broken({ name }: Fault, error: unknown): RunResult {
  const why = error instanceof Error ? error.message : String(error);
  return { fault: name, faultMs: 0, pairs: [], objections: [`the run came to no end: ${why.slice(0, 300)}`] };
}

/** What the record says of whatever was not as it should be. */
async function story(rig: Rig, { pairs }: RunResult): Promise<void> {
  for (const { sessionId, phase, objections, remarks } of pairs) {
    if (sessionId === null || objections.length + remarks.length === 0) continue;
    const events = await rig.gateway.sql<{ at: Date; event: object }>(
      'SELECT at, event FROM session_events WHERE session_id = $1 ORDER BY seq',
      [sessionId],
    );
    say(`  ${phase} ${sessionId}`);
    for (const { at, event } of events) say(`    ${at.toISOString().slice(14, 23)} ${JSON.stringify(event)}`);
  }
}

const unwanted = (faults: readonly Fault[]): readonly string[] =>
  FAULTS.filter((fault) => !faults.includes(fault)).map(({ name }) => name);

function tell(result: RunResult): void {
  const objections = result.pairs.flatMap((pair) =>
    pair.objections.map((one) => `${pair.phase}: ${one} (${pair.sessionId ?? '-'})`),
  );
  const remarks = result.pairs.flatMap((pair) =>
    pair.remarks.map((one) => `${pair.phase}: ${one} (${pair.sessionId ?? '-'})`),
  );
  const lasted = (result.faultMs / 1000).toFixed(1);
  say(`${result.fault} (${lasted} s): ${result.pairs.map(({ outcome }) => outcome).join(' ')}`);
  for (const one of [...result.objections, ...objections]) say(`  ! ${one}`);
  for (const one of remarks) say(`  · ${one}`);
  for (const { phase } of result.pairs.filter(({ met }) => !met)) say(`  ? ${phase}: was not there in time`);
}

function report(results: readonly RunResult[], untried: readonly string[]): number {
  const tally = tallyOf(results);
  process.stdout.write(`\n${tableOf(results)}\n\n`);
  for (const name of untried) process.stdout.write(`not tried: ${name}\n`);
  process.stdout.write(
    `${tally.pairs} pairs; lost sessions ${tally.lost}, stuck channels ${tally.stuck}, ` +
      `double legs ${tally.doubleLegs}, objections ${tally.objections}\n`,
  );
  const file = process.env['CHAOS_JSON'];
  if (file !== undefined && file !== '')
    writeFileSync(file, `${JSON.stringify({ tally, untried, results }, null, 2)}\n`);
  return tally.objections === 0 && untried.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
