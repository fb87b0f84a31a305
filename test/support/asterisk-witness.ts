/**
 * Looks into Asterisk with a client that has nothing to do with the gateway's own: who is there, who is bridged with
 * whom, and whether anything was left behind. It only reads.
 */
import { setTimeout as delay } from 'node:timers/promises';
import ariClient, { type AriClientChannel } from 'ari-client';

export interface WitnessedBridge {
  readonly id: string;
  /** `native_rtp`, `simple_bridge`, `softmix`… */
  readonly technology: string;
  /** Ids of the channels in it. */
  readonly members: readonly string[];
}

export interface WitnessedEndpoint {
  readonly name: string;
  readonly online: boolean;
}

export interface AsteriskWitness {
  channels(): Promise<readonly Pick<AriClientChannel, 'id' | 'name' | 'state'>[]>;
  bridges(): Promise<readonly WitnessedBridge[]>;
  /** PJSIP endpoints, trunks included. */
  endpoints(): Promise<readonly WitnessedEndpoint[]>;
  /** No channel, no bridge, and no endpoint but `endpointsThatStay`. Throws with what is left after `deadlineMs`. */
  assertNothingLeft(endpointsThatStay: readonly string[], deadlineMs?: number): Promise<void>;
}

export interface WitnessedAri {
  /** `http://host:port`, without `/ari`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

const LOOK_AGAIN_MS = 20;

export async function callWitness({ url, user, password }: WitnessedAri): Promise<AsteriskWitness> {
  const client = await connectQuietly(url, user, password);
  const witness: Omit<AsteriskWitness, 'assertNothingLeft'> = {
    channels: async () => (await client.channels.list()).map(({ id, name, state }) => ({ id, name, state })),
    bridges: async () =>
      (await client.bridges.list()).map(({ id, technology, channels }) => ({
        id,
        technology,
        members: channels,
      })),
    endpoints: async () =>
      (await client.endpoints.listByTech({ tech: 'PJSIP' })).map(({ resource, state }) => ({
        name: resource,
        online: state === 'online',
      })),
  };
  return {
    ...witness,
    async assertNothingLeft(endpointsThatStay, deadlineMs = 3_000) {
      const deadline = performance.now() + deadlineMs;
      for (;;) {
        const left = [
          ...(await witness.channels()).map(({ id, state }) => `channel ${id} (${state})`),
          ...(await witness.bridges()).map(({ id, members }) => `bridge ${id} (${members.join(', ')})`),
          ...(await witness.endpoints())
            .filter(({ name }) => !endpointsThatStay.includes(name))
            .map(({ name }) => `endpoint ${name}`),
        ];
        if (left.length === 0) return;
        if (performance.now() > deadline) throw new Error(`left in Asterisk: ${left.join('; ')}`);
        await delay(LOOK_AGAIN_MS);
      }
    },
  };
}

/** ari-client prints a remark about Swagger on the console for each connection: it is of no use to anybody here. */
async function connectQuietly(
  url: string,
  user: string,
  password: string,
): ReturnType<typeof ariClient.connect> {
  const { log } = globalThis.console;
  globalThis.console.log = () => undefined;
  try {
    return await ariClient.connect(url, user, password);
  } finally {
    globalThis.console.log = log;
  }
}
