/** `hamrahi report`: were we within our limits? From the ledger, which is brought up to date first. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { systemClock } from '../adapters/clock/system-clock.ts';
import { Books } from '../app/books.ts';
import type { Database } from '../adapters/postgres/open-database.ts';
import { loadSetting } from '../config/load-config.ts';
import type { Instant } from '../domain/ids.ts';
import type { Metrics } from '../ports/log.ts';
import { StoreError } from '../ports/session-store.ts';
import { cliLog, withDatabase } from './cli-database.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { reportText } from './report-text.ts';
import { parseTime, TIME_HINT } from './time-option.ts';

const MAX_BREACHES = 10_000;
const now = Date.now() as Instant;

interface ReportOptions {
  readonly since: Instant;
  readonly until: Instant;
  readonly zone?: string;
  readonly withSynthetic?: true;
  readonly breaches: number;
  readonly json?: true;
  readonly run?: string;
}

export function addReportCommand(program: Command): void {
  program
    .command('report')
    .description('milestones and requirements of all sessions of a time: percentiles, and who broke a limit')
    .requiredOption('--since <time>', `activated at or after: ${TIME_HINT}`, (text) => parseTime(text, now))
    .option('--until <time>', 'activated before (default: now)', (text) => parseTime(text, now), now)
    .option('--zone <id>', 'sessions of this zone alone')
    .option('--with-synthetic', 'synthetic SOS too; else those of HAMRAHI_SYNTHETIC_ZONE are left out')
    .option('--breaches <n>', `list at most so many breaches, up to ${MAX_BREACHES}`, parseBreaches, 50)
    .option('--json', 'as JSON')
    .option('--run <folder>', 'of the sandbox with this run directory')
    .action(printReport);
}

async function printReport(options: ReportOptions): Promise<void> {
  const { since, until, zone, breaches, json, run } = options;
  if (since >= until) throw new CommandFailure('--since has to be before --until.', EXIT.usage);
  const range = { since, until, zoneId: zone ?? null, exceptZoneId: syntheticZone(options) };
  const report = await withDatabase(run, async (database) => {
    await bringUpToDate(database);
    return database.reports.report(range, breaches);
  });
  if (json) {
    const times = { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
    process.stdout.write(`${JSON.stringify({ ...times, zone: zone ?? null, ...report }, null, 2)}\n`);
  } else {
    process.stdout.write(reportText(report, range));
  }
}

/** What is not asked for; `null`: everything is. */
function syntheticZone({ zone, withSynthetic }: ReportOptions): string | null {
  const setting = loadSetting('HAMRAHI_SYNTHETIC_ZONE');
  if (!setting.ok) throw new CommandFailure(setting.sentence, EXIT.usage);
  return withSynthetic || zone === setting.value ? null : setting.value;
}

/** What ended in the last seconds is entered now. A standby cannot be written to: the report then counts what waits. */
async function bringUpToDate({ store, ledger }: Database): Promise<void> {
  try {
    await new Books({ store, ledger, clock: systemClock(), log: cliLog, metrics: noMetrics }).settle();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    process.stderr.write('The ledger could not be brought up to date; the report is of what is in it.\n');
  }
}

const noMetrics: Metrics = { count: () => undefined, observe: () => undefined, gauge: () => undefined };

function parseBreaches(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MAX_BREACHES)) throw new InvalidArgumentError(`It is a whole number up to ${MAX_BREACHES}.`);
  return count;
}
