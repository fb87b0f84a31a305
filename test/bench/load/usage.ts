/** What the gateway's processes used in a stretch of time, as rows of a table. */
import type { Figures, GatewayUnderLoad, LoopLag, Part } from './gateway-under-load.ts';
import { told, type Row } from './bench-table.ts';

const PARTS: readonly Part[] = ['core', 'edge', 'postgres', 'asterisk', 'clients'];

export interface Stretch {
  readonly seconds: number;
  readonly lag: LoopLag;
  readonly before: Figures;
  readonly after: Figures;
}

/** The gateway's own figures while `work` runs. */
export async function during(gateway: GatewayUnderLoad, work: () => Promise<unknown>): Promise<Stretch> {
  await gateway.loopLag();
  const before = gateway.figures();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, before, after: gateway.figures(), lag: await gateway.loopLag() };
}

export function cpuPercent({ before, after, seconds }: Stretch, part: Part): number {
  return (100 * (after[part].cpuS - before[part].cpuS)) / seconds;
}

export function usageRows(name: string, stretch: Stretch): readonly Row[] {
  const { lag, after } = stretch;
  const cpu = PARTS.map((part) => `${part} ${cpuPercent(stretch, part).toFixed(0)}`).join(', ');
  const rss = PARTS.map((part) => `${part} ${after[part].rssMb.toFixed(0)}`).join(', ');
  const lags = `p50 ${lag.p50.toFixed(1)}, p99 ${lag.p99.toFixed(1)}, max ${lag.max.toFixed(1)}`;
  return [
    told(`${name}: event loop of the core, ms late`, lags),
    told(`${name}: percent of one processor`, cpu),
    told(`${name}: memory, MB`, rss),
  ];
}
