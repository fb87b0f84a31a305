/** A balancer as it stands before two core nodes: leads each connection to the node that is ready, and cuts those to one that is not. */
import { get } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';

const LOOK_EVERY_MS = 50;
const ANSWER_MS = 400;
/** Looks without any node that is ready. */
const GIVEN_UP_AFTER = 3;

export interface FrontDoor {
  stop(): Promise<void>;
}

export async function startFrontDoor(port: number, targets: readonly number[]): Promise<FrontDoor> {
  let serving: number | null = null;
  let missed = 0;
  const end = new AbortController();
  const pairs = new Set<{ readonly near: Socket; readonly target: number }>();
  const server = createServer((near) => {
    near.on('error', () => near.destroy());
    if (serving === null) {
      near.destroy();
      return;
    }
    const far = connect({ port: serving, host: '127.0.0.1', noDelay: true });
    const pair = { near, target: serving };
    pairs.add(pair);
    far.on('error', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('close', () => {
      pairs.delete(pair);
      far.destroy();
    });
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const watching = (async () => {
    while (!end.signal.aborted) {
      const ready = await Promise.all(targets.map(isReady));
      const found = targets[ready.indexOf(true)] ?? null;
      missed = found === null ? missed + 1 : 0;
      if (found !== null || missed >= GIVEN_UP_AFTER) serving = found;
      for (const { near, target } of pairs) if (target !== serving) near.destroy();
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  return {
    async stop() {
      end.abort();
      await watching;
      for (const { near } of pairs) near.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/readyz', timeout: ANSWER_MS, agent: false });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
  });
}
