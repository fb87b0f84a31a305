/**
 * Many short sessions, one after the other with a few side by side: each is activated, streams or falls back, and is
 * resolved. What a session needs it must give back: memory, rows, channels, endpoints, open files.
 */
import type { Timeline } from '../../../control-plane/src/contracts/sos-api.ts';
import type { Location } from '../../../control-plane/src/contracts/common.ts';
import { giveBackFreeMemory, topicsOfDevices } from '../../support/asterisk-memory.ts';
import { told as row, type Row } from './bench-table.ts';
import { armed, connectCitizen, inLanes, joinCitizen, openPanels, pause } from './crowd.ts';
import type { CitizenPlan, CrowdCitizen, CrowdPanel } from './crowd.ts';
import { startGatewayUnderLoad, type GatewayUnderLoad, type Part } from './gateway-under-load.ts';
import { INSPECTABLE, lookInside, type Living, type NodeInside } from './node-inside.ts';
import { slopeOf } from './slope.ts';

export interface SoakPlan {
  readonly sessions: number;
  /** Side by side. */
  readonly lanes: number;
  /** Every so many sessions one is of real WebRTC, and one falls back. */
  readonly realEvery: number;
  readonly fallbackEvery: number;
  /** Sessions before growth counts: caches fill, code is compiled. */
  readonly warmUp: number;
  /** A look at memory after so many. */
  readonly lookEvery: number;
  /** Bar of the growth of live objects, of core and edge each, KB a session. */
  readonly heapKb: number;
  /** Bars of the growth of memory, KB a session. It counts what is free inside, too: only a long run tells. */
  readonly memoryKb: Readonly<Partial<Record<Part, number>>>;
  readonly untilForgotten: boolean;
}

export interface SoakResult {
  readonly rows: readonly Row[];
  readonly samples: readonly Sample[];
  readonly ok: boolean;
}

interface Sample {
  readonly sessions: number;
  readonly rssMb: Readonly<Record<Part, number>>;
  readonly files: Readonly<Record<Part, number>>;
  readonly living: Readonly<Record<NodePart, Living>>;
}

type NodePart = 'core' | 'edge';
type Inside = Readonly<Record<NodePart, NodeInside>>;

const ENDED_MS = 15_000;
const FORGOTTEN_MS = 45_000;
const OPERATORS = 4;
/** A session or two are between two states at any look. */
const SPARE_HANDLES = 40;
const PARTS: readonly Part[] = ['core', 'edge', 'asterisk', 'postgres'];

export async function runSoak(
  plan: SoakPlan,
  say: (line: string) => void = () => undefined,
): Promise<SoakResult> {
  const gateway = await startGatewayUnderLoad(
    say,
    { NODE_OPTIONS: INSPECTABLE },
    { NODE_OPTIONS: INSPECTABLE },
  );
  try {
    const inside = {
      core: await lookInside(gateway.sandbox.controlPlane().logFile),
      edge: await lookInside(gateway.sandbox.edge()?.logFile ?? ''),
    };
    const result = await soak(gateway, inside, plan, say);
    for (const one of Object.values(inside)) one.close();
    return result;
  } finally {
    await gateway.stop();
  }
}

async function soak(
  gateway: GatewayUnderLoad,
  inside: Inside,
  plan: SoakPlan,
  say: (line: string) => void,
): Promise<SoakResult> {
  const district = await gateway.district({
    operators: Array.from({ length: OPERATORS }, () => ({ phone: '05', capacity: 10 })),
  });
  const panels = await openPanels(gateway, district, 1);
  const people = await citizensOf(gateway, plan);
  const samples: Sample[] = [await look(gateway, inside, 0)];
  const failures: string[] = [];
  let begunSessions = 0;
  let done = 0;
  const begun = performance.now();
  await inLanes(people.keys(), plan.lanes, async (lane) => {
    // each citizen of the cast lives through her share of the sessions, one after the other
    while (begunSessions < plan.sessions) {
      const number = begunSessions;
      begunSessions += 1;
      await one(gateway, panels, people[lane]!, district.location, number, plan).catch((error: unknown) =>
        failures.push(`session ${number}: ${String(error)}`),
      );
      forget(panels);
      done += 1;
      if (done % plan.lookEvery === 0) {
        samples.push(await look(gateway, inside, done));
        say(`${done} sessions, ${describe(samples.at(-1)!)}`);
      }
    }
  });
  const seconds = (performance.now() - begun) / 1000;
  await Promise.all(panels.map((panel) => panel.close()));
  const rows = [
    row(
      'sessions',
      `${done - failures.length} of ${done} in ${seconds.toFixed(0)} s`,
      failures[0] ?? 'all of them',
      failures.length === 0,
    ),
    ...growth(samples, plan),
    ...(await leftovers(gateway, panels, plan)),
  ];
  return { rows, samples, ok: rows.every(({ ok }) => ok) };
}

