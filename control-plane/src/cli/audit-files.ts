/** Files that the audit commands read: keys and anchors. */
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { loadSetting } from '../config/load-config.ts';
import { parseAnchorLine } from '../evidence/anchor-line.ts';
import { headFault } from '../evidence/audit-head.ts';
import { auditSigner, auditVerifier } from '../evidence/audit-key.ts';
import type { AuditSigner, AuditVerifier } from '../evidence/audit-key.ts';
import type { Fault } from '../evidence/session-fault.ts';
import { CommandFailure, EXIT } from './command-failure.ts';

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new CommandFailure(`${path} cannot be read.`, EXIT.usage);
  }
}

export function readVerifier(path: string): AuditVerifier {
  const verifier = auditVerifier(readText(path));
  if (!verifier) throw new CommandFailure(`${path} is no Ed25519 public key in PEM.`, EXIT.usage);
  return verifier;
}

/** The gateway's own key, from its setting. */
export function readSigner(): AuditSigner {
  const setting = loadSetting('HAMRAHI_AUDIT_KEY');
  if (!setting.ok) throw new CommandFailure(setting.sentence, EXIT.usage);
  if (setting.value === null)
    throw new CommandFailure(
      'Set HAMRAHI_AUDIT_KEY (or HAMRAHI_AUDIT_KEY_FILE) to the audit key.',
      EXIT.usage,
    );
  const signer = auditSigner(setting.value.reveal());
  if (!signer) throw new CommandFailure('HAMRAHI_AUDIT_KEY is no Ed25519 private key in PEM.', EXIT.usage);
  return signer;
}

export interface Anchor {
  /** Hashes of heads by number. */
  readonly hashes: ReadonlyMap<number, string>;
  /** The first line that says something wrong. Half a line, left by a process that was killed, says nothing. */
  readonly fault: Fault | null;
}

export async function readAnchor(path: string, verifier: AuditVerifier): Promise<Anchor> {
  const hashes = new Map<number, string>();
  let fault: Fault | null = null;
  let line = 0;
  readText(path);
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line += 1;
    const head = parseAnchorLine(text);
    if (!head) continue;
    const known = hashes.get(head.number);
    const what =
      headFault(head, verifier) ??
      (known !== undefined && known !== head.hash ? 'contradicts an earlier line' : null);
    if (what !== null) fault ??= { where: `anchor line ${line} (head ${head.number})`, seq: null, what };
    hashes.set(head.number, head.hash);
  }
  return { hashes, fault };
}
