/**
 * Lets plain clients through a gateway that only knows WebRTC ones, without changing it: a relay between the edge and
 * Asterisk. For an address of record that is named plain it puts, at the first REGISTER, an endpoint without WebRTC in
 * the place of the one that the core has made, and masks the SDP of its calls. All other lanes pass as they are.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { webrtcEndpointFields } from '../../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';
import { isPlain, masked, unmasked } from './plain-sdp.ts';

export interface PlainLanes {
  /** For HAMRAHI_ENGINE_SIP_WS_URL. */
  readonly url: string;
  /** Where Asterisk is; before it nobody gets through. */
  attach(ari: { readonly url: string; readonly user: string; readonly password: string }): void;
  /** This address of record belongs to a plain client. */
  name(aor: string): void;
  stop(): void;
}

type Ari = Parameters<PlainLanes['attach']>[0];

const HOST = '127.0.0.1';
const DEADLINE_MS = 5_000;
/** Put again sooner, Asterisk may lose the contact of the one that was taken away. */
const FORGOTTEN_AFTER_MS = 150;

/** What makes an endpoint one of WebRTC, undone. */
const PLAIN_FIELDS: Readonly<Record<string, string>> = {
  webrtc: 'no',
  allow: 'opus',
  use_avpf: 'no',
  media_encryption: 'no',
  ice_support: 'no',
  rtcp_mux: 'no',
  // where the engine's media are bound: without ICE candidates, the SDP has to say it
  media_address: HOST,
};

export async function openPlainLanes(): Promise<PlainLanes> {
  const server = new WebSocketServer({ host: HOST, port: 0, handleProtocols: () => 'sip' });
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const names = new Set<string>();
  let ari: Ari | null = null;
  server.on('connection', (lane) => {
    if (ari === null) lane.terminate();
    else relay(lane, ari, names);
  });
  return {
    url: `ws://${HOST}:${(server.address() as AddressInfo).port}/ws`,
    attach: (there) => (ari = there),
    name: (aor) => names.add(aor),
    stop: () => {
      for (const lane of server.clients) lane.terminate();
      server.close();
    },
  };
}

function relay(lane: WebSocket, ari: Ari, names: ReadonlySet<string>): void {
  const engine = new WebSocket(`${ari.url.replace('http', 'ws')}/ws`, 'sip');
  let ready: Promise<unknown> = new Promise<void>((resolve) => engine.once('open', () => resolve()));
  let plainAor: string | null = null;
  let isReady = false;
  void ready.then(() => (isReady = true));
  lane.on('message', (data: Buffer, isBinary) => {
    const text = data.toString('latin1');
    const aor = plainAor === null && text.startsWith('REGISTER ') ? userOf(text) : null;
    if (aor !== null && names.has(aor)) {
      plainAor = aor;
      isReady = false;
      ready = ready
        .then(() => makePlain(ari, aor))
        .then(
          () => (isReady = true),
          () => lane.terminate(),
        );
    }
    const out = plainAor === null ? data : Buffer.from(unmasked(text), 'latin1');
    const send = (): void => {
      if (engine.readyState === WebSocket.OPEN) engine.send(out, { binary: isBinary });
    };
    if (isReady) send();
    else void ready.then(send);
  });
  engine.on('message', (data: Buffer, isBinary) => {
    const text = plainAor === null ? '' : data.toString('latin1');
    lane.send(isPlain(text) ? Buffer.from(masked(text), 'latin1') : data, { binary: isBinary });
  });
  lane.on('close', () => engine.close());
  engine.on('close', () => lane.close());
  engine.on('error', () => lane.terminate());
  lane.on('error', () => engine.terminate());
}

function userOf(register: string): string | null {
  return /^From:[^\r\n]*sip:([^@>\s]+)@/im.exec(register)?.[1] ?? null;
}

/** Taken away and put anew: an endpoint that is put over itself refuses everybody. Its contacts are the aor's, and stay. */
async function makePlain(ari: Ari, aor: string): Promise<void> {
  const url = `${ari.url}/ari/asterisk/config/dynamic/res_pjsip/endpoint/${aor}`;
  const authorization = `Basic ${Buffer.from(`${ari.user}:${ari.password}`).toString('base64')}`;
  const fields = webrtcEndpointFields({ aor, permit: [HOST] }).endpoint.map(({ attribute, value }) => ({
    attribute,
    value: PLAIN_FIELDS[attribute] ?? value,
  }));
  for (const name of Object.keys(PLAIN_FIELDS))
    if (!fields.some(({ attribute }) => attribute === name))
      fields.push({ attribute: name, value: PLAIN_FIELDS[name] ?? '' });
  const order = async (method: string, body: object | null): Promise<void> => {
    const response = await fetch(url, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (!response.ok && response.status !== 404) throw new Error(`${method} ${aor}: ${response.status}`);
    await response.arrayBuffer();
  };
  await order('DELETE', null);
  await delay(FORGOTTEN_AFTER_MS);
  await order('PUT', { fields });
}
