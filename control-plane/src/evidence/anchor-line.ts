/** A head as one line of an anchor file: kept where who can write to the database cannot. */
import { z } from 'zod';
import type { AuditHead } from '../ports/audit-log.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);

export const auditHead = z.strictObject({
  number: z.int().positive(),
  at: z.int(),
  previous: hex,
  leaves: z.int().nonnegative(),
  root: hex,
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  hash: hex,
  signature: z.base64(),
});

export function anchorLine(head: AuditHead): string {
  const { number, at, previous, leaves, root, keyId, hash, signature } = head;
  return `${JSON.stringify({ number, at, previous, leaves, root, keyId, hash, signature })}\n`;
}

/** `null`: no such line; a process that was killed while it wrote leaves half of one. */
export function parseAnchorLine(line: string): AuditHead | null {
  try {
    return auditHead.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
