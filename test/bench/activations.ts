import { setTimeout as delay } from 'node:timers/promises';
/** Activations one after the other, each with a fresh app that is armed first, as phones do it. */
import {
  firstOfferAt,
  press,
  resolveSession,
  setStage,
  since,
  timelineOf,
} from '../../control-plane/sandbox/demo/stage.ts';
import pg from 'pg';
import type { Floor } from './floor.ts';
import { CITIZENS } from '../../control-plane/sandbox/people.ts';
import type { Sandbox } from '../../control-plane/sandbox/sandbox.ts';

const DEADLINE_MS = 10_000;
/** She holds the button that long; what went before is over by then, for the floor as for the activation. */
const PAUSE_MS = 300;
const COMMITTED_SQL = `SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
  FROM session_events WHERE session_id = $1 AND type = 'api.activated' ORDER BY seq LIMIT 1`;

export interface Activation {
  /** The floor, taken just before the next app is set up, at the same pace as the activations. */
  readonly floor: number;
  /** Milliseconds since the activation arrived. */
  readonly offerAtClient: number;
  readonly streaming: number;
  readonly heard: number;
  readonly panelEvent: number;
  /** From the commit of the activation, by PostgreSQL's own stamp, to the event at the panel. */
  readonly commitToPanel: number;
}

export async function activations(
  sandbox: Sandbox,
  floor: Floor,
  runs: number,
  tell: (done: number) => void,
): Promise<readonly Activation[]> {
  const results: Activation[] = [];
  const database = new pg.Client(sandbox.file.databaseUrl);
  await database.connect();
  for (let run = 0; run < runs; run += 1) {
    await delay(PAUSE_MS);
    const floorMs = await floor.once();
    results.push({ ...(await one(sandbox, database, run % CITIZENS.length)), floor: floorMs });
    tell(run + 1);
  }
  await database.end();
  return results;
}

async function one(
  sandbox: Sandbox,
  database: pg.Client,
  citizen: number,
): Promise<Omit<Activation, 'floor'>> {
  const stage = await setStage(sandbox, citizen);
  try {
    await delay(PAUSE_MS);
    const id = await press(stage);
    const event = (type: string) =>
      stage.operator.event((one) => one.type === type && one.sessionId === id, DEADLINE_MS);
    const told = await event('sos.activated');
    await event('sos.active');
    const timeline = await timelineOf(stage, id);
    await resolveSession(stage, id);
    await event('sos.resolved');
    const ms = (name: string): number =>
      timeline.milestones.find((one) => one.name === name)?.ms ?? Number.NaN;
    return {
      offerAtClient: since(timeline, firstOfferAt(stage)) ?? Number.NaN,
      streaming: ms('streaming'),
      heard: ms('heard'),
      panelEvent: since(timeline, told.at) ?? Number.NaN,
      commitToPanel: told.at - (await committedAt(database, id)),
    };
  } finally {
    await stage.close();
  }
}

/** Wall-clock milliseconds at which the session's first transaction was committed. */
async function committedAt(database: pg.Client, id: string): Promise<number> {
  const { rows } = await database.query<{ at: string }>(COMMITTED_SQL, [id]);
  return Number(rows[0]?.at);
}
