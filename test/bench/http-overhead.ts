/**
 * What HTTP, token check and routing add to an activation: POST /v1/sos over keep-alive connections with a gateway
 * that answers at once. `node test/bench/http-overhead.ts [requests]` prints one JSON line, milliseconds.
 */
import { Agent, request } from 'node:http';
import { startHttpLab, tokenFor } from '../support/http-lab.ts';
import { percentilesOf } from './percentiles.ts';

const REQUESTS = Number(process.argv[2] ?? 3000);
const WARM_UP = 500;

const lab = await startHttpLab();
const token = await tokenFor('citizen', 'priya', 600);
const body = JSON.stringify({
  deviceId: 'phone1',
  location: { latitude: 28.6139, longitude: 77.209, accuracyM: 8 },
  clientTime: '2026-01-01T00:00:00.000Z',
});
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function press(): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        host: '127.0.0.1',
        port: lab.port,
        method: 'POST',
        path: '/v1/sos',
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        },
      },
      (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 201) resolve(performance.now() - startedAt);
          else reject(new Error(`status ${response.statusCode ?? 0}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

for (let n = 0; n < WARM_UP; n++) await press();
const times: number[] = [];
for (let n = 0; n < REQUESTS; n++) times.push(await press());
console.log(
  JSON.stringify({
    what: 'POST /v1/sos, no-op gateway, client and server in one process, keep-alive, ms',
    ...percentilesOf(times),
  }),
);
agent.destroy();
await lab.close();
