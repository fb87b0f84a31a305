/** A log for tests whose subject writes one. */
import type { Log } from '../../control-plane/src/ports/log.ts';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