type Cast = { readonly plan: CitizenPlan; citizen: CrowdCitizen };

/** One citizen for each lane; her app is started anew for every session, as a phone does it. */
async function citizensOf(gateway: GatewayUnderLoad, plan: SoakPlan): Promise<readonly Cast[]> {
  return Promise.all(
    Array.from({ length: plan.lanes }, async () => {
      const answers = { isPlain: true, app: 'answers' } as const;
      return { plan: answers, citizen: await joinCitizen(gateway, answers) };
    }),
  );
}

async function one(
  gateway: GatewayUnderLoad,
  panels: readonly CrowdPanel[],
  cast: Cast,
  location: Location,
  number: number,
  plan: SoakPlan,
): Promise<void> {
  const fallsBack = number % plan.fallbackEvery === plan.fallbackEvery - 1;
  const isPlain = number % plan.realEvery !== 0;
  const citizen = await connectCitizen(gateway, {
    ...cast.citizen,
    isPlain,
    app: fallsBack ? 'refuses' : 'answers',
    deviceId: `d${number}`,
  });
  try {
    await armed(citizen, location);
    await citizen.client.press(location);
    const id = citizen.client.sessionId;
    if (id === null) throw new Error(`not taken: ${JSON.stringify(citizen.client.state)}`);
    const wanted = fallsBack ? 'phone-connected' : 'sos.active';
    const [panel] = panels;
    await panel
      ?.event((event) => event.sessionId === id && event.type === wanted, ENDED_MS)
      .catch(async (error: unknown) => {
        throw new Error(`${String(error)}; ${await storyOf(gateway, id)}`);
      });
    await gateway.ask('POST', `/v1/sos/${id}/resolve`, {});
    await panel?.event((event) => event.sessionId === id && event.type === 'sos.resolved', ENDED_MS);
  } finally {
    await citizen.close();
  }
}

/** What became of a session instead, for whoever looks into a failure. */
async function storyOf(gateway: GatewayUnderLoad, id: string): Promise<string> {
  const [{ phase, assignment, fallback }, { milestones }] = await Promise.all([
    gateway.ask('GET', `/v1/sos/${id}`),
    gateway.ask('GET', `/v1/sos/${id}/timeline`),
  ]);
  const passed = (milestones as Timeline['milestones']).map(({ name, ms }) => `${name} ${Math.round(ms)}`);
  return `${id} is ${JSON.stringify({ phase, assignment, fallback })} after ${passed.join(', ')}`;
}

/** The clients keep a record for tests; it is theirs to grow, and not looked at here. */
function forget(panels: readonly CrowdPanel[]): void {
  for (const { events, sip, legs, ears } of panels)
    for (const list of [events, sip, legs, ears] as unknown[][])
      if (list.length > 2_000) list.splice(0, list.length - 1_000);
}

async function look(gateway: GatewayUnderLoad, inside: Inside, sessions: number): Promise<Sample> {
  // Memory that is free inside comes and goes with peaks, and would hide a leak or look like one.
  giveBackFreeMemory(gateway.sandbox.engine.settings.directories);
  const figures = gateway.figures();
  const of = (value: (part: Part) => number): Record<Part, number> => ({
    core: value('core'),
    edge: value('edge'),
    postgres: value('postgres'),
    asterisk: value('asterisk'),
    clients: value('clients'),
  });
  return {
    sessions,
    rssMb: of((part) => figures[part].rssMb),
    files: of((part) => figures[part].files),
    living: { core: await inside.core.living(), edge: await inside.edge.living() },
  };
}

function describe({ rssMb, living }: Sample): string {
  const parts = PARTS.map((part) => `${part} ${rssMb[part].toFixed(0)}`).join(', ');
  return `MB: ${parts}; live in core and edge ${living.core.heapMb.toFixed(1)}, ${living.edge.heapMb.toFixed(1)}`;
}

