/** What the driver knows of one leg while its channel lives. */
import type { BridgeId, LegId } from '../../domain/ids.ts';
import type { LegState } from '../../domain/session/leg.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { HangupReason, PbxEvent, Voice } from '../../ports/pbx-driver.ts';

export interface LegRecord {
  readonly legId: LegId;
  /** The trunk of a phone leg; null for apps, and for phones that were adopted from another process's time. */
  readonly trunk: Trunk | null;
  state: LegState;
  rang: boolean;
  progressed: boolean;
  /** The far end or the network ended it; without that, the end is ours or the engine's backstop. */
  remoteEnded: boolean;
  /** The far end named somebody else (3xx): Asterisk dials on by itself and lets this channel go, at times without a cause. */
  sentOn: boolean;
  hangup: HangupReason | null;
  bridgeId: BridgeId | null;
  /** As last set; null where it is not known (adopted). */
  voice: Voice | null;
  /** Events that wait for the answer to the dial order; null once that has come. */
  held: PbxEvent[] | null;
  /** Resolves with true when the channel takes orders, with false when it is gone. */
  readonly controllable: Promise<boolean>;
  readonly setControllable: (yes: boolean) => void;
  /** The end of the last order to this leg: orders follow one another. */
  lastOrder: Promise<unknown>;
}

export type LegOrigin =
  | { readonly from: 'dial' }
  | { readonly from: 'engine'; readonly state: LegState; readonly bridgeId: BridgeId | null };

export function newLegRecord(legId: LegId, trunk: Trunk | null, origin: LegOrigin): LegRecord {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const state = origin.from === 'engine' ? origin.state : 'dialing';
  return {
    legId,
    trunk,
    state,
    rang: state === 'ringing',
    progressed: false,
    remoteEnded: false,
    sentOn: false,
    hangup: null,
    bridgeId: origin.from === 'engine' ? origin.bridgeId : null,
    voice: origin.from === 'engine' ? null : 'both',
    held: origin.from === 'dial' ? [] : null,
    controllable: promise,
    setControllable: resolve,
    lastOrder: Promise.resolve(),
  };
}
