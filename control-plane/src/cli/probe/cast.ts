/** The two people of a synthetic SOS: a citizen who sends a tone, an operator who listens for it, and their tokens. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { withDeadline } from '../../../client/deadline.ts';
import { GatewayApi } from '../../../client/gateway-api.ts';
import {
  createHeadlessCitizen,
  createHeadlessOperator,
  type HeadlessCitizen,
  type HeadlessOperator,
} from '../../../client/headless/index.ts';
import type { Location } from '../../contracts/common.ts';

export interface ProbeOptions {
  /** The gateway's public URL, without `/v1`. */
  readonly url: string;
  readonly citizenToken: string;
  readonly operatorToken: string;
  /** Device and panel client of this probe: another one on another host needs a name, and people, of its own. */
  readonly name: string;
  readonly zone: string;
  readonly place: Location;
  readonly toneHz: number;
  /** What she sends, where it is not what is listened for: for a test of the probe itself. */
  readonly sentHz?: number;
  /** ICE is made to fail: the fallback has to reach both telephones. */
  readonly phone: boolean;
  /** Local address of the media; `null`: the one by which the gateway is reached. */
  readonly mediaAddress: string | null;
}

export interface Cast {
  readonly citizen: HeadlessCitizen;
  readonly operator: HeadlessOperator;
  readonly citizenApi: GatewayApi;
  readonly operatorApi: GatewayApi;
  close(): Promise<void>;
}

const READY_MS = 10_000;
const CLOSED_MS = 5000;
/** Her app does not notice that ICE fails: nothing but the watchdog helps her. */
const NEVER_MS = 120_000;

export async function castOf(options: ProbeOptions): Promise<Cast> {
  const { url, name, citizenToken, operatorToken } = options;
  const address = options.mediaAddress ?? (await localAddressTo(url));
  const citizen = await createHeadlessCitizen({
    baseUrl: url,
    token: citizenToken,
    deviceId: name,
    toneHz: options.sentHz ?? options.toneHz,
    address,
    ...(options.phone ? { failIce: true, iceTimeoutMs: NEVER_MS } : {}),
  });
  const operator = await createHeadlessOperator({
    baseUrl: url,
    token: operatorToken,
    clientId: name,
    candidatesHz: [options.toneHz],
    address,
  });
  return {
    citizen,
    operator,
    citizenApi: new GatewayApi({ baseUrl: url, token: () => citizenToken }),
    operatorApi: new GatewayApi({ baseUrl: url, token: () => operatorToken }),
    close: async () => {
      const closed = Promise.allSettled([citizen.close(), operator.close()]);
      await withDeadline(closed, CLOSED_MS, 'closing the clients').catch(() => undefined);
    },
  };
}

/** Her device is connected and registered. */
export function registered({ client }: HeadlessCitizen): Promise<void> {
  if (client.state.name === 'armed') return Promise.resolve();
  const armed = new Promise<void>((resolve) => {
    client.on('state', ({ name }) => {
      if (name === 'armed') resolve();
    });
  });
  return withDeadline(armed, READY_MS, 'registering her device');
}

/** Nothing is sent: the system only says by which of its addresses it would. */
async function localAddressTo(url: string): Promise<string> {
  const { hostname } = new URL(url);
  const socket = createSocket('udp4');
  try {
    const { address } = await lookup(hostname.replace(/[[\]]/g, ''), { family: 4 });
    const connected = once(socket, 'connect');
    socket.connect(9, address);
    await withDeadline(connected, CLOSED_MS, `finding the way to ${hostname}`);
    return socket.address().address;
  } finally {
    socket.close();
  }
}
