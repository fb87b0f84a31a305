/** An edge node: the SIP relay, attached to a core. */
import { readFileSync } from 'node:fs';
import { startEdge } from '../adapters/edge/start-edge.ts';
import type { Config, EdgeConfig } from '../config/config.ts';
import type { NodePorts } from './core-node.ts';

export interface EdgeNode {
  stop(): Promise<void>;
}

export async function startEdgeNode(
  config: Config,
  edge: EdgeConfig,
  core: { readonly urls: readonly string[]; readonly secret: string },
  { clock, log, metrics }: NodePorts,
): Promise<EdgeNode> {
  const tls = config.tls && {
    cert: readFileSync(config.tls.certFile, 'utf8'),
    key: readFileSync(config.tls.keyFile, 'utf8'),
  };
  const started = await startEdge({
    listen: edge.listen,
    localAddress: edge.relayAddress,
    ...(tls ? { tls } : {}),
    coreUrls: core.urls,
    coreSecret: core.secret,
    limits: { maxSockets: edge.maxConnections },
    clock,
    log,
    metrics,
  });
  log.info('edge node ready', { port: started.port });
  return started;
}
