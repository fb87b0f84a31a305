/** Sessions as a core makes them, played once in memory: a stream that stood, two phones that were bridged, a warm-up let go. */
import { legIdOf } from '../../../control-plane/src/domain/ids.ts';
import type { Instant, LegId } from '../../../control-plane/src/domain/ids.ts';
import type { Party } from '../../../control-plane/src/domain/session/leg.ts';
import type { SessionWrite } from '../../../control-plane/src/ports/session-store.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  PLACE,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  startCoreLab,
} from '../../support/core-lab.ts';
import type { CoreLab } from '../../support/core-lab.ts';

const ID = sessionIdOf(1);
const TALK_MS = 240_000;
const MAX_EVENTS = 1000;

/** Of a hundred sessions so many are like this one. */
export interface Template {
  readonly percent: number;
  /** Everything that happened to it, at once. */
  readonly write: SessionWrite;
}

export async function templates(): Promise<readonly Template[]> {
  return [
    { percent: 75, write: await played(stream, ['citizen-app', 'operator-app']) },
    { percent: 15, write: await played(phones, ['citizen-app', 'citizen-phone', 'operator-phone']) },
    { percent: 10, write: await played(released, []) },
  ];
}

async function stream(lab: CoreLab): Promise<void> {
  await lab.beginShift(AKRAM);
  await lab.connect(PRIYA_AOR);
  await lab.activate();
  lab.gateway.panelTold(ID, 'sos.activated', lab.clock.now());
  await stamped(lab, 'operator-app');
  await lab.answer('operator-app');
  await stamped(lab, 'citizen-app');
  await lab.answer('citizen-app');
  await lab.packets();
  await lab.forward(90);
  await lab.heard();
  await lab.forward(TALK_MS);
  await over(lab);
}

async function phones(lab: CoreLab): Promise<void> {
  await lab.beginShift(AKRAM);
  await lab.connect(PRIYA_AOR);
  await lab.activate();
  lab.gateway.panelTold(ID, 'sos.activated', lab.clock.now());
  await lab.forward(5010);
  lab.gateway.panelTold(ID, 'phone-fallback-active', lab.clock.now());
  lab.pbx.ring(lab.leg('citizen-phone'));
  await lab.forward(4000);
  await lab.answer('operator-phone');
  await lab.forward(1500);
  await lab.answer('citizen-phone');
  await lab.forward(TALK_MS);
  await over(lab);
}

async function released(lab: CoreLab): Promise<void> {
  await lab.connect(PRIYA_AOR);
  await lab.gateway.arm(lab.request());
  await lab.forward(2000);
  await lab.gateway.release(asCitizen(PRIYA), ID);
  await lab.forward(0);
}

/** Her app, or the panel, gets an offer and answers it. */
async function stamped(lab: CoreLab, kind: 'citizen-app' | 'operator-app'): Promise<void> {
  const legId = lab.leg(kind);
  lab.gateway.stamped(legId, 'offer-sent', null, lab.clock.now());
  await lab.forward(60);
  lab.gateway.stamped(legId, 'answer-received', 200, lab.clock.now());
  await lab.forward(0);
}

async function over(lab: CoreLab): Promise<void> {
  await lab.gateway.resolve(asOperator(AKRAM), ID, null);
  lab.panelsLive = false;
  await lab.forward(5000);
}

async function played(
  play: (lab: CoreLab) => Promise<void>,
  kinds: readonly ('citizen-app' | 'operator-app' | 'citizen-phone' | 'operator-phone')[],
): Promise<SessionWrite> {
  const lab = await startCoreLab();
  await play(lab);
  const session = await lab.session();
  const events = await lab.memory.store.events(ID, MAX_EVENTS);
  lab.kill();
  const at = events.at(-1)!.at;
  return {
    before: null,
    after: session,
    at,
    events: events.map((one, index) => ({
      event: one.event,
      at: one.at,
      personal: index === 0 ? { location: PLACE, claimed: { battery: 61, network: '4g' } } : null,
    })),
    timersSet: [],
    timersCleared: [],
    legs: kinds.flatMap((kind) => call(legIdOf(ID, kind, 1), partyOf(kind), session.createdAt, at)),
    feed: [],
    outbox: [],
  };
}

function partyOf(kind: string): Party {
  return kind.startsWith('citizen')
    ? { role: 'citizen', citizenId: PRIYA }
    : { role: 'operator', operatorId: AKRAM };
}

function call(legId: LegId, party: Party, from: Instant, to: Instant): SessionWrite['legs'] {
  return [
    { legId, change: { state: 'dialing', party, at: from } },
    { legId, change: { state: 'answered', trunk: null, at: (from + 400) as Instant } },
    { legId, change: { state: 'ended', at: to, outcome: 'completed', sipStatus: 200, q850: 16 } },
  ];
}
