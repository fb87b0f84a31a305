/** The sandbox's PostgreSQL, which can crash and come back on the same port and data. */
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/adapters/postgres/embedded.ts';
import { identifyProcess, isRunning } from './process-identity.ts';
import { quietLog } from './quiet-log.ts';
import { setTimeout as delay } from 'node:timers/promises';

const GONE_MS = 5000;
const POLL_MS = 10;

export interface SandboxDatabase {
  readonly url: string;
  readonly pid: () => number;
  /** Immediate shutdown: every connection is cut, nothing is checkpointed. */
  crash(): Promise<void>;
  /** After a crash: on the same port, recovered from its log. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSandboxDatabase(dataDir: string): Promise<SandboxDatabase> {
  let postgres: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir, log: quietLog });
  const { url } = postgres;
  const port = Number(new URL(url).port);
  return {
    url,
    pid: () => postgres.pid,
    crash: async () => {
      const identity = identifyProcess(postgres.pid, 'postgres');
      if (!identity) return;
      process.kill(postgres.pid, 'SIGQUIT');
      const deadline = performance.now() + GONE_MS;
      while (isRunning(identity)) {
        if (performance.now() > deadline)
          throw new Error(`PostgreSQL, process ${identity.pid}, does not end`);
        await delay(POLL_MS);
      }
    },
    restart: async () => {
      postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, port });
    },
    stop: () => postgres.stop(),
  };
}
