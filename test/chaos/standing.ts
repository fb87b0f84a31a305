/** One SOS of a run: who takes part, in which phase the fault meets it, and how it may end. */
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { District } from '../e2e/support/district.ts';
import type { Citizen, Gateway } from '../e2e/support/gateway.ts';
import type { HeadlessOperator } from '../../control-plane/client/headless/index.ts';

/**
 * `stream`: an operator hears her microphone; `phone`: two phones hear each other; `alert`: nobody can be reached,
 * and an alert that nobody has acknowledged says so; `resolved`: it is over; `none`: silence, and nobody knows.
 */
export type Outcome = 'stream' | 'phone' | 'alert' | 'resolved' | 'none';

export interface Standing {
  readonly citizen: Citizen;
  readonly district: District;
  /** The panel that hears her, if there is one. */
  readonly panel: HeadlessOperator | null;
  readonly toneHz: number | null;
  /** `null` until the gateway has named it. */
  readonly sessionId: () => string | null;
}

export interface Act extends Standing {
  /** Begins so that the session is in its phase when the fault comes. */
  begin(): Promise<void>;
  /** Happens together with the fault, or just before it. */
  atFault?(): Promise<void>;
  /** Some time after it. */
  afterFault?(): Promise<void>;
}

export interface Role {
  /** Row of the table. */
  readonly phase: string;
  /** How long before the fault it begins, milliseconds. */
  readonly leadMs: number;
  /** What it should come to, best first. Anything else but `none` is weaker, not lost. */
  readonly endsAs: readonly Outcome[];
  /** Whether the session is where the fault should meet it. */
  readonly isThere: (view: SessionView | null) => boolean;
  /** Her stream is live: through the death of the control plane it goes on without a new offer. */
  readonly streams?: boolean;
  /** Her phone is answered while it may be that no core commands: the same call goes on, there is no second one. */
  readonly calledOnce?: boolean;
  readonly prepare: (stage: Stage) => Promise<Act>;
}

export interface Stage {
  /** A district with an operator at a panel. */
  readonly staffed: { readonly district: District; readonly panel: HeadlessOperator };
  readonly gateway: Gateway;
  /** A tone that no other citizen of this run sends. */
  readonly nextToneHz: () => number;
}
