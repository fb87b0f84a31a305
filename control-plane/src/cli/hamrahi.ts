#!/usr/bin/env node
/** `hamrahi`: the gateway's command line. What goes wrong is one sentence on standard error; exit codes: command-failure.ts. */
import { Command, CommanderError } from 'commander';
import { addAuditCommand } from './audit-command.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { addEraseCommand } from './erase-command.ts';
import { addProbeCommand } from './probe/probe-command.ts';
import { addReportCommand } from './report-command.ts';
import { addTokenCommand } from './token-command.ts';
import { addTrunksCommand } from './trunks-command.ts';

const program = new Command('hamrahi')
  .description('The Ham Rahi voice gateway on the command line.')
  .exitOverride()
  .showHelpAfterError('(hamrahi --help tells what there is)')
  .addHelpText(
    'after',
    '\nExit codes: 0 done; 1 it could not be done, or what was checked is not so; 2 wrong usage.\n' +
      'The database is that of DATABASE_URL (or DATABASE_URL_FILE), or of the sandbox given by --run.',
  );
addTokenCommand(program);
addReportCommand(program);
addAuditCommand(program);
addEraseCommand(program);
addProbeCommand(program);
addTrunksCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else if (error instanceof CommandFailure) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`It failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.failure;
  }
}
