/** What is asked of Asterisk to dial a leg. */
import { trunkDial, type TrunkDialErrorCode } from '../../domain/trunk/trunk-dial.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { AppDial, PhoneDial } from '../../ports/pbx-driver.ts';
import { dialString } from './trunk-endpoint.ts';

/** Parameters of `POST /channels/{channelId}`. */
export interface DialOrder {
  readonly channelId: string;
  readonly endpoint: string;
  /**
   * A context of extensions.conf that hands the answered channel to the application whose name is the extension. Not
   * `app`: Asterisk would hang up on whoever answers while nobody commands it.
   */
  readonly context: 'answered-phone' | 'answered-app';
  readonly extension: string;
  readonly callerId?: string;
  readonly timeout: number;
  readonly formats: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The headers by which a client (and a test) knows which leg of which session an INVITE is. */
export const LEG_HEADER = 'X-Hamrahi-Leg';
export const SESSION_HEADER = 'X-Hamrahi-Session';

/** TALK_DETECT(set): silence of 500 ms ends talking; samples louder than 256 on average are sound. */
const TALK_DETECTION = '500,256';
/** The engine's own timeout stands behind the session's timers, never before them. */
const BACKSTOP_MS = 1_000;

/** Opus alone: with anything else allowed Asterisk would put PCMU first. */
export function appDialOrder(dial: AppDial, app: string): DialOrder {
  return {
    channelId: dial.legId,
    endpoint: `PJSIP/${dial.aor}`,
    context: 'answered-app',
    extension: app,
    formats: 'opus',
    timeout: timeoutSeconds(dial.ringTimeoutMs),
    variables: {
      [`PJSIP_HEADER(add,${LEG_HEADER})`]: dial.legId,
      [`PJSIP_HEADER(add,${SESSION_HEADER})`]: dial.sessionId,
      ...(dial.kind === 'citizen-app' ? { 'TALK_DETECT(set)': TALK_DETECTION } : {}),
    },
  };
}

/** By request URI, so that a contact's state vetoes nothing; by one of the trunk's two endpoints. The carrier is told no id of ours. */
export function phoneDialOrder(
  dial: PhoneDial,
  trunk: Trunk,
  endpoint: string,
  app: string,
):
  | { readonly ok: true; readonly value: DialOrder }
  | { readonly ok: false; readonly code: TrunkDialErrorCode } {
  const target = trunkDial(trunk, dial.number, dial.callerId ?? null, dial.host ?? undefined);
  if (!target.ok) return target;
  const { requestUri, fromUser, identityHeader } = target.value;
  return {
    ok: true,
    value: {
      channelId: dial.legId,
      endpoint: dialString(endpoint, requestUri),
      context: 'answered-phone',
      extension: app,
      callerId: `<${fromUser}>`,
      formats: trunk.media.codecs.join(','),
      timeout: timeoutSeconds(dial.ringTimeoutMs),
      variables: {
        ...(identityHeader === null
          ? {}
          : { [`PJSIP_HEADER(add,${identityHeader.name})`]: identityHeader.value }),
        ...(dial.longestMs === undefined
          ? {}
          : { 'TIMEOUT(absolute)': String(Math.ceil(dial.longestMs / 1_000)) }),
      },
    },
  };
}

function timeoutSeconds(ringTimeoutMs: number): number {
  return Math.ceil((ringTimeoutMs + BACKSTOP_MS) / 1_000);
}
