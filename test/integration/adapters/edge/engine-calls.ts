/** Calls that a real Asterisk places to clients, by bare ARI requests. */
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { ariRequest, attachAri, channelsOf, type AriEvents } from '../../../support/ari-request.ts';

export const ARI_APP = 'hamrahi';

export interface EngineCalls {
  readonly events: AriEvents;
  /** Calls the address of record; `legId` is the channel's id and the INVITE's X-Hamrahi-Leg. */
  call(aor: string, legId: string): Promise<void>;
  hangUp(legId: string): Promise<void>;
  /** Resolves with the cause that the engine gives. */
  untilGone(legId: string): Promise<{ cause: number; techCause: number | null }>;
  untilUp(legId: string): Promise<void>;
  close(): void;
}

export async function startCalls(engine: GatewayEngine): Promise<EngineCalls> {
  const events = await attachAri(engine, ARI_APP);
  return {
    events,
    call: async (aor, legId) => {
      const path = `/channels/${legId}?endpoint=PJSIP/${aor}&app=${ARI_APP}&formats=opus&timeout=20`;
      const variables = { 'PJSIP_HEADER(add,X-Hamrahi-Leg)': legId };
      const { status } = await ariRequest(engine, 'POST', path, { variables });
      if (status !== 200) throw new Error(`POST ${path}: ${status}`);
    },
    hangUp: async (legId) => {
      await ariRequest(engine, 'DELETE', `/channels/${legId}`);
    },
    untilGone: async (legId) => {
      const event = await events.until(
        ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === legId,
      );
      return {
        cause: Number(event['cause']),
        techCause: event['tech_cause'] === undefined ? null : Number(event['tech_cause']),
      };
    },
    untilUp: async (legId) => {
      await events.until(({ type, channel }) => type === 'StasisStart' && channel?.id === legId);
    },
    close: () => events.close(),
  };
}

/** The channels that the engine has now. */
export async function liveChannels(engine: GatewayEngine): Promise<readonly string[]> {
  return (await channelsOf(engine)).map(({ id }) => id);
}
