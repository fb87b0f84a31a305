/** What Asterisk really has: our legs and bridges, the calls nobody ordered, and the endpoints. */
import {
  parseAor,
  parseBridgeId,
  parseCallBridgeId,
  parseChannelId,
  type BridgeId,
  type LegId,
} from '../../domain/ids.ts';
import type { LegState } from '../../domain/session/leg.ts';
import type { LegSnapshot, PbxSnapshot } from '../../ports/pbx-driver.ts';
import { ari, type Channel, type Endpoint } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import type { AriResult } from './ari-result.ts';
import { endpointOwner } from './trunk-endpoint.ts';

export interface EngineInventory {
  readonly legs: readonly LegSnapshot[];
  /** Of those, the answered ones that wait to be handed to the application (extensions.conf). */
  readonly unattended: ReadonlySet<LegId>;
  readonly bridges: PbxSnapshot['bridges'];
  /** Channels that were handed to our application and are no legs. */
  readonly strangers: readonly Channel[];
  readonly endpoints: readonly Endpoint[];
}

export async function readInventory(client: AriClient, app: string): Promise<AriResult<EngineInventory>> {
  const [channels, bridges, endpoints] = await Promise.all([
    client.request(ari.channels.list, {}),
    client.request(ari.bridges.list, {}),
    client.request(ari.endpoints.listByTech, { tech: 'PJSIP' }),
  ]);
  if (!channels.ok) return channels;
  if (!bridges.ok) return bridges;
  if (!endpoints.ok) return endpoints;

  const ownBridges = bridges.value
    .filter(({ id }) => isBridgeId(id))
    .map(({ id, channels: members }) => ({ bridgeId: id as BridgeId, legIds: members.filter(isLegId) }));
  const bridgeOf = new Map(ownBridges.flatMap(({ bridgeId, legIds }) => legIds.map((id) => [id, bridgeId])));
  return {
    ok: true,
    value: {
      legs: channels.value
        .filter(({ id }) => isLegId(id))
        .map((channel) => ({
          legId: channel.id as LegId,
          state: legStateOf(channel.state),
          bridgeId: bridgeOf.get(channel.id as LegId) ?? null,
          ...(parseAor(endpointOf(channel)) === null ? { trunk: endpointOf(channel) } : {}),
        })),
      unattended: new Set(
        channels.value
          .filter((channel) => channel.state === 'Up' && !isAttended(channel))
          .map(({ id }) => id)
          .filter(isLegId),
      ),
      bridges: ownBridges,
      strangers: channels.value.filter((channel) => !isLegId(channel.id) && isInApplication(channel, app)),
      endpoints: endpoints.value,
    },
  };
}

/** `PJSIP/<endpoint>-<serial>` → the endpoint's name, of a trunk's two the trunk's. Of any other channel its kind alone: its name may hold a number. */
export function endpointOf({ name }: Channel): string {
  const endpoint = /^PJSIP\/(.+)-[0-9a-f]{8}$/.exec(name)?.[1];
  return endpoint === undefined ? name.slice(0, name.indexOf('/')) : endpointOwner(endpoint);
}

function legStateOf(state: Channel['state']): LegState {
  if (state === 'Up') return 'answered';
  return state === 'Ringing' ? 'ringing' : 'dialing';
}

export function isBridgeId(id: string): boolean {
  return parseBridgeId(id) !== null || parseCallBridgeId(id) !== null;
}

function isLegId(id: string): id is LegId {
  return parseChannelId(id) !== null;
}

/** An application has it: it takes orders. */
export function isAttended({ dialplan }: Channel): boolean {
  return dialplan.app_name === 'Stasis';
}

function isInApplication(channel: Channel, app: string): boolean {
  return isAttended(channel) && channel.dialplan.app_data.split(',')[0] === app;
}
