/** `hamrahi erase`: everything personal of one citizen, for good. What was done stays in the log. */
import { Argument, InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { isAorPart } from '../domain/ids.ts';
import type { CitizenId, Instant } from '../domain/ids.ts';
import { withDatabase } from './cli-database.ts';
import { CommandFailure } from './command-failure.ts';

export function addEraseCommand(program: Command): void {
  program
    .command('erase')
    .description("erase a citizen's number, devices, positions and claims; what happened stays, without them")
    .addArgument(new Argument('<citizen-id>').argParser(parseCitizen))
    .requiredOption('--by <who>', 'who decided it, for the log: a name or a case number', parseBy)
    .option('--run <folder>', 'database of the sandbox with this run directory')
    .action(erase);
}

async function erase(
  citizenId: CitizenId,
  { by, run }: { readonly by: string; readonly run?: string },
): Promise<void> {
  const done = await withDatabase(run, ({ records }) => records.erase(citizenId, by, Date.now() as Instant));
  if (!done.ok)
    throw new CommandFailure(`${citizenId} has an open session: resolve it, then erase. Nothing was erased.`);
  const profile = done.profile ? 'her entry in the directory' : 'no entry in the directory (there was none)';
  process.stdout.write(
    `Erased: ${profile}, ${done.rows} personal rows of ${done.sessions} sessions. Recorded as entry ${done.record} of the log.\n`,
  );
}

function parseCitizen(text: string): CitizenId {
  if (!isAorPart(text)) throw new InvalidArgumentError('It is letters, digits and underscore, at most 64.');
  return text as CitizenId;
}

function parseBy(text: string): string {
  if (!/^[\p{L}\p{N} .,:/_-]{1,100}$/u.test(text))
    throw new InvalidArgumentError('It is letters, digits and . , : / _ -, at most 100.');
  return text;
}
