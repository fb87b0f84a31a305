/** One run: a session in every phase, one fault, and what came of each of them. */
import { setTimeout as delay } from 'node:timers/promises';
import { CLIENT_TONES_HZ } from '../../control-plane/sandbox/audio/tones.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { SessionId } from '../../control-plane/src/domain/ids.ts';
import { outcomeOf, numbersOf } from './outcome.ts';
import type { Fault } from './faults.ts';
import type { Rig } from './rig.ts';
import { ROLES } from './roles.ts';
import type { Act, Outcome, Role, Stage } from './standing.ts';

const ARM_AHEAD_MS = 30;
const AT_FAULT_AHEAD_MS = 4;
const LOOK_AHEAD_MS = 150;
const LOOK_EVERY_MS = 400;
/** From the end of the fault: nobody waits longer than this to be heard, or to be known as unheard. */
const SETTLED_MS = 45_000;
const READ_MS = 5_000;
/** The edge keeps the lane of a client that is away for 30 s, the core its endpoint for 5 s more. */
const ENDPOINT_GONE_MS = 40_000;
/** From the end of the sessions until all of it is in the database. */
const WRITTEN_MS = 20_000;

export interface Pair {
  readonly phase: string;
  readonly fault: string;
  readonly outcome: Outcome;
  /** From the fault until the outcome stood, milliseconds; `null`: it never did. */
  readonly settledMs: number | null;
  /** It was in its phase when the fault came. */
  readonly met: boolean;
  readonly sessionId: string | null;
  /** What the oracle objects to; empty: nothing. */
  readonly objections: readonly string[];
  /** What is as it should be, but not the best. */
  readonly remarks: readonly string[];
}

export interface RunResult {
  readonly fault: string;
  /** From the strike until the fault was over, milliseconds. */
  readonly faultMs: number;
  readonly pairs: readonly Pair[];
  /** Of the run as a whole. */
  readonly objections: readonly string[];
}

interface Player {
  readonly role: Role;
  readonly act: Act;
  met: boolean;
  outcome: Outcome;
  settledAt: number | null;
  offersBefore: number;
}

export async function runFault(rig: Rig, fault: Fault, roles: readonly Role[] = ROLES): Promise<RunResult> {
  const { gateway } = rig;
  if (fault.coreEnv) await rig.renewCore(fault.coreEnv);
  const players = await prepare(rig, roles);
  const objections: string[] = [];
  const feedFrom = rig.feed.last;
  const strikeAt = performance.now() + Math.max(...roles.map(({ leadMs }) => leadMs)) + 200;
  await bringUp(players, strikeAt);
  await delay(strikeAt - LOOK_AHEAD_MS - performance.now());
  await noteWhere(rig, players);
  fault.arm?.(rig);
  await delay(Math.max(1, strikeAt - ARM_AHEAD_MS - performance.now()));
  const meanwhile: Promise<void>[] = [];
  const going = (work: Promise<void> | undefined): void => {
    if (!work) return;
    meanwhile.push(
      work.catch((error: unknown) => {
        objections.push(`a request was never answered: ${String(error)}`);
      }),
    );
  };
  for (const { act } of players) going(act.atFault?.());
  await delay(AT_FAULT_AHEAD_MS);
  const struckAt = performance.now();
  for (const { act } of players) going(act.afterFault?.());
  await fault.strike(rig);
  const faultMs = performance.now() - struckAt;
  objections.push(
    ...rig.failedStarts.slice(fault.failsStarts ?? 0).map((why) => `a core did not start: ${why}`),
  );
  rig.failedStarts = [];
  rig.explainedMs = faultMs + Math.abs(fault.clockStepMs ?? 0);
  await settle(rig, players, struckAt, performance.now() + SETTLED_MS);
  await Promise.all(meanwhile);
  const calls = await gateway.carrier.fetchCalls();
  const pairs: Pair[] = [];
  for (const player of players) pairs.push(await judge(rig, fault, player, calls, struckAt));
  objections.push(...(await doubleVoices(rig)));
  for (const found of rig.channels.doubles) objections.push(`two channels at once: ${found}`);
  rig.channels.doubles.clear();
  if (!(await rig.isReady())) objections.push('the gateway is not ready');
  // A device that came back once more before it knew that it is over keeps its endpoint as long as any that went away.
  await gateway
    .clear()
    .catch(() => gateway.assertNothingLeft(ENDPOINT_GONE_MS))
    .catch((error: unknown) => objections.push(String(error)));
  const writtenBy = performance.now() + WRITTEN_MS;
  for (const [index, pair] of pairs.entries())
    pairs[index] = { ...pair, objections: [...pair.objections, ...(await written(rig, pair, writtenBy))] };
  objections.push(...(await feedObjections(rig, feedFrom)));
  return { fault: fault.name, faultMs, pairs, objections };
}

