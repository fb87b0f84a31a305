/** Metrics for tests whose subject counts. */
import type { Metrics } from '../../control-plane/src/ports/log.ts';

export const silentMetrics: Metrics = {
  count: () => undefined,
  observe: () => undefined,
  gauge: () => undefined,
};
