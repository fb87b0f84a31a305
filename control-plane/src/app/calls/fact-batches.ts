/**
 * Facts about calls that wait for their turn are decided together, in one transaction: what comes in a burst, or while the
 * store is slow, costs one commit. What is only written down waits a moment for what follows it.
 */
import type { CallEvent } from '../../domain/call/event.ts';
import type { CallId, Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';

export interface Fact {
  readonly event: CallEvent;
  readonly at: Instant;
  /** Asked at its turn; absent: never. */
  readonly isStale?: () => boolean;
}

/** More is decided in the next turn. */
const MAX_FACTS = 50;
const PATIENCE_MS = 20;

interface Batch {
  readonly facts: Fact[];
  readonly done: PromiseWithResolvers<void>;
  hasBegun: boolean;
  cancel: () => void;
}

export class FactBatches {
  readonly #clock: Clock;
  readonly #decide: (callId: CallId, take: () => readonly Fact[]) => Promise<void>;
  readonly #open = new Map<CallId, Batch>();

  /** `decide` takes its turn and calls `take` then: from there on, what comes is another batch's. */
  constructor(clock: Clock, decide: (callId: CallId, take: () => readonly Fact[]) => Promise<void>) {
    this.#clock = clock;
    this.#decide = decide;
  }

  /** Resolves or rejects with the batch that the fact is decided in. */
  add(callId: CallId, fact: Fact): Promise<void> {
    const open = this.#open.get(callId);
    const batch = open && open.facts.length < MAX_FACTS ? open : this.#fresh(callId);
    batch.facts.push(fact);
    if (batch.hasBegun) return batch.done.promise;
    if (!isPatient(fact.event)) this.#begin(callId, batch);
    else if (batch.facts.length === 1) {
      const due = (this.#clock.now() + PATIENCE_MS) as Instant;
      batch.cancel = this.#clock.at(due, () => this.#begin(callId, batch));
    }
    return batch.done.promise;
  }

  /** What waits for company waits no longer. */
  flush(): void {
    for (const [callId, batch] of [...this.#open]) if (!batch.hasBegun) this.#begin(callId, batch);
  }

  #fresh(callId: CallId): Batch {
    const before = this.#open.get(callId);
    // In the order of its coming: the full one first.
    if (before && !before.hasBegun) this.#begin(callId, before);
    const batch: Batch = {
      facts: [],
      done: Promise.withResolvers(),
      hasBegun: false,
      cancel: () => undefined,
    };
    this.#open.set(callId, batch);
    return batch;
  }

  #begin(callId: CallId, batch: Batch): void {
    batch.hasBegun = true;
    batch.cancel();
    const take = (): readonly Fact[] => {
      if (this.#open.get(callId) === batch) this.#open.delete(callId);
      return batch.facts;
    };
    this.#decide(callId, take).then(batch.done.resolve, batch.done.reject);
  }
}

/** It orders nothing, and nobody waits for it. */
function isPatient({ type }: CallEvent): boolean {
  return (
    type === 'pbx.carrier-reference' ||
    type === 'pbx.tried' ||
    type === 'pbx.try-ended' ||
    type === 'pbx.progress'
  );
}