async function prepare(rig: Rig, roles: readonly Role[]): Promise<Player[]> {
  const { gateway } = rig;
  const district = await gateway.district({ operators: [{ capacity: 20 }] });
  const [operator] = district.operators;
  const panel = await gateway.panel(operator?.id ?? '');
  const tones = [...CLIENT_TONES_HZ];
  const stage: Stage = {
    gateway,
    staffed: { district, panel },
    nextToneHz: () => {
      const tone = tones.shift();
      if (tone === undefined) throw new Error('more microphones than tones');
      return tone;
    },
  };
  const players: Player[] = [];
  for (const role of roles) {
    const act = await role.prepare(stage);
    players.push({
      role,
      act,
      met: false,
      outcome: 'none',
      settledAt: null,
      offersBefore: 0,
    });
  }
  return players;
}

/** Each begins so long before the strike that it is in its phase by then. */
async function bringUp(players: readonly Player[], strikeAt: number): Promise<void> {
  for (const { role, act } of players.toSorted((a, b) => b.role.leadMs - a.role.leadMs)) {
    await delay(Math.max(0, strikeAt - role.leadMs - performance.now()));
    void act.begin().catch(() => undefined);
  }
}

async function noteWhere(rig: Rig, players: readonly Player[]): Promise<void> {
  const views = await openViews(rig);
  for (const player of players) {
    const view = views.get(player.act.sessionId() ?? '') ?? null;
    player.met = player.role.isThere(view);
    player.offersBefore = player.act.citizen.legs.length;
  }
}

/** Waits until each has come to what it should come to; whoever does not keeps what it has. */
async function settle(
  rig: Rig,
  players: readonly Player[],
  struckAt: number,
  deadline: number,
): Promise<void> {
  for (;;) {
    const views = await openViews(rig).catch(() => null);
    const calls = await rig.gateway.carrier.fetchCalls();
    for (const player of players) {
      if (views === null) break;
      const id = player.act.sessionId();
      const view = views.get(id ?? '') ?? (id === null ? null : await rig.gateway.view(id).catch(() => null));
      const outcome = outcomeOf(player.act, view, calls);
      if (outcome !== player.outcome) player.settledAt = performance.now() - struckAt;
      player.outcome = outcome;
    }
    const isSettled = players.every(({ role, outcome }) => role.endsAs.includes(outcome));
    if (isSettled && performance.now() > struckAt + 1000) return;
    if (performance.now() > deadline) return;
    await delay(LOOK_EVERY_MS);
  }
}

async function openViews({ gateway }: Rig): Promise<ReadonlyMap<string, SessionView>> {
  const { token } = gateway.file.tokens.supervisor;
  const { body } = await gateway.send(token, 'GET', '/v1/sos?open=true&limit=200');
  const { sessions } = body as unknown as { readonly sessions: readonly SessionView[] };
  return new Map(sessions.map((view) => [view.id, view]));
}

async function judge(
  rig: Rig,
  fault: Fault,
  { role, act, met, outcome, settledAt, offersBefore }: Player,
  calls: readonly CallReport[],
  struckAt: number,
): Promise<Pair> {
  const objections: string[] = [];
  const remarks: string[] = [];
  const id = act.sessionId();
  if (outcome === 'none') {
    const view = id === null ? null : await rig.gateway.view(id).catch(() => null);
    objections.push(`neither heard nor known as unheard: ${describe(view)}`);
  } else if (!role.endsAs.includes(outcome)) remarks.push(`${outcome} instead of ${role.endsAs[0] ?? '-'}`);
  for (const number of numbersOf(act)) {
    const twice = overlapping(
      calls.filter((call) => call.number === number),
      rig.engineSince,
    );
    if (twice) objections.push(`two calls at once to one phone: ${twice}`);
  }
  // A clock that was set forward while nobody looked takes its step from the time that her phone rings.
  const ringsShorter = (fault.clockStepMs ?? 0) > 0;
  if (role.calledOnce && !fault.cutsMedia && !ringsShorter) {
    const hers = calls.filter(({ number }) => number === act.citizen.phone).length;
    if (hers > 1) objections.push(`her phone, which answers, was called ${hers} times`);
  }
  if (role.streams && met && !fault.cutsMedia) {
    const offers = act.citizen.legs.length - offersBefore;
    if (offers > 0) objections.push(`${offers} new offers to a stream that was live`);
  }
  objections.push(...(await lateWatchdogs(rig, id, struckAt)).map((ms) => `watchdog ${ms} ms late`));
  return {
    phase: role.phase,
    fault: fault.name,
    outcome,
    settledMs: settledAt === null ? null : Math.round(settledAt),
    met,
    sessionId: id,
    objections,
    remarks,
  };
}

function describe(view: SessionView | null): string {
  if (!view) return 'no such session';
  const { phase, streaming, heard, fallback, alerts, degradedReason } = view;
  const said = alerts.map(({ kind }) => kind).join(',');
  const call = fallback && `${fallback.mode} ${fallback.citizenPhone}/${fallback.operatorPhone}`;
  return JSON.stringify({ phase, streaming, heard, call, said, degradedReason });
}

