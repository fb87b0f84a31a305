/** Telephone calls of the API: from the request to the INVITE and the first ring, beside a bare originate; and a rush of them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { WebSocket } from 'ws';
import { createCarrierReport } from '../../control-plane/sandbox/carrier/carrier-report.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import type { SandboxFile } from '../../control-plane/sandbox/sandbox-file.ts';
import type { Sandbox } from '../../control-plane/sandbox/sandbox.ts';
import { startReceiver, type Received } from '../support/webhook-receiver.ts';

const DEADLINE_MS = 10_000;
/** What went before is over by then, for the floor as for the calls. */
const PAUSE_MS = 100;
const FLOOR_APP = 'bench-call-floor';
/** For the last calls of a rush to end by themselves. */
const RUSH_OVER_MS = 20_000;
const LOOK_EVERY_MS = 250;
const RINGS_FOR_EVER = '20';
/** Rings, and declines after a second and a half: no voice, so that two cores can play the carrier as well. */
const DECLINES = '63';

export interface CallFigures {
  /** One ARI request over the event socket → INVITE at the carrier. */
  readonly floor: readonly number[];
  /** API request sent → INVITE at the carrier. */
  readonly invite: readonly number[];
  /** API request sent → the gateway has seen the 180, which the carrier sends 200 ms after the INVITE. */
  readonly ringing: readonly number[];
}

export async function callLatencies(
  { file }: Sandbox,
  runs: number,
  tell: (done: number) => void,
): Promise<CallFigures> {
  const carrier = createCarrierReport(file.urls.carrierReport);
  const database = new pg.Client(file.databaseUrl);
  await database.connect();
  const socket = await floorSocket(file);
  const floor: number[] = [];
  const invite: number[] = [];
  const ringing: number[] = [];
  const inviteTo = (number: string, fits: (call: CallReport) => boolean = () => true): Promise<CallReport> =>
    carrier.waitForCall((call) => call.number === number && fits(call), DEADLINE_MS);
  try {
    for (let run = 0; run < runs; run += 1) {
      const bare = numberOf(run, 1, RINGS_FOR_EVER);
      await delay(PAUSE_MS);
      const bareAt = now();
      const channelId = originate(socket, file, bare);
      floor.push((await inviteTo(bare)).times.inviteAt - bareAt);
      hangUpBare(socket, channelId);

      const number = numberOf(run, 2, RINGS_FOR_EVER);
      await delay(PAUSE_MS);
      const askedAt = now();
      const id = await place(file, number);
      invite.push((await inviteTo(number, ({ times }) => times.ringingAt !== null)).times.inviteAt - askedAt);
      ringing.push((await ringingAt(database, id)) - askedAt);
      await hangUp(file, id);
      tell(run + 1);
    }
    return { floor, invite, ringing };
  } finally {
    socket.close();
    await database.end();
  }
}

export interface RushFigures {
  readonly asked: number;
  /** API requests that were not answered 201, and what the first of them was answered. */
  readonly refused: number;
  readonly firstRefusal: string | null;
  /** Calls of which the carrier saw no INVITE, or more than one. */
  readonly missed: number;
  /** Calls that did not end as declined. */
  readonly wrongEnds: number;
  readonly invite: readonly number[];
}

export interface WebhookFigures {
  /** A change, by the server's clock → its first delivery at the backend, as calls begin and end one after the other. */
  readonly delivered: readonly number[];
  /** The same where as many calls end in one moment. */
  readonly burst: readonly number[];
  /** API request sent → the backend hears that it rings (180 comes 200 ms after the INVITE). */
  readonly ringing: readonly number[];
}

/** As many calls at once, twice: hung up one after the other, and all in the same moment. */
export async function webhooksInFlight(
  { file }: Sandbox,
  calls: number,
  perSecond: number,
  tell: (done: number) => void,
): Promise<WebhookFigures> {
  const receiver = await startReceiver();
  const made = await request(file, 'POST', '/v1/webhooks', { url: receiver.url, events: ['call.*'] });
  if (made.status !== 201) throw new Error(`POST /v1/webhooks: ${made.status} ${await made.text()}`);
  const { id: endpoint } = (await made.json()) as { readonly id: string };
  const lateness = (): number[] => receiver.received.map(({ at, timestamp }) => at - Date.parse(timestamp));
  const isEnd = ({ type }: Received): boolean => type === 'call.ended' || type === 'call.failed';
  const ring = async (series: number): Promise<ReadonlyMap<string, number>> => {
    const asked = new Map<string, number>();
    await paced(calls, perSecond, async (index) => {
      const askedAt = now();
      asked.set(await place(file, numberOf(index, series, RINGS_FOR_EVER)), askedAt);
    });
    const isOne = ({ type, data }: Received): boolean =>
      type === 'call.ringing' && asked.has(String(data['callId']));
    await receiver.count(calls, isOne, DEADLINE_MS);
    return asked;
  };
  try {
    const asked = await ring(4);
    tell(calls / 2);
    const ids = [...asked.keys()];
    await paced(calls, perSecond, (index) => hangUp(file, ids[index]!));
    await receiver.count(calls, isEnd, DEADLINE_MS);
    const delivered = lateness();
    const ringing = receiver.received.flatMap(({ type, at, data }) => {
      const askedAt = asked.get(String(data['callId']));
      return type === 'call.ringing' && askedAt !== undefined ? at - askedAt : [];
    });
    tell(calls);
    const others = await ring(5);
    const before = receiver.received.length;
    await Promise.all([...others.keys()].map((id) => hangUp(file, id)));
    await receiver.count(2 * calls, isEnd, DEADLINE_MS);
    return { delivered, ringing, burst: lateness().slice(before) };
  } finally {
    await (await request(file, 'DELETE', `/v1/webhooks/${endpoint}`)).arrayBuffer();
    await receiver.close();
  }
}

