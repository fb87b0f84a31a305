/** `hamrahi token`: a token for the running sandbox. Production's tokens come from its issuer alone. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { mintToken } from '../adapters/auth/mint-token.ts';
import { role as roleSchema } from '../contracts/common.ts';
import type { Role } from '../contracts/common.ts';
import { isAorPart } from '../domain/ids.ts';
import { Secret } from '../domain/secret.ts';
import { LATEST_RUN, readSandboxRun } from './sandbox-run.ts';

const MAX_TTL_S = 30 * 24 * 3600;

interface TokenOptions {
  readonly role: Role;
  readonly subject: string;
  readonly ttl: number;
  readonly run: string;
}

export function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description('mint a token for the running sandbox')
    .requiredOption('--role <role>', roleSchema.options.join(' | '), parseRole)
    .requiredOption('--subject <id>', "citizen's or operator's id, or a backend's name", parseSubject)
    .option('--ttl <seconds>', 'how long it is valid', parseTtl, 3600)
    .option('--run <folder>', 'run directory of the sandbox', LATEST_RUN)
    .action(printToken);
}

async function printToken({ role, subject, ttl: ttlS, run }: TokenOptions): Promise<void> {
  const { jwt } = readSandboxRun(run);
  const secret = new Secret(readFileSync(jwt.secretFile, 'utf8').trim());
  const { issuer, audience } = jwt;
  process.stdout.write(`${await mintToken({ secret, issuer, audience, role, subject, ttlS })}\n`);
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
