#!/usr/bin/env node
/** `hamrahi`: the gateway's command line. Wrong usage is a sentence on standard error and exit 2. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { mintToken } from '../adapters/auth/mint-token.ts';
import { role as roleSchema } from '../contracts/common.ts';
import type { Role } from '../contracts/common.ts';
import { isAorPart } from '../domain/ids.ts';
import { Secret } from '../domain/secret.ts';

const EXIT_USAGE = 2;
const LATEST_RUN = resolve(import.meta.dirname, '../../../.run/latest');
const MAX_TTL_S = 30 * 24 * 3600;

interface TokenOptions {
  readonly role: Role;
  readonly subject: string;
  readonly ttl: number;
  readonly run: string;
}

function parseRole(text: string): Role {
  const parsed = roleSchema.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`It is one of ${roleSchema.options.join(', ')}.`);
  return parsed.data;
}

function parseSubject(text: string): string {
  if (!isAorPart(text)) throw new InvalidArgumentError('It is letters, digits and underscore, at most 64.');
  return text;
}

function parseTtl(text: string): number {
  const ttlS = Number(text);
  if (!Number.isInteger(ttlS) || ttlS < 1 || ttlS > MAX_TTL_S)
    throw new InvalidArgumentError(`It is whole seconds, 1 to ${MAX_TTL_S}.`);
  return ttlS;
}

/** Prints a token of the running sandbox. Production's tokens come from its issuer alone. */
async function printToken(options: TokenOptions): Promise<void> {
  const file = join(options.run, 'sandbox.json');
  if (!existsSync(file)) {
    process.stderr.write(`No sandbox runs: ${file} is not there. Start one with: make sandbox\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const { jwt } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly jwt: { readonly secretFile: string; readonly issuer: string; readonly audience: string };
  };
  const secret = new Secret(readFileSync(jwt.secretFile, 'utf8').trim());
  const { role, subject, ttl: ttlS } = options;
  process.stdout.write(
    `${await mintToken({ secret, issuer: jwt.issuer, audience: jwt.audience, role, subject, ttlS })}\n`,
  );
}

const program = new Command('hamrahi')
  .description('The Ham Rahi voice gateway on the command line.')
  .exitOverride()
  .showHelpAfterError('(hamrahi --help tells what there is)');

program
  .command('token')
  .description('mint a token for the running sandbox')
  .requiredOption('--role <role>', roleSchema.options.join(' | '), parseRole)
  .requiredOption('--subject <id>', "citizen's or operator's id, or a backend's name", parseSubject)
  .option('--ttl <seconds>', 'how long it is valid', parseTtl, 3600)
  .option('--run <folder>', 'run directory of the sandbox', LATEST_RUN)
  .action(printToken);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
}
