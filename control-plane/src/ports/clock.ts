/** Time and chance, injected. */
import type { Instant, SessionId } from '../domain/ids.ts';

export interface Clock {
  /** Wall clock with sub-millisecond fraction, monotonic inside one process. */
  now(): Instant;
  /** Calls back once at or after `at`; returns a cancel function. */
  at(at: Instant, callback: () => void): () => void;
  /** The machine's wall clock, which may be set while we run: for noticing just that, and for what others hold against theirs. */
  wall(): Instant;
}

export interface IdSource {
  sessionId(): SessionId;
}
