/** Makes engine and calls agree again: after each attachment, and when something that happened was given up. */
import { isLiveCall } from '../../domain/call/call.ts';
import type { Instant, LegId } from '../../domain/ids.ts';
import type { CallStore } from '../../ports/call-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Failpoints } from '../../ports/failpoints.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { PbxSnapshot } from '../../ports/pbx-driver.ts';
import type { Telephony } from '../../ports/telephony.ts';
import { untilTaken } from '../until-taken.ts';
import type { CallLoop } from './call-loop.ts';
import type { CallPerformer } from './call-performer.ts';
import { callDifferences } from './reconcile-calls.ts';

const MAX_UNFINISHED = 20_000;

export interface CallReconcilerPorts {
  readonly telephony: Pick<Telephony, 'hangup' | 'closeBridge'>;
  readonly store: Pick<CallStore, 'listUnfinished'>;
  readonly loop: CallLoop;
  readonly performer: CallPerformer;
  /** A leg of a synthetic call of this process. */
  readonly isSynthetic: (legId: LegId) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
}

export class CallReconciler {
  readonly #ports: CallReconcilerPorts;
  #comparisons = 0;

  constructor(ports: CallReconcilerPorts) {
    this.#ports = ports;
  }

  /** What the engine had at `at` against every call that is not at rest. A later comparison overtakes this. */
  async compare(snapshot: Pick<PbxSnapshot, 'legs' | 'bridges'>, at: Instant): Promise<void> {
    const { telephony, store, loop, performer, isSynthetic, log, failpoints } = this.#ports;
    this.#comparisons += 1;
    const comparison = this.#comparisons;
    const { result } = await untilTaken(this.#ports, Number.POSITIVE_INFINITY, () =>
      store.listUnfinished(MAX_UNFINISHED),
    );
    if (comparison !== this.#comparisons) return;
    const calls = result.map(({ call }) => call);
    const isDialledSince = (legId: LegId): boolean => performer.hasDialledSince(legId, at);
    const found = callDifferences(snapshot, calls, at, isDialledSince, isSynthetic);
    const told = found.events.map(({ callId, event }) => {
      failpoints?.passed('reconciling', event.type);
      return loop.happened(callId, event, this.#ports.clock.now());
    });
    // In each call's own turn, behind what it has missed.
    const repeated = calls.map((call) => {
      failpoints?.passed('reconciling', 'orders');
      return loop.again(call.id, isDialledSince);
    });
    for (const legId of found.strayLegs) await telephony.hangup(legId, 'session-ended');
    for (const bridgeId of found.strayBridges) await telephony.closeBridge(bridgeId);
    const done = await Promise.allSettled([...told, ...repeated]);
    const failed = done.filter(({ status }) => status === 'rejected').length;
    if (calls.length + found.strayLegs.length + failed > 0)
      log.info('calls compared', {
        calls: calls.filter(isLiveCall).length,
        missed: found.events.length,
        strayLegs: found.strayLegs.length,
        strayBridges: found.strayBridges.length,
        failed,
      });
  }
}
