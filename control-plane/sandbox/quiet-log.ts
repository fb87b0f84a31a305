/** A log for the sandbox's own plumbing: only what went wrong is shown. */
import type { Log } from '../src/ports/log.ts';

export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => process.stderr.write(`sandbox: ${message}\n`),
  error: (message) => process.stderr.write(`sandbox: ${message}\n`),
  child: () => quietLog,
};
