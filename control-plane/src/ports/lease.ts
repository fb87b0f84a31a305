/**
 * The lease of the core: of several core nodes that run on one database, one holds it and acts; the others stand by.
 * Its epoch grows with each change of the holder, and every write of a session is refused under an older one.
 */

/** Under which lease a node writes. */
export interface Fence {
  readonly lease: string;
  readonly node: string;
  readonly epoch: number;
}

/** The lease as a node that waits for it sees it. */
export interface LeaseSight {
  readonly epoch: number;
  /** Grows with each renewal. */
  readonly beat: number;
  /** `null`: given back, or never taken. */
  readonly holder: string | null;
  /** The holder was a process under this node's own name, and its connection is gone: it is dead. */
  readonly predecessorGone: boolean;
}

/** Each call has a deadline of its own, below a second. Errors throw `StoreError`. */
export interface LeaseStore {
  look(): Promise<LeaseSight>;
  /** The new epoch; `null`: it is no longer as it was seen. */
  take(seen: LeaseSight): Promise<number | null>;
  /** `false`: the epoch has moved on, somebody else holds it. */
  renew(epoch: number): Promise<boolean>;
  /** Given back: who waits takes it at once. Harmless when it is somebody else's by now. */
  giveBack(epoch: number): Promise<void>;
  close(): Promise<void>;
}

/** `out-of-reach`: nobody could be asked. That alone is not losing it. */
export type LeaseVerdict = 'held' | 'fenced' | 'out-of-reach';

/** Whether this node still holds the lease, asked now. */
export interface LeaseCheck {
  verify(): Promise<LeaseVerdict>;
}

/** Whether a command may go to the engine. A promise: the lease has to be looked at first; it settles within two seconds. */
export interface CommandPermit {
  mayCommand(): boolean | Promise<boolean>;
}
