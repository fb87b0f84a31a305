/**
 * Many sessions at once, on real Asterisk and PostgreSQL, through the real edge: citizens press within a few seconds,
 * some of their apps never answer. Everybody must be heard or have fallen back within the limits, nobody where another
 * one belongs, and nothing may be left.
 */
import { createCarrierReport } from '../../../control-plane/sandbox/carrier/carrier-report.ts';
import type { Timeline } from '../../../control-plane/src/contracts/sos-api.ts';
import type { District } from '../../e2e/support/district.ts';
import { told as row, timed, type Row } from './bench-table.ts';
import {
  armed,
  crossings,
  inLanes,
  joinCitizen,
  openPanels,
  pause,
  type CrowdCitizen,
  type CrowdPanel,
} from './crowd.ts';
import { startGatewayUnderLoad, type GatewayUnderLoad } from './gateway-under-load.ts';
import { during, usageRows } from './usage.ts';

export interface LoadPlan {
  readonly sessions: number;
  /** All presses fall into this time. */
  readonly withinMs: number;
  /** Each with room for five. */
  readonly operators: number;
  /** Of real WebRTC: DTLS, SRTP and ICE, too. */
  readonly realCitizens: number;
  readonly realPanels: number;
  /** Citizens whose app is called and never answers. */
  readonly fallbacks: number;
  /** How long all of them speak. */
  readonly holdMs: number;
  readonly idleMs: number;
  /**
   * Also wait until the last device is forgotten: an app that was connecting anew just when its session ended keeps its
   * place for half a minute.
   */
  readonly untilForgotten: boolean;
}

export interface LoadResult {
  readonly rows: readonly Row[];
  readonly ok: boolean;
}

const WATCHDOG_MS = 5_000;
/** RTC-1, RTC-2, RTC-6; FB-2 counts from the watchdog. */
const LIMITS = { offerMs: 500, activeMs: 3_000, panelMs: 3_000, inviteMs: 2_000 } as const;
const CAPACITY = 5;
const SETTLED_MS = 30_000;
const FORGOTTEN_MS = 45_000;
const LANES = 8;
const LOOK_AGAIN_MS = 200;

interface Session {
  readonly id: string;
  readonly citizen: CrowdCitizen;
}

