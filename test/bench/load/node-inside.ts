/** What lives inside a Node process that was started with `--inspect`, asked over its inspector: exact, and after a collection. */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';

export interface Living {
  /** Live objects of JavaScript after a full collection, MB. */
  readonly heapMb: number;
  /** Sockets, servers, timers, requests under way. */
  readonly handles: number;
}

/** For NODE_OPTIONS: on a free port of loopback, which the process tells in its log. */
export const INSPECTABLE = '--inspect=127.0.0.1:0';

const DEADLINE_MS = 10_000;

export interface NodeInside {
  living(): Promise<Living>;
  close(): void;
}

export async function lookInside(logFile: string): Promise<NodeInside> {
  const url = /Debugger listening on (ws:\/\/\S+)/.exec(readFileSync(logFile, 'utf8'))?.[1];
  if (url === undefined) throw new Error('the process was not started with --inspect');
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  let calls = 0;
  const call = (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    calls += 1;
    const id = calls;
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), DEADLINE_MS);
      const take = (data: Buffer): void => {
        const message = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown> };
        if (message.id !== id) return;
        clearTimeout(timer);
        socket.off('message', take);
        resolve(message.result ?? {});
      };
      socket.on('message', take);
    });
  };
  return {
    async living() {
      await call('HeapProfiler.collectGarbage');
      const { usedSize } = await call('Runtime.getHeapUsage');
      const { result } = await call('Runtime.evaluate', {
        expression: 'process.getActiveResourcesInfo().length',
        returnByValue: true,
      });
      return { heapMb: Number(usedSize) / 2 ** 20, handles: Number((result as { value?: unknown }).value) };
    },
    close: () => socket.terminate(),
  };
}
