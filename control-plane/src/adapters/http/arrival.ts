/** When a request's head arrived: stamped before anything else looks at it. For an activation this is t0. */
import type { IncomingMessage } from 'node:http';
import type { Instant } from '../../domain/ids.ts';

const arrivals = new WeakMap<IncomingMessage, Instant>();

export function stampArrival(request: IncomingMessage, at: Instant): void {
  arrivals.set(request, at);
}

/** Throws for a request that did not come through the server: a bug. */
export function arrivalOf(request: IncomingMessage): Instant {
  const at = arrivals.get(request);
  if (at === undefined) throw new Error('the request was never stamped');
  return at;
}
