#!/usr/bin/env node
/** `hamrahi`: the gateway's command line. What goes wrong is one sentence on standard error; exit codes: command-failure.ts. */
import { Command, CommanderError } from 'commander';
import { CommandFailure, EXIT } from './command-failure.ts';

/** In the order of the help. Only the one that is called is loaded: all of them take a second. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  token: async () => (await import('./token-command.ts')).addTokenCommand,
  report: async () => (await import('./report-command.ts')).addReportCommand,
  audit: async () => (await import('./audit-command.ts')).addAuditCommand,
  erase: async () => (await import('./erase-command.ts')).addEraseCommand,
  probe: async () => (await import('./probe/probe-command.ts')).addProbeCommand,
  trunks: async () => (await import('./trunks-command.ts')).addTrunksCommand,
};

const program = new Command('hamrahi')
  .description('The Ham Rahi voice gateway on the command line.')
  .exitOverride()
  .showHelpAfterError('(hamrahi --help tells what there is)')
  .addHelpText(
    'after',
    '\nExit codes: 0 done; 1 it could not be done, or what was checked is not so; 2 wrong usage.\n' +
      'The database is that of DATABASE_URL (or DATABASE_URL_FILE), or of the sandbox given by --run.',
  );
const named = process.argv[2] ?? '';
for (const load of Object.hasOwn(COMMANDS, named) ? [COMMANDS[named]] : Object.values(COMMANDS))
  (await load?.())?.(program);

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
