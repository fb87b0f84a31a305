/** Places where a crash test lets the process die. Outside such a test nothing is behind them. */

/**
 * - `decided`: a decision is made and not yet written;
 * - `committed`: it is written, and nothing of it carried out, nobody told;
 * - `command-due`: before one command of it, perhaps after others;
 * - `command-done`: the engine has done a command, and its answer is not yet looked at;
 * - `engine-told`: an event of the engine has come and is not yet decided;
 * - `timer-fired`: a deadline is over and nothing is decided yet;
 * - `reconciling`: after a (re)start, between one repair and the next.
 */
export type FailpointPlace =
  'decided' | 'committed' | 'command-due' | 'command-done' | 'engine-told' | 'timer-fired' | 'reconciling';

export interface Failpoints {
  /** `detail`: the event's or command's name; a timer is `timer.<name>`. */
  passed(place: FailpointPlace, detail: string): void;
}

/** Which passage of which place ends (`kill`) or stops (`stop`) the process. */
export interface FailpointOrder {
  readonly action: 'kill' | 'stop';
  readonly place: FailpointPlace;
  /** `null`: any. */
  readonly detail: string | null;
  /** Counted from 1. */
  readonly passage: number;
  /** Counted from SIGUSR2 on; otherwise from the start. */
  readonly onSignal: boolean;
}
