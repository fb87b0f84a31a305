/** `sandbox.json` in the run directory: every URL, port and token of one sandbox, so that anybody's client can join. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const token = z.object({ subject: z.string(), token: z.string() });

const sandboxFile = z.object({
  runDir: z.string(),
  urls: z.object({
    api: z.string(),
    feed: z.string(),
    sip: z.string(),
    citizenPage: z.string(),
    panelPage: z.string(),
    carrierReport: z.string(),
  }),
  /** Of the sandbox's own CA-less certificate, PEM file; `null` without TLS. */
  certificateFile: z.string().nullable(),
  sipDomain: z.string(),
  ports: z.object({
    http: z.int(),
    edge: z.int(),
    internal: z.int(),
    ari: z.int(),
    gatewaySip: z.int(),
    carrierSip: z.int(),
  }),
  ari: z.object({ url: z.string(), user: z.string(), password: z.string(), app: z.string() }),
  databaseUrl: z.string(),
  jwt: z.object({ secretFile: z.string(), issuer: z.string(), audience: z.string() }),
  tokens: z.object({
    backend: token,
    admin: token,
    supervisor: token,
    operators: z.array(token),
    citizens: z.array(token.extend({ phone: z.string() })),
  }),
});
export type SandboxFile = z.infer<typeof sandboxFile>;

/** Whole or not at all, readable by its owner alone: it holds tokens. */
export function writeSandboxFile(runDir: string, content: SandboxFile): string {
  const path = join(runDir, 'sandbox.json');
  writeFileSync(`${path}.tmp`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  return path;
}
