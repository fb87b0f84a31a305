/**
 * Looks into Asterisk with a client that has nothing to do with the gateway's own: who is there, who is bridged with
 * whom, and whether anything was left behind. It only reads.
 */
import { endpointOwner } from '../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../../control-plane/client/deadline.ts';
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
const ANSWER_MS = 5_000;
const CONNECT_ATTEMPTS = 3;

function answered<T>(request: Promise<T>): Promise<T> {
  return withDeadline(request, ANSWER_MS, 'an answer to the witness');
}

export async function callWitness(ari: WitnessedAri): Promise<AsteriskWitness> {
  const client = await connectPatiently(ari);
  const witness: Omit<AsteriskWitness, 'assertNothingLeft'> = {
    channels: async () =>
      (await answered(client.channels.list())).map(({ id, name, state }) => ({ id, name, state })),
    bridges: async () =>
      (await answered(client.bridges.list())).map(({ id, technology, channels }) => ({
        id,
        technology,
        members: channels,
      })),
    endpoints: async () =>
      (await answered(client.endpoints.listByTech({ tech: 'PJSIP' })))
        // of a trunk's two the one that is watched
        .filter(({ resource }) => endpointOwner(resource) === resource)
        .map(({ resource, state }) => ({ name: resource, online: state === 'online' })),
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

/** ari-client never answers when one of its many first requests fails: it is asked again, a few times. */
async function connectPatiently({ url, user, password }: WitnessedAri): ReturnType<typeof ariClient.connect> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withDeadline(
        quietly(() => ariClient.connect(url, user, password)),
        ANSWER_MS,
        'the witness',
      );
    } catch (error) {
      if (attempt === CONNECT_ATTEMPTS) throw error;
    }
  }
}

let quiet = 0;
const loud = globalThis.console.log;

/** ari-client prints a remark about Swagger on the console for each connection: it is of no use to anybody here. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  quiet += 1;
  globalThis.console.log = () => undefined;
  try {
    return await work();
  } finally {
    quiet -= 1;
    if (quiet === 0) globalThis.console.log = loud;
  }
}
