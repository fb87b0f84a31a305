/** In which order a call goes by the trunks. Health and load order them; they never empty the list (decision 18). */
import type { TrunkHost, Trunk } from './trunk.ts';
import { orderedHosts } from './trunk-dial.ts';

/** A trunk, and which of its hosts. */
export interface Route {
  readonly trunk: string;
  readonly host: TrunkHost;
}

export type Standing = 'up' | 'doubtful' | 'down';

/** How often a call changes its way at most. */
export const MAX_ROUTES = 6;

/**
 * Each trunk's first host by standing and priority, then the second hosts, and so on: another carrier is likelier to have a
 * way than another host of the same one. What is down comes last, and so, before it, what is full.
 */
export function routesOf(
  trunks: readonly Trunk[],
  standingOf: (trunk: string) => Standing,
  isFull: (trunk: Trunk) => boolean,
): readonly Route[] {
  const rank = (trunk: Trunk): number => (standingOf(trunk.name) === 'down' ? 2 : isFull(trunk) ? 1 : 0);
  const ordered = trunks.toSorted((a, b) => rank(a) - rank(b) || a.priority - b.priority);
  const hosts = ordered.map((trunk) => ({ trunk: trunk.name, hosts: orderedHosts(trunk) }));
  const deepest = Math.max(0, ...hosts.map((one) => one.hosts.length));
  const routes: Route[] = [];
  for (let depth = 0; depth < deepest; depth += 1)
    for (const { trunk, hosts: of } of hosts) {
      const host = of[depth];
      if (host) routes.push({ trunk, host });
    }
  return routes.slice(0, MAX_ROUTES);
}
