/**
 * What may happen in the world, each by a number: a step is one 31-bit number, of which the low part chooses the kind
 * and the rest everything else. To add a kind of event, add a row.
 */
import type { LegKind, OperatorId } from '../../control-plane/src/domain/ids.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';
import { AKRAM, BINA, CHIEF, CITIZEN_AOR, panelOf, subject } from '../support/session-scenario.ts';
import { kindOf } from './promises.ts';
import type { Channel } from './promises.ts';
import type { Delivery, SessionWorld } from './session-world.ts';

interface Step {
  readonly weight: number;
  readonly act: (world: SessionWorld, n: number) => void;
}

const ENDS: readonly (readonly [LegOutcome, number | null])[] = [
  ['completed', null],
  ['completed', null],
  ['busy', 486],
  ['rejected', 603],
  ['no-answer', 408],
  ['unreachable', null],
  ['unreachable', 480],
  ['congestion', 503],
  ['media-failed', 488],
  ['lost', null],
  ['invalid-number', 404],
];
const PAUSES_MS = [100, 400, 1000, 3000, 5000, 6000, 8000, 25_000, 60_000];

/** Most words of the engine arrive once and at once. */
function deliveryOf(n: number): Delivery {
  const at = n % 16;
  return at < 12 ? 'now' : at === 12 ? 'twice' : at < 15 ? 'late' : 'lost';
}

function answer(world: SessionWorld, channel: Channel | null, delivery: Delivery): void {
  if (channel === null || channel.state === 'answered') return;
  channel.state = 'answered';
  world.tell({ type: 'pbx.answered', legId: channel.legId }, delivery);
}

/** The newest channel of a kind: the paths that matter are walked often. */
function newest(world: SessionWorld, kind: LegKind): Channel | null {
  return (
    [...world.channels.values()].findLast((one) => kindOf(one.legId) === kind && one.hangupAt === null) ??
    null
  );
}

const KINDS: readonly LegKind[] = ['citizen-app', 'operator-app', 'citizen-phone', 'operator-phone'];
const isAnswered = (channel: Channel): boolean => channel.state === 'answered';
const of = (kind: LegKind) => (channel: Channel) => kindOf(channel.legId) === kind;

function operatorOf(world: SessionWorld, channel: Channel): OperatorId {
  const leg =
    world.session && 'legs' in world.session
      ? world.session.legs.find((one) => one.id === channel.legId)
      : null;
  return leg && leg.party.role !== 'citizen' ? leg.party.operatorId : AKRAM;
}

