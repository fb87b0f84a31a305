/** One HTTP request to the sandbox, over TLS too: its certificate is trusted by name, not by turning checks off. */
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

export interface CallOptions {
  readonly method?: string;
  readonly token?: string;
  readonly json?: unknown;
  readonly deadlineMs: number;
  /** PEM of the sandbox's own certificate; `null` without TLS. */
  readonly certificateFile: string | null;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export function call(url: string, options: CallOptions): Promise<Answer> {
  const body = options.json === undefined ? undefined : JSON.stringify(options.json);
  const headers = {
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const { certificateFile } = options;
  const settings = {
    method: options.method ?? 'GET',
    headers,
    signal: AbortSignal.timeout(options.deadlineMs),
  };
  return new Promise((resolve, reject) => {
    const request =
      certificateFile === null
        ? plainRequest(url, settings)
        : tlsRequest(url, { ...settings, ca: readFileSync(certificateFile) });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.end(body);
  });
}