export async function runLoad(
  plan: LoadPlan,
  say: (line: string) => void = () => undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<LoadResult> {
  const gateway = await startGatewayUnderLoad(say, env);
  try {
    return await load(gateway, plan, say);
  } finally {
    await gateway.stop();
  }
}

async function load(
  gateway: GatewayUnderLoad,
  plan: LoadPlan,
  say: (line: string) => void,
): Promise<LoadResult> {
  const district = await gateway.district({
    operators: Array.from({ length: plan.operators }, () => ({ phone: '05', capacity: CAPACITY })),
  });
  say(`${plan.operators} panels begin their shift`);
  const panels = await openPanels(gateway, district, plan.realPanels);
  say(`${plan.sessions} apps connect`);
  const citizens = await gather(gateway, plan, district);
  const idle = await during(gateway, () => pause(plan.idleMs));
  say('they press');
  const sessions: Session[] = [];
  const rush = await during(gateway, async () => {
    sessions.push(...(await pressAll(citizens, district, plan.withinMs)));
    await settled(gateway, sessions);
  });
  say(`${sessions.length} sessions are up; they speak`);
  const steady = await during(gateway, () => pause(plan.holdMs));
  const rows = [
    ...(await figures(gateway, sessions, panels, rush.seconds)),
    ...voices(sessions, panels),
    ...usageRows('idle', idle),
    ...usageRows('activations', rush),
    ...usageRows('all speak', steady),
  ];
  const end = await ended(gateway, sessions, panels, plan.untilForgotten);
  await Promise.all([...citizens, ...panels].map((person) => person.close()));
  const all = [...rows, ...end];
  return { rows: all, ok: all.every(({ ok }) => ok) };
}

async function gather(
  gateway: GatewayUnderLoad,
  plan: LoadPlan,
  { location }: District,
): Promise<CrowdCitizen[]> {
  const citizens: CrowdCitizen[] = [];
  await inLanes(Array.from({ length: plan.sessions }).keys(), LANES, async (index) => {
    // spread evenly, so that a fallback's neighbours stream
    const neverAnswers =
      Math.floor(((index + 1) * plan.fallbacks) / plan.sessions) >
      Math.floor((index * plan.fallbacks) / plan.sessions);
    const isPlain = index >= plan.realCitizens;
    const citizen = await joinCitizen(gateway, { isPlain, app: neverAnswers ? 'never-answers' : 'answers' });
    citizens.push(citizen);
    await armed(citizen, location);
  });
  return citizens;
}

/** Evenly over the time; each press is waited for, all of them together. */
async function pressAll(
  citizens: readonly CrowdCitizen[],
  { location }: District,
  withinMs: number,
): Promise<readonly Session[]> {
  const everyMs = withinMs / citizens.length;
  return Promise.all(
    citizens.map(async (citizen, index) => {
      await pause(index * everyMs);
      await citizen.client.press(location);
      const id = citizen.client.sessionId;
      if (id === null) throw new Error(`the SOS was not taken: ${JSON.stringify(citizen.client.state)}`);
      return { id, citizen };
    }),
  );
}

/** Everybody is heard or on the telephone; or the time is up, and the figures tell who is not. */
async function settled(gateway: GatewayUnderLoad, sessions: readonly Session[]): Promise<void> {
  const ids = sessions.map(({ id }) => id);
  const deadline = performance.now() + SETTLED_MS;
  while (performance.now() < deadline) {
    const { rows } = await gateway.database.query<{ phase: string }>(
      "SELECT phase FROM sessions WHERE id = ANY ($1) AND phase NOT IN ('active', 'phone-connected')",
      [ids],
    );
    if (rows.length === 0) return;
    await pause(LOOK_AGAIN_MS);
  }
}

async function figures(
  gateway: GatewayUnderLoad,
  sessions: readonly Session[],
  panels: readonly CrowdPanel[],
  seconds: number,
): Promise<readonly Row[]> {
  const timelines = new Map<string, Timeline>();
  await inLanes(sessions, 4, async ({ id }) => {
    timelines.set(id, (await gateway.ask('GET', `/v1/sos/${id}/timeline`)) as unknown as Timeline);
  });
  const ofAll = (which: readonly Session[], value: (timeline: Timeline, session: Session) => number | null) =>
    which.flatMap((session) => {
      const timeline = timelines.get(session.id);
      const found = timeline ? value(timeline, session) : null;
      return found === null ? [] : [found];
    });
  const streaming = sessions.filter(({ citizen }) => !citizen.isDeaf);
  const fallen = sessions.filter(({ citizen }) => citizen.isDeaf);
  const panelAt = firstTold(panels);
  const inviteAt = await invites(gateway);
  const offers = ofAll(sessions, (timeline, { citizen }) => since(timeline, citizen.legs[0]?.offeredAt));
  const heard = ofAll(streaming, (timeline) => msOf(timeline, 'heard'));
  const active = ofAll(streaming, (timeline) => {
    const both = [msOf(timeline, 'heard'), msOf(timeline, 'streaming')];
    return both.includes(null) ? null : Math.max(...both.map(Number));
  });
  const told = ofAll(sessions, (timeline, { id }) => since(timeline, panelAt.get(id)));
  const called = ofAll(fallen, (timeline, { citizen }) => {
    const at = since(timeline, inviteAt.get(citizen.phone));
    return at === null ? null : at - WATCHDOG_MS;
  });
  const complete =
    offers.length + told.length === 2 * sessions.length &&
    active.length === streaming.length &&
    called.length === fallen.length;
  const strange = streaming.filter(({ id }) => {
    const timeline = timelines.get(id);
    return timeline === undefined || msOf(timeline, 'heard') === null || msOf(timeline, 'streaming') === null;
  });
  return [
    ...strange.map(({ id, citizen }) =>
      row(`session ${id}`, storyOf(timelines.get(id), citizen), 'streams', false),
    ),
    row(
      'sessions: all, streaming, on the telephone',
      `${sessions.length}, ${active.length}, ${called.length} in ${seconds.toFixed(1)} s`,
      'all of them',
      complete,
    ),
    timed('activation → offer at her app, ms', offers, LIMITS.offerMs),
    timed(
      'activation → streaming',
      ofAll(streaming, (timeline) => msOf(timeline, 'streaming')),
    ),
    timed('activation → heard', heard),
    timed('activation → streaming and heard', active, LIMITS.activeMs),
    timed('activation → card at a panel', told, LIMITS.panelMs),
    ...(fallen.length > 0 ? [timed('watchdog due → INVITE at the carrier', called, LIMITS.inviteMs)] : []),
  ];
}

/** When a first panel was told of each session. */
function firstTold(panels: readonly CrowdPanel[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { events } of panels)
    for (const { event, at } of events)
      if (event.type === 'sos.activated')
        first.set(event.sessionId, Math.min(at, first.get(event.sessionId) ?? at));
  return first;
}

/** When the first INVITE to each number was at the carrier. */
async function invites(gateway: GatewayUnderLoad): Promise<ReadonlyMap<string, number>> {
  const calls = await createCarrierReport(gateway.sandbox.file.urls.carrierReport).fetchCalls();
  return new Map(calls.toReversed().map(({ number, times }) => [number ?? '', times.inviteAt]));
}

/** What happened to a session that has not become what it should. */
function storyOf(timeline: Timeline | undefined, { isPlain, legs, troubles }: CrowdCitizen): string {
  const steps = timeline?.milestones.map(({ name, ms }) => `${name} ${ms.toFixed(0)}`) ?? [];
  const ends = legs.map(({ ended }) => ended?.how ?? 'up');
  return `${isPlain ? 'plain' : 'real'}: ${steps.join(', ')}; legs ${ends.join(', ')}; ${troubles.map(String).join(', ')}`;
}

function msOf({ milestones }: Timeline, name: string): number | null {
  return milestones.find((one) => one.name === name)?.ms ?? null;
}

/** A client's wall-clock time in milliseconds since the activation, whose exact time a milestone gives. */
function since({ milestones }: Timeline, at: number | undefined): number | null {
  const first = milestones.find(({ name }) => name === 'activated');
  return first === undefined || at === undefined ? null : at - (Date.parse(first.at) - first.ms);
}

function voices(sessions: readonly Session[], panels: readonly CrowdPanel[]): readonly Row[] {
  const speakers = new Map(
    sessions.map(({ id, citizen: { speaker, legs } }) => [id, { speaker, wasMixed: legs.length > 1 }]),
  );
  const crossed = crossings(panels, (id) => speakers.get(id));
  const ears = panels.flatMap((panel) => panel.ears.filter(({ packets }) => packets > 0));
  const heard = new Set(ears.map(({ legId }) => legId.split('.')[0]));
  const wanted = sessions.filter(({ citizen }) => !citizen.isDeaf);
  const timedPackets = ears.reduce((sum, { timed: count }) => sum + count, 0);
  const meanMs = ears.reduce((sum, { delaySumMs }) => sum + delaySumMs, 0) / timedPackets;
  return [
    row(
      'marked voices at the panels',
      `${ears.reduce((sum, { packets }) => sum + packets, 0)} packets of ${heard.size} citizens`,
      'each who streams',
      wanted.every(({ id }) => heard.has(id)),
    ),
    row(
      'packets where another one belongs',
      String(crossed.length),
      crossed[0] ?? 'none',
      crossed.length === 0,
    ),
    row(
      'her packet → panel, through Asterisk, ms',
      `mean ${meanMs.toFixed(1)}, max ${Math.max(...ears.map(({ delayMaxMs }) => delayMaxMs)).toFixed(0)}`,
    ),
    ...microphones(sessions),
  ];
}

/** RTC-3: nobody may be heard at her phone. */
function microphones(sessions: readonly Session[]): readonly Row[] {
  const received = sessions.reduce((sum, { citizen }) => sum + citizen.rtp().packetsReceived, 0);
  return [row('packets at a citizen of WebRTC', String(received), 'none', received === 0)];
}

async function ended(
  gateway: GatewayUnderLoad,
  sessions: readonly Session[],
  panels: readonly CrowdPanel[],
  untilForgotten: boolean,
): Promise<readonly Row[]> {
  await inLanes(sessions, LANES, async ({ id }) => {
    await gateway.ask('POST', `/v1/sos/${id}/resolve`, {});
  });
  const devices = untilForgotten ? [] : sessions.map(({ citizen }) => citizen.aor);
  const stay = ['sandbox', ...panels.map(({ aor }) => aor), ...devices];
  const left = await gateway.witness.assertNothingLeft(stay, FORGOTTEN_MS).then(
    () => 'nothing',
    (error: unknown) => String(error),
  );
  const { rows } = await gateway.database.query<{ open: string; timers: string; legs: string }>(
    `SELECT (SELECT count(*) FROM sessions WHERE open) AS open,
      (SELECT count(*) FROM timers) AS timers, (SELECT count(*) FROM legs WHERE ended_at IS NULL) AS legs`,
  );
  const [{ open, timers, legs } = { open: '?', timers: '?', legs: '?' }] = rows;
  const database = `${open} sessions, ${timers} timers, ${legs} legs`;
  return [
    row('left in Asterisk', left.slice(0, 200), 'nothing', left === 'nothing'),
    row('left open in the database', database, 'nothing', database === '0 sessions, 0 timers, 0 legs'),
  ];
}
