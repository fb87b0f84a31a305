/** What the engine has, in legs instead of tries. */
import { parseChannelId, parseLegId } from '../../domain/ids.ts';
import type { LegId } from '../../domain/ids.ts';
import type { LegSnapshot, PbxSnapshot } from '../../ports/pbx-driver.ts';
import type { TryChannel } from './line-ports.ts';

const FAR: Readonly<Record<LegSnapshot['state'], number>> = { dialing: 0, ringing: 1, answered: 2 };

/** Whether the leg goes to a telephone, and so over a trunk. */
export function isTelephone(legId: LegId): boolean {
  const kind = parseLegId(legId)?.kind;
  return kind === undefined || kind === 'citizen-phone' || kind === 'operator-phone';
}

/** Every channel of a telephone leg. */
export function tryChannels({ legs }: PbxSnapshot): readonly TryChannel[] {
  return legs.flatMap(({ legId: id, state, trunk }) => {
    const channel = parseChannelId(id);
    return channel && isTelephone(channel.legId) ? { ...channel, state, trunk: trunk ?? '' } : [];
  });
}

/** One leg for all its tries: as far as the farthest of them that was not given up. */
export function inLegs(
  snapshot: PbxSnapshot,
  isGivenUp: (legId: LegId, number: number) => boolean,
): PbxSnapshot {
  const legs = new Map<LegId, LegSnapshot>();
  for (const leg of snapshot.legs) {
    const channel = parseChannelId(leg.legId);
    if (channel && isTelephone(channel.legId) && isGivenUp(channel.legId, channel.try)) continue;
    const legId = channel?.legId ?? leg.legId;
    const known = legs.get(legId);
    if (!known || FAR[leg.state] > FAR[known.state]) legs.set(legId, { ...leg, legId });
  }
  return {
    ...snapshot,
    legs: [...legs.values()],
    bridges: snapshot.bridges.map(({ bridgeId, legIds }) => ({
      bridgeId,
      legIds: legIds.map((id) => parseChannelId(id)?.legId ?? id),
    })),
  };
}