export const STEPS: readonly Step[] = [
  // The usual course of things.
  { weight: 24, act: (w, n) => answer(w, newest(w, KINDS[n % 4] ?? 'citizen-app'), deliveryOf(n >> 2)) },
  {
    weight: 10,
    act: (w, n) => {
      const channel = w.channelAt(n >> 4, (one) => of('citizen-app')(one) && isAnswered(one));
      if (channel) w.tell({ type: 'media.streaming', legId: channel.legId }, deliveryOf(n));
    },
  },
  {
    weight: 10,
    act: (w, n) => {
      const channel = w.channelAt(n >> 4, (one) => of('operator-app')(one) && isAnswered(one));
      if (!channel) return;
      w.tell(
        { type: 'panel.heard', legId: channel.legId, operatorId: operatorOf(w, channel) },
        deliveryOf(n),
      );
    },
  },
  { weight: 8, act: (w, n) => w.bridge(deliveryOf(n)) },
  { weight: 16, act: (w, n) => w.forward(PAUSES_MS[n % PAUSES_MS.length] ?? 100) },
  { weight: 6, act: (w, n) => w.forward(1 + (n % 9000)) },
  { weight: 6, act: (w) => w.settle() },
  // Press 1, or another key.
  {
    weight: 5,
    act: (w, n) => {
      const channel = w.channelAt(n >> 5, (one) => of('operator-phone')(one) && isAnswered(one));
      if (channel)
        w.tell(
          { type: 'pbx.key-pressed', legId: channel.legId, key: (n & 16) === 0 ? '1' : '5' },
          deliveryOf(n),
        );
    },
  },
  // Anything of any channel.
  { weight: 4, act: (w, n) => answer(w, w.channelAt(n >> 4), deliveryOf(n)) },
  {
    weight: 3,
    act: (w, n) => {
      const channel = w.channelAt(n >> 4);
      if (!channel || channel.state !== 'dialing') return;
      channel.state = 'ringing';
      w.tell({ type: 'pbx.ringing', legId: channel.legId }, deliveryOf(n));
    },
  },
  {
    weight: 12,
    act: (w, n) => {
      const channel = w.channelAt(n >> 8);
      const [outcome, status] = ENDS[(n >> 4) % ENDS.length] ?? ['lost', null];
      if (channel) w.endSomehow(channel, outcome, status, deliveryOf(n));
    },
  },
  {
    weight: 5,
    act: (w, n) => {
      const channel = w.channelAt(n >> 5, of('citizen-app'));
      if (channel)
        w.tell({ type: (n & 16) === 0 ? 'media.lost' : 'media.back', legId: channel.legId }, deliveryOf(n));
    },
  },
  {
    weight: 2,
    act: (w, n) => {
      const channel = w.channelAt(n >> 4, of('operator-app'));
      if (channel) w.tell({ type: 'panel.silent', legId: channel.legId }, deliveryOf(n));
    },
  },
  { weight: 5, act: (w, n) => w.tellLate(n) },
  { weight: 2, act: (w) => w.reattach() },
  // People.
  { weight: 3, act: (w, n) => w.activate(w.profile, n % 4 !== 0) },
  {
    weight: 1,
    act: (w, n) => w.activate({ ...w.profile, aor: `citizen-priya-tablet` as never }, n % 2 === 0),
  },
  { weight: 3, act: (w) => w.send({ type: 'contact.online', aor: CITIZEN_AOR }) },
  { weight: 3, act: (w) => w.send({ type: 'contact.offline', aor: CITIZEN_AOR }) },
  { weight: 4, act: (w) => w.send({ type: 'api.redial-requested', by: 'operator:akram' }) },
  { weight: 1, act: (w) => w.send({ type: 'api.released' }) },
  { weight: 1, act: (w) => w.send({ type: 'api.armed', subject: subject(w.profile) }) },
  {
    weight: 3,
    act: (w, n) => {
      const alerts = w.session && 'alerts' in w.session ? w.session.alerts : [];
      const alert = alerts[n % Math.max(1, alerts.length)];
      if (alert) w.send({ type: 'panel.alert-acknowledged', kind: alert.kind, by: CHIEF });
    },
  },
  // Staff.
  {
    weight: 4,
    act: (w, n) => {
      const to = [AKRAM, BINA, null][n % 3] ?? null;
      w.send({ type: 'api.transfer-requested', to, asker: null, by: 'supervisor:chief' });
    },
  },
  {
    weight: 2,
    act: (w, n) => {
      const [operatorId, role] =
        n % 3 === 0 ? ([CHIEF, 'supervisor'] as const) : ([AKRAM, 'operator'] as const);
      const aor = panelOf(operatorId);
      w.send({ type: 'api.join-requested', operatorId, role, aor, by: `${role}:${operatorId}` });
    },
  },
  {
    weight: 2,
    act: (w, n) => {
      const by = 'supervisor:chief';
      if (n % 3 === 0) w.send({ type: 'api.listen-ended', operatorId: CHIEF, by });
      else w.send({ type: 'api.listen-requested', operatorId: CHIEF, aor: panelOf(CHIEF), by });
    },
  },
  { weight: 2, act: (w, n) => answer(w, newest(w, 'supervisor-app'), deliveryOf(n)) },
  {
    weight: 2,
    act: (w, n) => w.send({ type: 'contact.online', aor: panelOf(n % 2 === 0 ? AKRAM : BINA) }),
  },
  // The roster.
  { weight: 2, act: (w) => w.send({ type: 'roster.changed' }) },
  {
    weight: 3,
    act: (w, n) => {
      w.free = [AKRAM, BINA].filter((_, index) => ((n >> index) & 1) === 1);
    },
  },
  {
    weight: 3,
    act: (w, n) => {
      const accepts = (bit: number) => (((n >> bit) & 1) === 1 ? ({ acceptance: 'press-1' } as const) : {});
      w.chain = [
        ...((n & 1) === 1 ? [{ role: 'operator', operatorId: AKRAM, ...accepts(3) } as const] : []),
        ...((n & 2) === 2 ? [{ role: 'operator', operatorId: BINA, ...accepts(4) } as const] : []),
        ...((n & 4) === 4 ? [{ role: 'supervisor', operatorId: CHIEF, ...accepts(5) } as const] : []),
      ];
    },
  },
];

const BY_WEIGHT: readonly Step[] = STEPS.flatMap((step) => Array<Step>(step.weight).fill(step));

export function takeStep(world: SessionWorld, n: number): void {
  BY_WEIGHT[n % BY_WEIGHT.length]?.act(world, Math.floor(n / BY_WEIGHT.length));
}

/** Everybody is willing now: whoever is called answers, her app streams, panels hear. It has to come to a voice. */
export function bringTogether(world: SessionWorld): void {
  world.free = [AKRAM];
  world.chain = [
    { role: 'operator', operatorId: AKRAM, acceptance: 'press-1' },
    { role: 'supervisor', operatorId: CHIEF },
  ];
  world.reattach();
  const devices = world.session && 'devices' in world.session ? world.session.devices : [];
  for (const { aor } of devices) world.send({ type: 'contact.online', aor });
  for (let second = 0; second < 120 && !hasVoice(world); second += 1) {
    world.settle();
    for (const channel of [...world.channels.values()]) {
      if (channel.hangupAt !== null) continue;
      answer(world, channel, 'now');
      const { legId } = channel;
      if (of('citizen-app')(channel)) world.send({ type: 'media.streaming', legId });
      if (of('citizen-app')(channel)) world.send({ type: 'media.back', legId });
      if (of('operator-app')(channel))
        world.send({ type: 'panel.heard', legId, operatorId: operatorOf(world, channel) });
      if (of('operator-phone')(channel)) world.send({ type: 'pbx.key-pressed', legId, key: '1' });
    }
    world.bridge('now');
    world.forward(1000);
  }
}

export function hasVoice({ session }: SessionWorld): boolean {
  return (
    session?.phase === 'active' || (session?.phase === 'phone-connected' && session.bridgedWith !== null)
  );
}