/** So many a second, evenly; each rings, and is declined. */
export async function callRush(
  { file }: Sandbox,
  perSecond: number,
  seconds: number,
  tell: (done: number) => void,
): Promise<RushFigures> {
  const carrier = createCarrierReport(file.urls.carrierReport);
  await carrier.reset();
  const total = perSecond * seconds;
  const asked = new Map<string, number>();
  const ids: string[] = [];
  let refused = 0;
  let firstRefusal: string | null = null;
  const seen = new Map<string, number[]>();
  let isOver = false;
  const watching = watch(carrier, seen, () => isOver);
  await paced(total, perSecond, async (index) => {
    const number = numberOf(index, 3, DECLINES);
    asked.set(number, now());
    if ((index + 1) % (perSecond * 5) === 0) tell(index + 1);
    try {
      ids.push(await place(file, number));
    } catch (error) {
      refused += 1;
      firstRefusal ??= String(error);
    }
  });
  const wrongEnds = await endsOf(file, ids);
  isOver = true;
  await watching;
  const invites = [...asked].map(([number, at]) => (seen.get(number) ?? []).map((one) => one - at));
  return {
    asked: total,
    refused,
    firstRefusal,
    missed: invites.filter((times) => times.length !== 1).length,
    wrongEnds,
    invite: invites.flatMap((times) => times.slice(0, 1)),
  };
}

/** Begins as many a second, evenly; over when all of them are. */
async function paced(
  many: number,
  perSecond: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  const beganAt = now();
  const under: Promise<unknown>[] = [];
  for (let index = 0; index < many; index += 1) {
    await delay(Math.max(0, beganAt + (index * 1000) / perSecond - now()));
    under.push(work(index));
  }
  await Promise.all(under);
}

/** Notes when the INVITE of each call came, while the carrier still knows it. */
async function watch(
  carrier: ReturnType<typeof createCarrierReport>,
  seen: Map<string, number[]>,
  isOver: () => boolean,
): Promise<void> {
  const known = new Set<string>();
  for (;;) {
    const last = isOver();
    for (const { callId, number, times } of await carrier.fetchCalls()) {
      if (number === null || known.has(callId)) continue;
      known.add(callId);
      seen.set(number, [...(seen.get(number) ?? []), times.inviteAt]);
    }
    if (last) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** How many of these calls did not end as declined. */
async function endsOf(file: SandboxFile, ids: readonly string[]): Promise<number> {
  const database = new pg.Client(file.databaseUrl);
  await database.connect();
  const deadline = performance.now() + RUSH_OVER_MS;
  try {
    for (;;) {
      const { rows } = await database.query<{ open: number; wrong: number }>(
        `SELECT count(*) FILTER (WHERE open)::int AS open,
           count(*) FILTER (WHERE open OR reason <> 'rejected')::int AS wrong
         FROM calls WHERE id = ANY ($1::uuid[])`,
        [ids],
      );
      const [row] = rows;
      if (!row || row.open === 0 || performance.now() > deadline) return row?.wrong ?? ids.length;
      await delay(LOOK_EVERY_MS);
    }
  } finally {
    await database.end();
  }
}

async function place(file: SandboxFile, to: string): Promise<string> {
  const response = await request(file, 'POST', '/v1/calls', { to });
  if (response.status !== 201) throw new Error(`POST /v1/calls: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { readonly id: string }).id;
}

async function hangUp(file: SandboxFile, id: string): Promise<void> {
  await (await request(file, 'DELETE', `/v1/calls/${id}`)).arrayBuffer();
}

function request(file: SandboxFile, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(new URL(path, file.urls.api), {
    method,
    headers: {
      authorization: `Bearer ${file.tokens.backend.token}`,
      'idempotency-key': randomUUID(),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
}

async function ringingAt(database: pg.Client, id: string): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const { rows } = await database.query<{ at: string | null }>(
      `SELECT extract(epoch FROM ringing_at) * 1000 AS at FROM call_legs WHERE call_id = $1 AND kind = 'call-to'`,
      [id],
    );
    const at = rows[0]?.at;
    if (at) return Number(at);
    await delay(5);
  }
  throw new Error('the gateway never saw it ring');
}

async function floorSocket({ ari }: SandboxFile): Promise<WebSocket> {
  const key = `${encodeURIComponent(ari.user)}:${encodeURIComponent(ari.password)}`;
  const url = `${ari.url.replace('http', 'ws')}/ari/events?app=${FLOOR_APP}&api_key=${key}`;
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

/** No database, no lines, no decision. */
function originate(socket: WebSocket, { ports }: SandboxFile, number: string): string {
  const channelId = randomUUID();
  rest(socket, 'POST', `channels/${channelId}`, {
    endpoint: `PJSIP/sandbox/sip:${number}@127.0.0.2:${ports.carrierSip};transport=udp`,
    app: FLOOR_APP,
    callerId: '+911140000100',
    formats: 'alaw,ulaw',
    timeout: '30',
  });
  return channelId;
}

function hangUpBare(socket: WebSocket, channelId: string): void {
  rest(socket, 'DELETE', `channels/${channelId}`, {});
}

function rest(socket: WebSocket, method: string, uri: string, query: Record<string, string>): void {
  const query_strings = Object.entries(query).map(([name, value]) => ({ name, value }));
  socket.send(JSON.stringify({ type: 'RESTRequest', request_id: randomUUID(), method, uri, query_strings }));
}

const now = (): number => performance.timeOrigin + performance.now();

/** Of a series of its own for each use; its end chooses what the phone does. */
function numberOf(index: number, series: number, behaviour: string): string {
  return `+9194${series}${String(index).padStart(4, '0')}1${behaviour}`;
}
