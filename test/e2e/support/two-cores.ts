/** Two core nodes on one database and one Asterisk, an edge of its own that knows both, and a balancer before their API. */
import { readFileSync } from 'node:fs';
import {
  startControlPlane,
  type ControlPlaneProcess,
} from '../../../control-plane/sandbox/control-plane-process.ts';
import { reservePort, type PortReservation } from '../../../control-plane/sandbox/free-ports.ts';
import { eventually } from './eventually.ts';
import { startFrontDoor, type FrontDoor } from './front-door.ts';
import { useGateway, type Gateway } from './gateway.ts';

const SOMEBODY_SERVES_MS = 15_000;
const STARTED_MS = 60_000;

export interface CoreNode {
  readonly name: string;
  readonly url: string;
  readonly process: ControlPlaneProcess;
}

export interface TwoCores {
  readonly gateway: Gateway;
  /** The node that serves now. */
  active(): Promise<CoreNode>;
  /** The node that answers and does not serve. */
  standby(): Promise<CoreNode>;
  /** Lines of this node's log with this code. */
  logged(node: CoreNode, code: string): readonly string[];
}

interface Seat {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  process: ControlPlaneProcess;
  gone: boolean;
}

/** Registers hooks of the running suite. After each test both nodes live: one serves, the other stands by. */
export function useTwoCores(env: Readonly<Record<string, string>> = {}): TwoCores {
  const seats: Seat[] = [];
  const reservations: PortReservation[] = [];
  const door: { is: FrontDoor | null } = { is: null };
  const take = async (): Promise<number> => {
    const reservation = await reservePort();
    reservations.push(reservation);
    return reservation.first;
  };
  afterEach('has both nodes live', async function () {
    this.timeout(STARTED_MS);
    for (const seat of seats) await revive(seat);
    await eventually('a node serves', () => serving(seats), SOMEBODY_SERVES_MS);
  });
  after('stops both nodes', async function () {
    this.timeout(STARTED_MS);
    for (const seat of seats) {
      seat.process.signal('SIGCONT');
      await seat.process.stop();
    }
    await door.is?.stop();
    for (const reservation of reservations) await reservation.release();
  });
  const gateway = useGateway(async () => {
    const [firstHttp, secondHttp, firstInternal, secondInternal] = await Promise.all([
      take(),
      take(),
      take(),
      take(),
    ]);
    const places = [
      { http: firstHttp, internal: firstInternal },
      { http: secondHttp, internal: secondInternal },
    ] as const;
    return {
      edgeApart: true,
      env: {
        ...env,
        HAMRAHI_NODE_ID: 'first',
        HAMRAHI_HTTP_LISTEN: `127.0.0.1:${firstHttp}`,
        HAMRAHI_INTERNAL_LISTEN: `127.0.0.1:${firstInternal}`,
      },
      edgeEnv: {
        HAMRAHI_CORE_URL: places.map(({ internal }) => `ws://127.0.0.1:${internal}/edge-link`).join(','),
      },
      detour: async (links, file) => {
        door.is = await startFrontDoor(file.ports.http, [firstHttp, secondHttp]);
        return links;
      },
    };
  });
  before('starts the second node', async function () {
    this.timeout(STARTED_MS);
    const { sandbox } = gateway;
    const first = sandbox.coreEnv;
    const [http, internal] = [reservations[1]!.first, reservations[3]!.first];
    const second = {
      ...first,
      HAMRAHI_NODE_ID: 'second',
      HAMRAHI_HTTP_LISTEN: `127.0.0.1:${http}`,
      HAMRAHI_INTERNAL_LISTEN: `127.0.0.1:${internal}`,
    };
    const urlOf = (one: Readonly<Record<string, string>>): string =>
      `http://${one['HAMRAHI_HTTP_LISTEN'] ?? ''}`;
    seats.push({ name: 'core', env: first, url: urlOf(first), process: sandbox.controlPlane(), gone: false });
    seats.push({
      name: 'core-second',
      env: second,
      url: urlOf(second),
      process: await start('core-second', second),
      gone: false,
    });
    for (const seat of seats) void seat.process.exited.then(() => (seat.gone = true));
  });

  async function start(
    name: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<ControlPlaneProcess> {
    return startControlPlane({
      runDir: gateway.file.runDir,
      name,
      env: settings,
      readyUrl: `http://${settings['HAMRAHI_HTTP_LISTEN'] ?? ''}/healthz`,
      certificateFile: null,
    });
  }

  async function revive(seat: Seat): Promise<void> {
    seat.process.signal('SIGCONT');
    if (!seat.gone) return;
    seat.process = await start(seat.name, seat.env);
    seat.gone = false;
    void seat.process.exited.then(() => (seat.gone = true));
  }

  return {
    gateway,
    active: () => eventually('a node serves', () => serving(seats), SOMEBODY_SERVES_MS),
    standby: () =>
      eventually(
        'a node stands by',
        async () => {
          for (const seat of seats) if ((await readiness(seat.url))?.standby === true) return seat;
          return null;
        },
        SOMEBODY_SERVES_MS,
      ),
    logged: (node, code) =>
      readFileSync(node.process.logFile, 'utf8')
        .split('\n')
        .filter((line) => line.includes(`"code":"${code}"`)),
  };
}

async function serving(seats: readonly Seat[]): Promise<Seat | null> {
  for (const seat of seats) if ((await readiness(seat.url))?.ready === true) return seat;
  return null;
}

async function readiness(
  url: string,
): Promise<{ readonly ready: boolean; readonly standby: boolean } | null> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(500) });
    return (await response.json()) as { ready: boolean; standby: boolean };
  } catch {
    return null;
  }
}