/** Two calls of one number that were alive at one moment; a call of an Asterisk that was killed is its ghost. */
function overlapping(calls: readonly CallReport[], engineSince: number): string | null {
  const ours = calls.filter(({ times, state }) => times.inviteAt >= engineSince || state === 'ended');
  for (const [index, one] of ours.entries())
    for (const other of ours.slice(index + 1)) {
      const isGhost = one.times.inviteAt < engineSince && other.times.inviteAt >= engineSince;
      if (isGhost) continue;
      if (other.times.inviteAt < (one.times.endedAt ?? one.times.byeAt ?? Number.POSITIVE_INFINITY))
        return `${one.callId} and ${other.callId}`;
    }
  return null;
}

/** Both ways of one session with two voices in each: more than a hand-over. */
async function doubleVoices({ gateway }: Rig): Promise<readonly string[]> {
  const full = (await gateway.witness.bridges()).filter(({ members }) => members.length > 1);
  const streams = full.filter(({ id }) => id.endsWith('.stream')).map(({ id }) => id.slice(0, -7));
  return streams
    .filter((id) => full.some((other) => other.id === `${id}.phone`))
    .map((id) => `two voice channels: ${id}`);
}

const WATCHDOG_LATE_MS = 1_000;

/** How late its watchdog fired, where that was later than the fault explains. */
async function lateWatchdogs(rig: Rig, id: string | null, struckAt: number): Promise<readonly number[]> {
  if (id === null) return [];
  const rows = await rig.gateway.sql<{ at: Date; due: Date; event: { timer?: string } }>(
    `SELECT e.at, s.activated_at + interval '5 s' AS due, e.event FROM session_events e JOIN sessions s ON s.id = e.session_id
     WHERE e.session_id = $1 AND e.type = 'timer.due' AND NOT EXISTS
       (SELECT FROM feed f WHERE f.session_id = s.id AND f.type = 'sos.active' AND f.at < e.at) ORDER BY e.seq`,
    [id],
  );
  const first = rows.find(({ event }) => event.timer === 'watchdog');
  if (!first) return [];
  const lateMs = first.at.getTime() - first.due.getTime();
  const struck = performance.timeOrigin + struckAt;
  const explainedMs = first.at.getTime() > struck ? rig.explainedMs : 0;
  return lateMs > WATCHDOG_LATE_MS + explainedMs ? [Math.round(lateMs)] : [];
}

/** What was decided while the database was away reaches it from the journal: that is waited for. */
async function written(rig: Rig, pair: Pair, deadline: number): Promise<readonly string[]> {
  for (;;) {
    const objections = await afterwards(rig, pair);
    if (objections.length === 0 || performance.now() > deadline) return objections;
    await delay(LOOK_EVERY_MS);
  }
}

/** After the end: one terminal event, a whole chain, no leg without an end, no timer. */
async function afterwards(rig: Rig, { sessionId, phase }: Pair): Promise<readonly string[]> {
  if (sessionId === null) return [];
  const [found] = await rig.gateway.sql<{
    phase: string;
    ends: number;
    told: number;
    legs: number;
    timers: number;
  }>(
    `SELECT s.phase,
       (SELECT count(*)::int FROM session_events WHERE session_id = s.id AND type = 'api.resolved') AS ends,
       (SELECT count(*)::int FROM feed WHERE session_id = s.id AND type = 'sos.resolved') AS told,
       (SELECT count(*)::int FROM legs WHERE session_id = s.id AND ended_at IS NULL) AS legs,
       (SELECT count(*)::int FROM timers WHERE session_id = s.id) AS timers
     FROM sessions s WHERE s.id = $1`,
    [sessionId],
  );
  if (!found) return [`the session is not in the database`];
  const chain = await rig.database.records.verify(sessionId as SessionId);
  return [
    ...(found.phase === 'resolved' ? [] : [`ended as ${found.phase} (${phase})`]),
    ...(found.ends === 1 && found.told === 1
      ? []
      : [`${found.ends} terminal events, told ${found.told} times`]),
    ...(found.legs === 0 ? [] : [`${found.legs} legs without an end`]),
    ...(found.timers === 0 ? [] : [`${found.timers} timers left`]),
    ...(chain?.whole === true ? [] : [`the chain: ${JSON.stringify(chain)}`]),
  ];
}

/** What the reader saw across the fault against what was written. */
async function feedObjections(rig: Rig, from: number): Promise<readonly string[]> {
  const deadline = performance.now() + READ_MS;
  for (;;) {
    const rows = await rig.gateway.sql<{ seq: string }>('SELECT seq FROM feed WHERE seq > $1 ORDER BY seq', [
      from,
    ]);
    const written = rows.map(({ seq }) => Number(seq));
    const seen = new Set(rig.feed.seen);
    const missing = written.filter((seq) => !seen.has(seq) && seq > rig.feed.coveredTo);
    const { doubles } = rig.feed;
    if (missing.length === 0 || performance.now() > deadline) {
      rig.feed.doubles = 0;
      return [
        ...(missing.length > 0 ? [`the feed's reader missed ${missing.length} of ${written.length}`] : []),
        ...(doubles > 0 ? [`the feed's reader was told ${doubles} things twice`] : []),
      ];
    }
    await delay(LOOK_EVERY_MS);
  }
}
