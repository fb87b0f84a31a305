/** Every request gets an id, is counted and timed, and leaves one log line: never its path's ids, query or body. */
import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { arrivalOf } from './arrival.ts';

/** Set by the route that serves the request; what no route serves is `other`. */
export function nameOperation(response: Response, operation: string): void {
  response.locals['operation'] = operation;
}

export function observeRequests(clock: Clock, log: Log, metrics: Metrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const requestId = randomUUID();
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => {
      const named: unknown = response.locals['operation'];
      const operation = typeof named === 'string' ? named : 'other';
      const ms = clock.now() - arrivalOf(request);
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      metrics.count('hamrahi_http_requests_total', { operation, status });
      metrics.observe('hamrahi_http_request_ms', ms, { operation });
      const fields = { requestId, operation, status, ms: Math.round(ms * 100) / 100 };
      if (response.statusCode >= 500) log.warn('request', fields);
      else log.debug('request', fields);
    });
    next();
  };
}
