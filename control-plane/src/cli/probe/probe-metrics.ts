/** What the last run found, for Prometheus: `/metrics` of the probe itself, which stands while the gateway does not. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { PrometheusMetrics } from '../../adapters/metrics/prometheus-metrics.ts';
import type { ListenAddress } from '../../config/listen-address.ts';
import type { ProbeReport } from './sos-run.ts';

const REQUEST_MS = 5000;
const MAX_CONNECTIONS = 20;

export class ProbeMetrics {
  readonly #metrics = new PrometheusMetrics();
  #server: Server | null = null;

  note({ ok, checks, tookMs }: ProbeReport, mode: 'stream' | 'phone', nowMs: number): void {
    const metrics = this.#metrics;
    const seconds = Math.round(nowMs / 1000);
    metrics.count('hamrahi_probe_runs_total', { mode, result: ok ? 'good' : 'failed' });
    metrics.gauge('hamrahi_probe_ok', ok ? 1 : 0, { mode });
    metrics.gauge('hamrahi_probe_ran_at_seconds', seconds, { mode });
    if (ok) metrics.gauge('hamrahi_probe_good_at_seconds', seconds, { mode });
    metrics.observe('hamrahi_probe_run_ms', tookMs, { mode });
    for (const { name, ok: isGood, valueMs } of checks) {
      metrics.gauge('hamrahi_probe_check_ok', isGood ? 1 : 0, { mode, check: name });
      if (valueMs !== null) metrics.observe('hamrahi_probe_check_ms', valueMs, { mode, check: name });
    }
  }

  /** Resolves with the port once it listens. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    const server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      void this.#metrics.exposition().then(({ contentType, text }) => {
        response.writeHead(200, { 'content-type': contentType }).end(text);
      });
    });
    server.requestTimeout = REQUEST_MS;
    server.maxConnections = MAX_CONNECTIONS;
    this.#server = server;
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}
