/** People of a sandbox that serves over TLS: they trust its certificate by name, and check everything else as usual. */
import { readFileSync } from 'node:fs';
import { call, type Answer, type CallOptions } from '../../../control-plane/sandbox/call.ts';
import type { SandboxFile } from '../../../control-plane/sandbox/sandbox-file.ts';
import { LISTEN_TONES_HZ } from '../../../control-plane/sandbox/audio/tones.ts';
import {
  createHeadlessCitizen,
  createHeadlessOperator,
  type HeadlessCitizen,
  type HeadlessOperator,
} from '../../../control-plane/client/headless/index.ts';

const DEADLINE_MS = 4_000;

/** One request to the sandbox's API or pages. */
export function callOverTls(
  { urls, certificateFile }: SandboxFile,
  path: string,
  wishes: Pick<CallOptions, 'method' | 'token' | 'json'> = {},
): Promise<Answer> {
  return call(new URL(path, urls.api).href, { ...wishes, certificateFile, deadlineMs: DEADLINE_MS });
}

export function tlsCitizen(file: SandboxFile, toneHz: number): Promise<HeadlessCitizen> {
  const { token } = file.tokens.citizens[0]!;
  return createHeadlessCitizen({ ...trusting(file), token, deviceId: 'phone1', toneHz });
}

export function tlsOperator(file: SandboxFile): Promise<HeadlessOperator> {
  const { token } = file.tokens.operators[0]!;
  return createHeadlessOperator({
    ...trusting(file),
    token,
    clientId: 'panel1',
    candidatesHz: LISTEN_TONES_HZ,
  });
}

function trusting(file: SandboxFile): { baseUrl: string; ca: string; fetch: typeof fetch } {
  return {
    baseUrl: file.urls.api,
    ca: readFileSync(file.certificateFile!, 'utf8'),
    // Node's fetch takes no certificate authority of its own.
    fetch: async (url, init) => {
      const { pathname, search } = new URL(url instanceof Request ? url.url : url);
      const token = new Headers(init?.headers).get('authorization')?.replace(/^Bearer /, '');
      const json = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
      const { status, text } = await callOverTls(file, pathname + search, {
        ...(init?.method === undefined ? {} : { method: init.method }),
        ...(token === undefined ? {} : { token }),
        ...(json === undefined ? {} : { json }),
      });
      return new Response(status === 204 ? null : text, { status });
    },
  };
}
