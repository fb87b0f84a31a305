/** What the command line needs to know of a running sandbox: its `sandbox.json`. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { CommandFailure, EXIT } from './command-failure.ts';

export const LATEST_RUN = resolve(import.meta.dirname, '../../../.run/latest');

const sandboxFile = z.object({
  databaseUrl: z.string(),
  jwt: z.object({ secretFile: z.string(), issuer: z.string(), audience: z.string() }),
});

export function readSandboxRun(runDir: string): z.infer<typeof sandboxFile> {
  const file = join(runDir, 'sandbox.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure(
      `No sandbox runs: ${file} is not there. Start one with: make sandbox`,
      EXIT.usage,
    );
  }
  const parsed = sandboxFile.safeParse(parseJson(text));
  if (!parsed.success) throw new CommandFailure(`${file} is not of a sandbox of this version.`, EXIT.usage);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
