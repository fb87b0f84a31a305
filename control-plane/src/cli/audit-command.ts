/** `hamrahi audit`: prove that the log is as it was written, hand one session out as proof, make and show the key. */
import { writeFileSync } from 'node:fs';
import { Argument, InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Instant, SessionId } from '../domain/ids.ts';
import { newAuditKey } from '../evidence/audit-key.ts';
import type { AuditVerifier } from '../evidence/audit-key.ts';
import { bundleText, verifyBundle } from '../evidence/bundle.ts';
import type { Fault } from '../evidence/session-fault.ts';
import { verifyLog } from '../evidence/verify-log.ts';
import { readAnchor, readSigner, readText, readVerifier } from './audit-files.ts';
import type { Anchor } from './audit-files.ts';
import { withDatabase } from './cli-database.ts';
import { CommandFailure, EXIT } from './command-failure.ts';

const MAX_FAULTS = 20;
const SEAL_TRIES = 5;

interface VerifyOptions {
  readonly key: string;
  readonly anchor?: string;
  readonly bundle?: string;
  readonly run?: string;
}

export function addAuditCommand(program: Command): void {
  const audit = program.command('audit').description('the tamper-evident log of sessions');
  audit
    .command('verify')
    .description('check the whole log, or one exported session; exit code 1 names what is broken')
    .requiredOption('--key <file>', 'public key (PEM) of the gateway')
    .option('--anchor <file>', 'heads as they were kept outside the database')
    .option('--bundle <file>', 'a session exported by `audit export`: no database is needed')
    .option('--run <folder>', 'database of the sandbox with this run directory')
    .action(verify);
  audit
    .command('export')
    .description('one session as a signed file that proves itself')
    .addArgument(new Argument('<session-id>').argParser(parseSessionId))
    .requiredOption('--out <file>', 'where to write it')
    .option('--personal', 'with positions and what her app claimed')
    .option('--run <folder>', 'database of the sandbox with this run directory')
    .action(exportSession);
  audit
    .command('public-key')
    .description('print the public key that belongs to HAMRAHI_AUDIT_KEY')
    .action(() => void process.stdout.write(readSigner().publicPem));
  audit
    .command('new-key')
    .description('make a key for HAMRAHI_AUDIT_KEY_FILE')
    .requiredOption('--out <file>', 'a file that is not there yet')
    .action(({ out }: { readonly out: string }) => {
      writeNew(out, newAuditKey(), 0o600);
    });
}

async function verify({ key, anchor: anchorFile, bundle, run }: VerifyOptions): Promise<void> {
  const verifier = readVerifier(key);
  const anchor = anchorFile === undefined ? null : await readAnchor(anchorFile, verifier);
  const checked =
    bundle === undefined
      ? await verifyDatabase(run, verifier, anchor)
      : verifyFile(readText(bundle), verifier, anchor);
  const faults = anchor?.fault ? [anchor.fault, ...checked.faults] : checked.faults;
  if (faults.length === 0) {
    process.stdout.write(`Whole: ${checked.summary}.\n`);
    return;
  }
  for (const fault of faults.slice(0, MAX_FAULTS)) process.stdout.write(`${faultText(fault)}\n`);
  const shown = faults.length >= MAX_FAULTS ? ` (the first ${MAX_FAULTS} are shown)` : '';
  throw new CommandFailure(`Broken: the log is not as it was written${shown}.`);
}

interface Checked {
  readonly faults: readonly Fault[];
  readonly summary: string;
}

function verifyFile(text: string, verifier: AuditVerifier, anchor: Anchor | null): Checked {
  const { fault, sessionId, events, heads } = verifyBundle(text, verifier, anchor?.hashes ?? null);
  return {
    faults: fault ? [fault] : [],
    summary: `session ${sessionId ?? '?'}, ${events} events under ${heads} signed heads${anchoredText(anchor)}`,
  };
}

function verifyDatabase(
  run: string | undefined,
  verifier: AuditVerifier,
  anchor: Anchor | null,
): Promise<Checked> {
  const summary = { heads: 0, sessions: 0, events: 0, erasures: 0 };
  return withDatabase(run, (database) =>
    database.readLog(async (log) => {
      const faults: Fault[] = [];
      for await (const fault of verifyLog(log, verifier, anchor?.hashes ?? null, summary)) {
        faults.push(fault);
        if (faults.length === MAX_FAULTS) break;
      }
      const { heads, sessions, events, erasures } = summary;
      const counted = `${sessions} sessions, ${events} events, ${heads} signed heads, ${erasures} erasures`;
      return { faults, summary: `${counted}${anchoredText(anchor)}` };
    }),
  );
}

function anchoredText(anchor: Anchor | null): string {
  return anchor === null
    ? '; not held against an anchor'
    : `, held against ${anchor.hashes.size} anchored heads`;
}

function faultText({ where, seq, what }: Fault): string {
  return seq === null ? `${where}: ${what}` : `${where}, event ${seq}: ${what}`;
}

interface ExportOptions {
  readonly out: string;
  readonly personal?: true;
  readonly run?: string;
}

/** A head is made first, so that everything that the file holds is under one. */
async function exportSession(id: SessionId, { out, personal, run }: ExportOptions): Promise<void> {
  const signer = readSigner();
  await withDatabase(run, async (database) => {
    const audit = database.auditLog(signer);
    for (let tries = 0; tries < SEAL_TRIES && (await audit.seal(Date.now() as Instant)) !== null; tries += 1);
    const found = await database.readLog((log) => log.session(id));
    if (!found) throw new CommandFailure(`There is no session ${id}.`);
    const text = bundleText(found.session, found.heads, personal === true, signer, Date.now() as Instant);
    writeNew(out, text, 0o600);
    const { events } = found.session;
    process.stdout.write(`${out}: session ${id}, ${events.length} events, ${found.heads.length} heads.\n`);
  });
}

function writeNew(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CommandFailure(exists ? `${path} is there already.` : `${path} cannot be written.`, EXIT.usage);
  }
}

function parseSessionId(text: string): SessionId {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw new InvalidArgumentError('It is the id of a session, a UUID.');
  return text as SessionId;
}
