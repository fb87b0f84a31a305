/** The sandbox signs its log too: a key of its own, the public one beside it, and an anchor file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditSigner, newAuditKey } from '../src/evidence/audit-key.ts';

export function auditSettings(runDir: string): Readonly<Record<string, string>> {
  const key = newAuditKey();
  const keyFile = join(runDir, 'audit-key.pem');
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(join(runDir, 'audit-public.pem'), auditSigner(key)?.publicPem ?? '');
  return { HAMRAHI_AUDIT_KEY_FILE: keyFile, HAMRAHI_AUDIT_ANCHOR_FILE: join(runDir, 'audit-anchor.jsonl') };
}
