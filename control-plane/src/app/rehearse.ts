/**
 * A made-up SOS, decided and written over and over and never committed, before the first client is let in: it opens
 * the connections, prepares the statements and lets the runtime compile what it has seen often. Without it the first
 * SOS after a start would pay some tens of milliseconds for all of these.
 */
import type { CitizenId, ZoneId } from '../domain/ids.ts';
import type { Policy } from '../domain/session/policy.ts';
import type { Clock, IdSource } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { SessionStore, SessionTx } from '../ports/session-store.ts';
import { decide } from './decide.ts';
import { judgeActivation, withSessionId } from './judge-activation.ts';

/** So many connections are ready for the first rush; more are opened when they are needed. */
const SIDE_BY_SIDE = 4;
const ROUNDS = 30;

/** A zone without operators: a node that starts keeps nobody's row locked from the one that serves. */
const NOWHERE = 'rehearsal' as ZoneId;

export interface RehearsalPorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly policy: Policy;
  readonly log: Log;
}

class CurtainFalls extends Error {}

/** Takes about half a second. Never rejects: a gateway that could not rehearse serves all the same. */
export async function rehearse(ports: RehearsalPorts): Promise<void> {
  try {
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, actor) => play(ports, `rehearsal-${actor}`)));
  } catch (error) {
    ports.log.warn('The rehearsal of an SOS failed.', { reason: String(error) });
  }
}

async function play({ store, clock, ids, policy }: RehearsalPorts, name: string): Promise<void> {
  const citizenId = name as CitizenId;
  const request = {
    citizenId,
    deviceId: name,
    location: { latitude: 0, longitude: 0 },
    clientTime: undefined,
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const judged = judgeActivation(request, null, [], new Set(), policy);
    const subject = withSessionId(judged.subject, ids.sessionId());
    await undone(store, async (tx) => {
      const at = clock.now();
      const [, before, , operators, waiting] = await Promise.all([
        tx.lockCitizen(citizenId),
        tx.findOpen(citizenId),
        tx.claimIdempotencyKey(citizenId, `${name}-${round}`, '', subject.sessionId),
        tx.dutyOperators(NOWHERE, at),
        tx.waiting(NOWHERE, citizenId),
      ]);
      const event = { type: 'api.activated', subject, contactOnline: true } as const;
      const decided = await decide(
        tx,
        { before, event, personal: judged.personal, duty: { operators, waiting } },
        at,
      );
      if (decided?.write) await tx.apply(decided.write);
    });
  }
}

async function undone(store: SessionStore, work: (tx: SessionTx) => Promise<void>): Promise<void> {
  const curtain = new CurtainFalls();
  try {
    await store.transact(async (tx) => {
      await work(tx);
      throw curtain;
    });
  } catch (error) {
    if (error !== curtain) throw error;
  }
}
