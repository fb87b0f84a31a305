import { createServer, type Server } from 'node:net';
import { createSocket, type SocketType } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * Ports for the servers of one sandbox, so that several sandboxes, started at the same instant by anybody
 * on this machine, never hand the same port to two servers.
 *
 * Between "found free" and "bound by the server" lies a gap in which somebody else may take the port. It is
 * closed by a claim: a listening socket in Linux's abstract namespace, named after the port. Claiming is
 * atomic, it is seen by every user of the same network namespace, and the kernel drops it with the process,
 * even after a SIGKILL, so that no stale lock file is ever left. Ports lie below the range from which the
 * kernel serves outgoing connections (usually 32768 and up).
 */

const SINGLE_PORTS = { first: 20_000, last: 23_999 };
const RANGE_PORTS = { first: 24_000, last: 31_999 };
const RANGE_BLOCK_SIZE = 100;
const MAX_PORTS_PER_RANGE = 2_000;

/** Consecutive ports, `first` to `last` both included, ours until released or until this process ends. */
export interface PortReservation {
  readonly first: number;
  readonly last: number;
  /** Gives the claim back. Harmless when repeated. The server on the port, if any, is not touched. */
  release(): Promise<void>;
}

/** One port, free for UDP and TCP on every one of `addresses`. Throws ERR_SANDBOX_NO_FREE_PORT. */
export function reservePort(addresses: readonly string[] = ['127.0.0.1']): Promise<PortReservation> {
  return reserve(SINGLE_PORTS, 1, 1, addresses);
}

/**
 * `count` consecutive ports from an even one, for RTP (even) with its RTCP (odd). The claim is rounded up
 * to blocks of 100; `last` is the last port asked for. Throws ERR_SANDBOX_NO_FREE_PORT.
 */
export function reservePortRange(
  count: number,
  addresses: readonly string[] = ['127.0.0.1'],
): Promise<PortReservation> {
  if (count < 1 || count > MAX_PORTS_PER_RANGE) {
    throw new RangeError(`a range has 1 to ${MAX_PORTS_PER_RANGE} ports, not ${count}`);
  }
  return reserve(RANGE_PORTS, RANGE_BLOCK_SIZE, count, addresses);
}

async function reserve(
  zone: { first: number; last: number },
  blockSize: number,
  count: number,
  addresses: readonly string[],
): Promise<PortReservation> {
  const blocksInZone = Math.floor((zone.last - zone.first + 1) / blockSize);
  const blocksNeeded = Math.ceil(count / blockSize);
  const places = blocksInZone - blocksNeeded + 1;
  const start = Math.floor(Math.random() * places);
  for (let step = 0; step < places; step += 1) {
    const firstBlock = (start + step) % places;
    const first = zone.first + firstBlock * blockSize;
    const claims = await claimBlocks(first, blockSize, blocksNeeded);
    if (claims === undefined) continue;
    if (await allFree(first, count, addresses)) {
      return { first, last: first + count - 1, release: () => closeAll(claims) };
    }
    await closeAll(claims);
  }
  throw Object.assign(
    new Error(`no ${count} consecutive free ports on ${addresses.join(', ')} in ${zone.first}–${zone.last}`),
    { code: 'ERR_SANDBOX_NO_FREE_PORT' },
  );
}

/** The claims of consecutive blocks, or undefined when somebody holds one of them. */
async function claimBlocks(first: number, blockSize: number, blocks: number): Promise<Server[] | undefined> {
  const claims: Server[] = [];
  for (let block = 0; block < blocks; block += 1) {
    const claim = await claimName(`\0hamrahi-sandbox-port-${first + block * blockSize}`);
    if (claim === undefined) {
      await closeAll(claims);
      return undefined;
    }
    claims.push(claim);
  }
  return claims;
}

function claimName(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}

async function allFree(first: number, count: number, addresses: readonly string[]): Promise<boolean> {
  for (let port = first; port < first + count; port += 1) {
    for (const address of addresses) {
      if (!(await isTcpFree(address, port)) || !(await isUdpFree(address, port))) return false;
    }
  }
  return true;
}

function isTcpFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function isUdpFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const type: SocketType = isIPv6(address) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, reuseAddr: false });
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

async function closeAll(claims: readonly Server[]): Promise<void> {
  await Promise.all(
    claims.map(
      (claim) =>
        new Promise<void>((resolve) => {
          if (claim.listening) claim.close(() => resolve());
          else resolve();
        }),
    ),
  );
}