function growth(samples: readonly Sample[], { warmUp, heapKb, memoryKb }: SoakPlan): readonly Row[] {
  const settled = samples.filter(({ sessions }) => sessions >= warmUp);
  const [first, last] = [settled[0], settled.at(-1)];
  if (first === undefined || last === undefined || first === last)
    return [row('growth', 'too few looks', 'some', false)];
  const live = (['core', 'edge'] as const).flatMap((part) => {
    const slopeKb = 1024 * slopeOf(settled.map(({ sessions, living }) => [sessions, living[part].heapMb]));
    const [from, to] = [first.living[part], last.living[part]];
    const text = `${from.heapMb.toFixed(1)} → ${to.heapMb.toFixed(1)} MB, ${slopeKb.toFixed(2)} KB a session`;
    const handles = `${from.handles} → ${to.handles}`;
    return [
      row(`live objects of ${part}`, text, `≤ ${heapKb} KB a session`, slopeKb <= heapKb),
      row(`handles of ${part}`, handles, 'no more', to.handles <= from.handles + SPARE_HANDLES),
    ];
  });
  const memory = PARTS.map((part) => {
    const slopeKb = 1024 * slopeOf(settled.map(({ sessions, rssMb }) => [sessions, rssMb[part]]));
    const files = `files ${first.files[part]} → ${last.files[part]}`;
    const text = `${first.rssMb[part].toFixed(0)} → ${last.rssMb[part].toFixed(0)} MB, ${slopeKb.toFixed(1)} KB a session, ${files}`;
    const limit = memoryKb[part];
    if (limit === undefined) return row(`memory of ${part}`, text);
    return row(`memory of ${part}`, text, `≤ ${limit} KB a session`, slopeKb <= limit);
  });
  return [...live, ...memory];
}

/** Rows that nobody owns any more, by table. Each must be 0. */
const OWNERLESS: Readonly<Record<string, string>> = {
  'open sessions': "SELECT count(*) FROM sessions WHERE open AND phase <> 'arming'",
  'warm-ups past their time':
    "SELECT count(*) FROM sessions WHERE phase = 'arming' AND created_at < now() - interval '10 minutes'",
  'timers of ended sessions':
    'SELECT count(*) FROM timers t JOIN sessions s ON s.id = t.session_id WHERE NOT s.open',
  'legs without an end': 'SELECT count(*) FROM legs WHERE ended_at IS NULL',
  'panels on shift': 'SELECT count(*) FROM operator_presence WHERE on_shift',
  'tickets past their time': "SELECT count(*) FROM tickets WHERE expires_at < now() - interval '15 minutes'",
  'idempotency keys past their time':
    "SELECT count(*) FROM idempotency_keys WHERE claimed_at < now() - interval '25 hours'",
  'feed rows past their time': "SELECT count(*) FROM feed WHERE at < now() - interval '8 days'",
  'devices that count as reachable':
    "SELECT count(*) FROM contacts WHERE online AND since < now() - interval '60 seconds'",
};

async function leftovers(
  gateway: GatewayUnderLoad,
  panels: readonly CrowdPanel[],
  { untilForgotten }: SoakPlan,
): Promise<readonly Row[]> {
  const stay = ['sandbox', ...panels.map(({ aor }) => aor)];
  const left = await nothingInAsterisk(gateway, stay, untilForgotten);
  const devices = topicsOfDevices(gateway.sandbox.engine.asterisk.directories);
  const rows: Row[] = [
    row('left in Asterisk', left.slice(0, 300), 'nothing', left === 'nothing'),
    row('states of devices in Asterisk', String(devices.length), 'none', devices.length === 0),
  ];
  for (const [what, statement] of Object.entries(OWNERLESS)) {
    const count = await soonNone(gateway, statement);
    rows.push(row(what, String(count), 'none', count === 0));
  }
  return rows;
}

/** 0, or what is still there when the last words of those who left must have been written. */
async function soonNone({ database }: GatewayUnderLoad, statement: string): Promise<number> {
  const deadline = performance.now() + ENDED_MS;
  for (;;) {
    const { rows } = await database.query<{ count: string }>(statement);
    const count = Number(rows[0]?.count);
    if (count === 0 || performance.now() > deadline) return count;
    await pause(200);
  }
}

async function nothingInAsterisk(
  gateway: GatewayUnderLoad,
  stay: readonly string[],
  untilForgotten: boolean,
): Promise<string> {
  const deadline = performance.now() + FORGOTTEN_MS;
  for (;;) {
    const channels = (await gateway.witness.channels()).map(({ id }) => id);
    const bridges = (await gateway.witness.bridges()).map(({ id }) => id);
    const endpoints = untilForgotten
      ? (await gateway.witness.endpoints()).map(({ name }) => name).filter((name) => !stay.includes(name))
      : [];
    const left = [...channels, ...bridges, ...endpoints];
    if (left.length === 0) return 'nothing';
    if (performance.now() > deadline) return left.join(', ');
    await pause(200);
  }
}
