/** A core on real PostgreSQL, with an engine in memory: for what the two do to each other. */
import { CARRIER_TRUNK } from './trunk-sample.ts';
import { createCore } from '../../control-plane/src/app/core.ts';
import type { Core, CorePorts } from '../../control-plane/src/app/core.ts';
import { randomIds, systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import type { Database } from '../../control-plane/src/adapters/postgres/open-database.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import { FakePbx } from './fake-pbx.ts';
import { MemoryJournal } from './memory-journal.ts';
import { silentLog } from './silent-log.ts';
import { silentMetrics } from './silent-metrics.ts';

const LONG_MS = 60_000;

export function fakeEngine(): FakePbx {
  return new FakePbx({ clock: systemClock(), trunks: ['carrier'] });
}

/** Not started yet. Nobody speaks and nobody is given up: no deadline comes within a minute. */
export function coreOnDatabase(database: Database, pbx: FakePbx, change: Partial<CorePorts> = {}): Core {
  return createCore({
    ...database,
    journal: new MemoryJournal(),
    pbx,
    lease: { verify: () => Promise.resolve('held') },
    sockets: { close: () => undefined },
    clock: systemClock(),
    ids: randomIds,
    log: silentLog,
    metrics: silentMetrics,
    policy: {
      ...DEFAULT_POLICY,
      watchdogMs: LONG_MS,
      firstRetryMs: LONG_MS,
      operatorReofferMs: LONG_MS,
    },
    trunks: () => [CARRIER_TRUNK],
    sipDomain: 'example.org',
    ...change,
  });
}
