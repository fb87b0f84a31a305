/** Asterisk's own Swagger (1.1 with its extensions), read from an installed root or from a running server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface SwaggerProperty {
  readonly type: string;
  readonly required?: boolean;
  readonly allowableValues?: { readonly valueType: string; readonly values: readonly string[] };
}

export interface SwaggerModel {
  readonly id: string;
  readonly subTypes?: readonly string[];
  readonly properties: Readonly<Record<string, SwaggerProperty>>;
}

export interface SwaggerParameter {
  readonly name: string;
  readonly paramType: 'path' | 'query' | 'body';
  readonly dataType: string;
  readonly required?: boolean;
  readonly allowMultiple?: boolean;
  readonly allowableValues?: { readonly valueType: string; readonly values: readonly string[] };
}

export interface SwaggerOperation {
  readonly httpMethod: string;
  readonly nickname: string;
  readonly responseClass: string;
  readonly upgrade?: string;
  readonly parameters?: readonly SwaggerParameter[];
}

export interface SwaggerResource {
  /** `channels`, `bridges`…, as in the file's name. */
  readonly name: string;
  readonly apis: readonly { readonly path: string; readonly operations: readonly SwaggerOperation[] }[];
  readonly models: Readonly<Record<string, SwaggerModel>>;
}

export interface AriSwagger {
  /** Upstream's version alone, `22.10.1`: what a distribution adds to it changes no API. */
  readonly version: string;
  readonly resources: readonly SwaggerResource[];
}

const REST_API = 'usr/share/asterisk/rest-api';
const FETCH_TIMEOUT_MS = 5_000;

/** `source`: an Asterisk root, or `http://user:password@host:port/ari`. Throws when it cannot be read. */
export function readAriSwagger(source: string): Promise<AriSwagger> {
  return /^https?:/.test(source) ? fromServer(new URL(source)) : fromRoot(source);
}

async function fromRoot(root: string): Promise<AriSwagger> {
  const status = await readFile(join(root, 'var/lib/dpkg/status'), 'utf8');
  const version = /^Package: asterisk\n(?:.+\n)*?Version: (.+)$/m.exec(status)?.[1];
  if (version === undefined) throw new Error(`${root} holds no installed asterisk package`);
  return {
    version: upstreamVersion(version),
    resources: await readResources(
      async (file) => JSON.parse(await readFile(join(root, REST_API, file), 'utf8')) as unknown,
    ),
  };
}

async function fromServer(url: URL): Promise<AriSwagger> {
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url.origin}${url.pathname.replace(/\/$/, '')}/${path}`, {
      headers: { authorization },
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return (await response.json()) as unknown;
  };
  const info = (await get('asterisk/info?only=system')) as { system: { version: string } };
  return {
    version: upstreamVersion(info.system.version),
    resources: await readResources((file) => get(`api-docs/${file}`)),
  };
}

async function readResources(read: (file: string) => Promise<unknown>): Promise<SwaggerResource[]> {
  const index = (await read('resources.json')) as { apis: { path: string }[] };
  const names = index.apis.map(({ path }) => path.replace('/api-docs/', '').replace('.{format}', '')).sort();
  return Promise.all(
    names.map(async (name) => {
      const resource = (await read(`${name}.json`)) as Omit<SwaggerResource, 'name'>;
      return { name, apis: resource.apis, models: resource.models };
    }),
  );
}

/** `1:22.10.1+dfsg+~cs6…-1` → `22.10.1`. */
function upstreamVersion(version: string): string {
  return /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? version;
}
