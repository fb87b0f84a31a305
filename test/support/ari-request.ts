import { WebSocket } from 'ws';
import type { GatewayEngine } from '../../control-plane/sandbox/gateway-engine.ts';
import {
  webrtcEndpointFields,
  type WebrtcEndpointOptions,
} from '../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';

/** Plain HTTP to an engine's ARI, for tests that look into Asterisk without our own adapter. */
export async function ariRequest(
  engine: GatewayEngine,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${engine.httpUrl}/ari${path}`, {
    method,
    headers: {
      authorization: authorizationOf(engine),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

export interface AriEvent {
  readonly type: string;
  readonly channel?: { readonly id: string; readonly name: string; readonly state: string };
  readonly args?: readonly string[];
  readonly [field: string]: unknown;
}

export interface AriEvents {
  readonly seen: readonly AriEvent[];
  /** The first event that fits, seen already or yet to come. Throws after `deadlineMs` (default 3 s). */
  until(fits: (event: AriEvent) => boolean, deadlineMs?: number): Promise<AriEvent>;
  close(): void;
}

/** Attaches the Stasis application `app`, as the control plane does. */
export async function attachAri(engine: GatewayEngine, app: string): Promise<AriEvents> {
  const url = `${engine.httpUrl.replace('http', 'ws')}/ari/events?app=${app}&subscribeAll=true`;
  const socket = new WebSocket(url, { headers: { authorization: authorizationOf(engine) } });
  const seen: AriEvent[] = [];
  const watchers = new Set<() => void>();
  socket.on('message', (data) => {
    seen.push(JSON.parse((data as Buffer).toString('utf8')) as AriEvent);
    for (const watch of [...watchers]) watch();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  return {
    seen,
    until: (fits, deadlineMs = 3_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(watch);
          reject(new Error(`no such event; there were: ${seen.map(({ type }) => type).join(' ') || 'none'}`));
        }, deadlineMs);
        const watch = (): void => {
          const found = seen.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
      }),
    close: () => socket.terminate(),
  };
}

/** Puts a client's endpoint into the engine's memory. Throws when ARI refuses one of the fields. */
export async function provisionClient(
  engine: GatewayEngine,
  options: Pick<WebrtcEndpointOptions, 'aor'> & Partial<WebrtcEndpointOptions>,
): Promise<void> {
  const fields = webrtcEndpointFields({ permit: engine.relayAddresses, ...options });
  for (const kind of ['aor', 'endpoint'] as const) {
    const path = `/asterisk/config/dynamic/res_pjsip/${kind}/${options.aor}`;
    const { status, body } = await ariRequest(engine, 'PUT', path, { fields: fields[kind] });
    if (status !== 200) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(body)}`);
  }
}

/** The channels that the engine has. */
export async function channelsOf(engine: GatewayEngine): Promise<readonly { id: string; name: string }[]> {
  return (await ariRequest(engine, 'GET', '/channels')).body as { id: string; name: string }[];
}

/** No channel is left: a refused call is answered a moment before its channel is gone. Rejects after 2 s with what is. */
export async function untilNoChannels(engine: GatewayEngine): Promise<void> {
  const end = performance.now() + 2_000;
  for (;;) {
    const left = await channelsOf(engine);
    if (left.length === 0) return;
    if (performance.now() > end) throw new Error(`still there: ${left.map(({ name }) => name).join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function authorizationOf(engine: GatewayEngine): string {
  const { user, password } = engine.settings.ari;
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`;
}
