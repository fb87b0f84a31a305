/** The contract's lab on the engine in memory: phones and clients play by timers of a few milliseconds. */
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import type { AddressOfRecord, LegId } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';
import {
  LOST_AFTER_MS,
  type ClientBehaviour,
  type PbxClient,
  type PbxLab,
  type PhoneBehaviour,
} from '../contract/pbx-driver.contract.ts';
import { FakePbx, type FakeLeg } from './fake-pbx.ts';

const STEP_MS = 5;
const TONE_HZ = 620;
/** The engine's own timeout stands a second behind the one that is asked for. */
const BACKSTOP_MS = 1_000;

const REFUSALS: Partial<Record<PhoneBehaviour, readonly [LegOutcome, number, number]>> = {
  busy: ['busy', 486, 17],
  declined: ['rejected', 603, 21],
  unavailable: ['unreachable', 480, 19],
  'unknown-subscriber': ['invalid-number', 404, 1],
  congestion: ['congestion', 503, 34],
};

interface Client extends PbxClient {
  readonly behaviour: ClientBehaviour;
  sending: boolean;
  heard: number;
}

export function startFakePbxLab(): Promise<PbxLab> {
  const trunk = 'fake';
  const driver = new FakePbx({ clock: systemClock(), trunks: [trunk] });
  const behaviours = new Map<string, PhoneBehaviour>();
  const clients = new Map<AddressOfRecord, Client>();
  const timers = new Set<NodeJS.Timeout>();
  const later = (delayMs: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, delayMs);
    timers.add(timer);
  };

  driver.onDial = (legId, dial) => {
    later(dial.ringTimeoutMs + BACKSTOP_MS, () => {
      const leg = driver.leg(legId);
      if (leg?.dial !== dial || leg.state === 'answered') return;
      driver.end(legId, leg.state === 'ringing' ? 'no-answer' : 'trunk-unreachable', null, 19);
    });
    if ('longestMs' in dial) later(dial.longestMs, () => driver.end(legId, 'completed', null, 16));
    later(STEP_MS, () => {
      if ('number' in dial) playPhone(legId, behaviours.get(dial.number.reveal()) ?? 'no-reply');
      else playClient(legId, clients.get(dial.aor)?.behaviour ?? 'rings');
    });
  };

  const playPhone = (legId: LegId, behaviour: PhoneBehaviour): void => {
    const refusal = REFUSALS[behaviour];
    if (refusal !== undefined) driver.end(legId, ...refusal);
    else if (behaviour === 'early-media-answer') driver.progress(legId);
    else if (behaviour !== 'no-reply' && behaviour !== 'answer-at-once') driver.ring(legId);
    if (!behaviour.includes('answer')) return;
    later(STEP_MS, () => {
      driver.answer(legId);
      driver.playTone(legId, behaviour === 'answer-silent' ? null : TONE_HZ);
    });
    if (behaviour === 'answer-hang-up') later(4 * STEP_MS, () => driver.end(legId, 'completed', null, 16));
  };
  const playClient = (legId: LegId, behaviour: ClientBehaviour): void => {
    if (behaviour === 'busy') driver.end(legId, 'busy', 486, 17);
    else driver.ring(legId);
    if (behaviour === 'answers') later(STEP_MS, () => driver.answer(legId));
  };
  /** Whether packets come on a leg, and who hears them. */
  const flow = setInterval(() => {
    for (const legId of driver.legIds) {
      const leg = driver.leg(legId);
      if (leg?.state !== 'answered') continue;
      const sends = clientOf(leg)?.sending ?? true;
      if (sends && leg.media !== 'flowing') {
        driver.startPackets(legId);
        if (clientOf(leg) !== undefined) driver.sound(legId, true);
      } else if (!sends) {
        driver.stopPackets(legId, LOST_AFTER_MS);
      }
      if (sends && leg.voice !== 'listens') hear(legId, leg);
    }
  }, STEP_MS);
  const clientOf = (leg: FakeLeg): Client | undefined =>
    'aor' in leg.dial ? clients.get(leg.dial.aor) : undefined;
  const hear = (from: LegId, { bridgeId }: FakeLeg): void => {
    for (const legId of driver.legIds) {
      const leg = driver.leg(legId);
      const hears =
        leg?.voice !== 'speaks' && leg?.bridgeId === bridgeId && bridgeId !== null && legId !== from;
      const client = hears ? clientOf(leg) : undefined;
      if (client !== undefined) client.heard += 1;
    }
  };

  return driver.start().then(() => ({
    driver,
    trunk,
    number(behaviour) {
      const number = PhoneNumber.parse(`+91981${String(1_000_000 + behaviours.size)}`);
      if (number === null) throw new Error('no such number');
      behaviours.set(number.reveal(), behaviour);
      return number;
    },
    toneOf: () => TONE_HZ,
    connectClient(aor, behaviour) {
      const client: Client = {
        behaviour,
        sending: behaviour === 'answers',
        heard: 0,
        send: (yes) => {
          client.sending = yes;
        },
        received: () => Promise.resolve(client.heard),
        disconnect: () => {
          clients.delete(aor);
          driver.unregister(aor);
          return Promise.resolve();
        },
      };
      clients.set(aor, client);
      driver.register(aor);
      return Promise.resolve(client);
    },
    untilHears(listener, speaker) {
      const [hearing, speaking] = [listener, speaker].map((number) =>
        driver.legIds
          .map((legId) => driver.leg(legId))
          .find((leg) => {
            return leg !== undefined && 'number' in leg.dial && leg.dial.number.equals(number);
          }),
      );
      const hears =
        hearing?.bridgeId != null &&
        hearing.bridgeId === speaking?.bridgeId &&
        hearing.voice !== 'speaks' &&
        speaking.voice !== 'listens';
      return hears ? Promise.resolve() : Promise.reject(new Error('one does not hear the other'));
    },
    callIn() {
      driver.emit({ type: 'call.unexpected', source: 'trunk', from: trunk, at: systemClock().now() });
      return Promise.resolve(480);
    },
    breakConnection() {
      driver.lose();
      later(4 * STEP_MS, () => driver.comeBack());
    },
    assertNothingLeft() {
      const left = [...driver.legIds, ...driver.bridgeIds, ...driver.endpoints];
      return left.length === 0 ? Promise.resolve() : Promise.reject(new Error(`left: ${left.join(', ')}`));
    },
    stop() {
      clearInterval(flow);
      for (const timer of timers) clearTimeout(timer);
      return driver.stop();
    },
  }));
}
