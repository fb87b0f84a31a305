/** The sandbox's Asterisk, driven by bare ARI requests: no code of the gateway's engine side. */
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { startGatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import {
  webrtcEndpointFields,
  type ConfigTuple,
} from '../../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';

export interface AriEvent {
  readonly type: string;
  readonly channel?: { readonly id: string };
  readonly cause?: number;
  readonly tech_cause?: string;
}

export interface TestEngine {
  readonly sipWebSocketUrl: string;
  /** Makes the endpoint of this address of record. */
  provision(aor: string): Promise<void>;
  /** Resolves when the endpoint has a contact. */
  contact(aor: string): Promise<void>;
  /** Calls it; `legId` is the channel's id and the INVITE's X-Hamrahi-Leg. */
  call(aor: string, sessionId: string, legId: string): Promise<void>;
  hangUp(legId: string): Promise<void>;
  /** Joins legs in a new mixing bridge; those in `muted` may listen only. Returns what ends it. */
  bridge(legIds: readonly string[], muted: readonly string[]): Promise<() => Promise<void>>;
  /** The first event that fits, from the start on; rejects after 10 s. */
  event(fits: (event: AriEvent) => boolean): Promise<AriEvent>;
  channels(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const APP = 'client-test';

export async function startTestEngine(): Promise<TestEngine> {
  const { runDir, remove } = makeRunDir('cl');
  const engine = await startGatewayEngine({ root: asteriskRootDir(), runDir, ariApp: APP, trunks: [] });
  const { user, password } = engine.settings.ari;
  const credentials = `${user}:${password.reveal()}`;
  const ari = createAri(`${engine.httpUrl}/ari`, credentials);
  const webSocketUrl = engine.httpUrl.replace('http:', 'ws:');
  const events = await listen(`${webSocketUrl}/ari/events?app=${APP}`, credentials);
  return {
    sipWebSocketUrl: `${webSocketUrl}/ws`,
    async provision(aor) {
      const { aor: aorFields, endpoint } = webrtcEndpointFields({ aor, permit: engine.relayAddresses });
      await ari.put(`asterisk/config/dynamic/res_pjsip/aor/${aor}`, aorFields);
      await ari.put(`asterisk/config/dynamic/res_pjsip/endpoint/${aor}`, endpoint);
    },
    async contact(aor) {
      for (let tries = 0; tries < 200; tries += 1) {
        const { state } = (await ari.get(`endpoints/PJSIP/${aor}`)) as { state: string };
        if (state === 'online') return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`${aor} has no contact`);
    },
    async call(aor, sessionId, legId) {
      const query = new URLSearchParams({
        endpoint: `PJSIP/${aor}`,
        app: APP,
        formats: 'opus',
        timeout: '20',
      });
      await ari.post(`channels/${legId}?${query.toString()}`, {
        variables: {
          'PJSIP_HEADER(add,X-Hamrahi-Leg)': legId,
          'PJSIP_HEADER(add,X-Hamrahi-Session)': sessionId,
        },
      });
    },
    hangUp: (legId) => ari.delete(`channels/${legId}`),
    async bridge(legIds, muted) {
      const bridgeId = randomUUID();
      for (const legId of muted) await ari.post(`channels/${legId}/mute?direction=in`);
      await ari.post(`bridges/${bridgeId}?type=mixing`);
      await ari.post(`bridges/${bridgeId}/addChannel?channel=${legIds.join(',')}`);
      return () => ari.delete(`bridges/${bridgeId}`);
    },
    event: events.event,
    async channels() {
      const list = (await ari.get('channels')) as { id: string }[];
      return list.map((channel) => channel.id);
    },
    async stop() {
      events.close();
      await engine.stop();
      await remove();
    },
  };
}

interface Ari {
  get(path: string): Promise<unknown>;
  post(path: string, body?: object): Promise<void>;
  put(path: string, fields: readonly ConfigTuple[]): Promise<void>;
  delete(path: string): Promise<void>;
}

function createAri(base: string, credentials: string): Ari {
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${base}/${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    if (!response.ok && response.status !== 404)
      throw new Error(`ARI ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  return {
    get: (path) => send('GET', path),
    post: async (path, body) => {
      await send('POST', path, body);
    },
    put: async (path, fields) => {
      await send('PUT', path, { fields });
    },
    delete: async (path) => {
      await send('DELETE', path);
    },
  };
}

/** Every event is kept, so that none is missed between two waits. */
async function listen(
  url: string,
  credentials: string,
): Promise<Pick<TestEngine, 'event'> & { close(): void }> {
  const socket = new WebSocket(url, { auth: credentials });
  const seen: AriEvent[] = [];
  const waiters = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    seen.push(JSON.parse(data.toString('utf8')) as AriEvent);
    for (const waiter of waiters) waiter();
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    event: (fits) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = seen.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiters.delete(check);
          resolve(found);
        };
        const timer = setTimeout(() => {
          waiters.delete(check);
          reject(new Error(`no such event among ${seen.map((event) => event.type).join(' ')}`));
        }, 10_000);
        waiters.add(check);
        check();
      }),
    close: () => socket.close(),
  };
}
