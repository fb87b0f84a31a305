/** What can break. Each fault is over when `strike` resolves, and the gateway is as whole as it was. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { CoreEnv, Rig } from './rig.ts';
import { skewedClock, STEP_SIGNAL, steppingClock } from './skewed-clock.ts';

export interface Fault {
  readonly name: string;
  /** The core runs with these settings from the beginning of the run. */
  readonly coreEnv?: CoreEnv;
  /** Just before; requests of the moment come after it. */
  readonly arm?: (rig: Rig) => void;
  readonly strike: (rig: Rig) => Promise<void>;
  /** What the next core's clock is off by; deadlines may be that much later. */
  readonly clockStepMs?: number;
  /** Her stream does not survive it, nor does any call. */
  readonly cutsMedia?: boolean;
  /** So many starts of the core are meant to come to nothing. */
  readonly failsStarts?: number;
  /** `false`: this machine does not allow it. */
  readonly possible?: (rig: Rig) => boolean;
}

const STOPPED_MS = 3_000;
const EDGE_AWAY_MS = 300;
const DATABASE_AWAY_MS = 1_000;
const SLOW_MS = 6_000;
const LOST_MS = 1_500;
const FULL_MS = 4_000;
/** The core looks at its clock once a second. */
const NOTICED_MS = 1_500;
const FAILPOINT_MS = 15_000;

const kill = async (rig: Rig, ...next: readonly CoreEnv[]): Promise<void> => {
  const core = rig.gateway.sandbox.controlPlane();
  rig.nextCores(...next);
  await core.kill();
  await rig.coreBack(core.pid);
};

/** The process dies, or stops, where the failpoint says. */
function failpoint(order: string, name = order.replace(/^kill:/, '')): Fault {
  return {
    name,
    coreEnv: { HAMRAHI_FAILPOINT: `${order}:on-signal` },
    arm: (rig) => rig.gateway.sandbox.controlPlane().signal('SIGUSR2'),
    strike: async (rig) => {
      const core = rig.gateway.sandbox.controlPlane();
      const deadline = performance.now() + FAILPOINT_MS;
      while (isRunningFreely(core.pid)) {
        if (performance.now() > deadline) throw new Error(`nothing passed ${order}`);
        await delay(20);
      }
      if (order.startsWith('stop:')) {
        await delay(STOPPED_MS);
        core.signal('SIGCONT');
      } else {
        await rig.coreBack(core.pid);
      }
    },
  };
}

