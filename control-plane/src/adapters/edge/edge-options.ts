import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { EdgeLimits } from './edge-limits.ts';

/** Everything that an edge is told when it starts. */
export interface EdgeOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM. Without it the edge speaks plain `ws` (behind a TLS proxy, or in the sandbox). */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Internal listeners of the core nodes, `ws://…` or `wss://…`: the one that serves is found among them. */
  readonly coreUrls: readonly string[];
  readonly coreSecret: string;
  /** The address that the engine's ACL permits; the edge's connections to the engine come from it. */
  readonly localAddress?: string;
  readonly limits?: Partial<EdgeLimits>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the parts of the edge share. */
export interface EdgeContext {
  readonly limits: EdgeLimits;
  readonly localAddress: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}
