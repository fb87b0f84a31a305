/** Responses: JSON, or a problem document (RFC 9457) with a stable code. */
import type { ServerResponse } from 'node:http';
import { problemOf, type ErrorCode } from '../../contracts/error-table.ts';
import type { Outcome } from './http-call.ts';

export function writeOutcome(response: ServerResponse, outcome: Outcome): void {
  if (response.headersSent || response.destroyed) return;
  if (!outcome.ok) {
    const problem = problemOf(outcome.code, outcome.detail, outcome.errors);
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    const retryAfterS = outcome.retryAfterS ?? (problem.status === 503 ? 1 : null);
    if (retryAfterS !== null) response.setHeader('Retry-After', String(retryAfterS));
    write(response, problem.status, 'application/problem+json', problem);
  } else if (outcome.status === 204) {
    response.writeHead(204).end();
  } else {
    write(response, outcome.status, 'application/json', outcome.body);
  }
}

function write(response: ServerResponse, status: number, type: string, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(bytes);
}

/** A whole HTTP/1.1 response as bytes, for sockets that Node's HTTP server no longer or not yet answers on. */
export function rawProblem(code: ErrorCode, detail: string): string {
  const problem = problemOf(code, detail);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