export const FAULTS: readonly Fault[] = [
  { name: 'core killed', strike: (rig) => kill(rig) },
  {
    name: 'core stopped for 3 s',
    strike: async (rig) => {
      const core = rig.gateway.sandbox.controlPlane();
      core.signal('SIGSTOP');
      await delay(STOPPED_MS);
      core.signal('SIGCONT');
    },
  },
  {
    name: 'edge killed',
    strike: async ({ gateway: { sandbox } }) => {
      await sandbox.edge()?.kill();
      await delay(EDGE_AWAY_MS);
      await sandbox.restartEdge();
    },
  },
  {
    name: 'core and edge killed',
    strike: async (rig) => {
      const { sandbox } = rig.gateway;
      await Promise.all([sandbox.edge()?.kill(), kill(rig)]);
      await sandbox.restartEdge();
    },
  },
  {
    name: 'Asterisk killed',
    cutsMedia: true,
    strike: (rig) => rig.restartEngine(),
  },
  {
    name: 'PostgreSQL restarted',
    strike: async ({ gateway: { sandbox } }) => {
      await sandbox.database.crash();
      await delay(DATABASE_AWAY_MS);
      await sandbox.database.restart();
    },
  },
  {
    name: 'power lost (all but the carrier)',
    cutsMedia: true,
    strike: async (rig) => {
      const { sandbox } = rig.gateway;
      const core = sandbox.controlPlane();
      await Promise.all([core.kill(), sandbox.edge()?.kill(), sandbox.database.crash()]);
      await Promise.all([rig.restartEngine(), sandbox.database.restart()]);
      await rig.coreBack(core.pid);
      await sandbox.restartEdge();
    },
  },
  {
    name: 'ARI cut',
    strike: async ({ toEngine }) => {
      toEngine.refuse(true);
      toEngine.cut();
      await delay(DATABASE_AWAY_MS);
      toEngine.refuse(false);
    },
  },
  {
    name: 'clients half open',
    strike: ({ toEdge }) => {
      toEdge.freeze('all');
      return Promise.resolve();
    },
  },
  {
    name: 'ARI half open',
    strike: ({ toEngine }) => {
      toEngine.freeze('all');
      return Promise.resolve();
    },
  },
  {
    name: 'PostgreSQL half open',
    strike: ({ toDatabase }) => {
      toDatabase.freeze('all');
      return Promise.resolve();
    },
  },
  ...[100, 300].map((ms) => ({
    name: `PostgreSQL slow (+${ms} ms)`,
    strike: async ({ toDatabase }: Rig) => {
      toDatabase.slow(ms / 2);
      await delay(SLOW_MS);
      toDatabase.slow(0);
    },
  })),
  {
    name: 'PostgreSQL stands still for 3 s',
    strike: async ({ gateway: { sandbox } }) => {
      const processes = familyOf(sandbox.database.pid());
      for (const pid of processes) process.kill(pid, 'SIGSTOP');
      await delay(STOPPED_MS);
      for (const pid of processes.toReversed()) process.kill(pid, 'SIGCONT');
    },
  },
  ...(['answer-lost', 'commit-lost'] as const).map((fault) => ({
    name: fault === 'answer-lost' ? "commit's answer lost" : 'commit lost',
    strike: async ({ commits }: Rig) => {
      commits.fault = fault;
      await delay(LOST_MS);
      commits.fault = 'none';
    },
  })),
  {
    name: 'disk of PostgreSQL full',
    possible: ({ disk }) => disk !== null,
    strike: async ({ disk, gateway: { sandbox } }) => {
      disk?.fill();
      await nextWalSegment(sandbox.database.url);
      await delay(FULL_MS);
      disk?.free();
      // Where it has given up, it is started again, as systemd would.
      await sandbox.database.restart();
    },
  },
  {
    name: "PostgreSQL away, disk of the core's journal full",
    possible: ({ journalDisk }) => journalDisk !== null,
    strike: async ({ journalDisk, toDatabase }) => {
      journalDisk?.fill();
      toDatabase.refuse(true);
      toDatabase.cut();
      await delay(FULL_MS);
      toDatabase.refuse(false);
      journalDisk?.free();
    },
  },
  ...[3000, -6000].map((stepMs) => ({
    name: `clock ${signed(stepMs)} s while the core runs`,
    coreEnv: steppingClock(stepMs),
    strike: async ({ gateway }: Rig) => {
      gateway.sandbox.controlPlane().signal(STEP_SIGNAL);
      await delay(NOTICED_MS);
      const direction = stepMs > 0 ? 'forward' : 'back';
      if ((await gateway.metric('hamrahi_clock_steps_total', { direction })) !== 1)
        throw new Error('the step of the clock was not noticed');
    },
  })),
  // Back by more than a restart takes: what was just dialled lies in the new core's future.
  ...[3000, -6000].map((stepMs) => ({
    clockStepMs: stepMs,
    name: `clock ${signed(stepMs)} s, core killed`,
    strike: (rig: Rig) => kill(rig, skewedClock(stepMs)),
  })),
  failpoint('kill:decided:3'),
  failpoint('kill:committed:2'),
  failpoint('kill:committed/api.activated:1'),
  failpoint('kill:committed/api.resolved:1'),
  failpoint('kill:timer-fired/timer.watchdog:1'),
  failpoint('kill:committed/timer.watchdog:1'),
  failpoint('stop:committed/timer.watchdog:1', 'committed/timer.watchdog:1, stopped for 3 s'),
  failpoint('kill:command-due/pbx.dial-phone:2'),
  failpoint('kill:command-done/pbx.dial-phone:1'),
  failpoint('kill:command-due/pbx.join:2'),
  failpoint('kill:engine-told/leg.answered:1'),
  {
    name: 'core killed, and again in the middle of its repairs',
    failsStarts: 1,
    strike: (rig) => kill(rig, { HAMRAHI_FAILPOINT: 'kill:reconciling:4' }),
  },
];

function signed(ms: number): string {
  return `${ms > 0 ? '+' : '−'}${Math.abs(ms) / 1000}`;
}

function isRunningFreely(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['T', 'Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}

/** A process and its children, itself first. */
function familyOf(pid: number): readonly number[] {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return [
    pid,
    ...children
      .split('\n')
      .map(Number)
      .filter((one) => one > 0),
  ];
}

/** What PostgreSQL writes next needs a new file of 16 MB. */
async function nextWalSegment(url: string): Promise<void> {
  const client = new Client({ connectionString: url, query_timeout: 2000 });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SELECT pg_switch_wal()').catch(() => undefined);
  await client.end().catch(() => undefined);
}
