/** Activations one after the other, each with a fresh app that is armed first, as phones do it. */
import {
  press,
  resolveSession,
  setStage,
  since,
  timelineOf,
} from '../../control-plane/sandbox/demo/stage.ts';
import { CITIZENS } from '../../control-plane/sandbox/people.ts';
import type { Sandbox } from '../../control-plane/sandbox/sandbox.ts';

const DEADLINE_MS = 10_000;

export interface Activation {
  /** Milliseconds since the activation arrived. */
  readonly offerAtClient: number;
  readonly streaming: number;
  readonly heard: number;
  readonly panelEvent: number;
  /** From the answer to the activation (sent after the commit) to the event at the panel. */
  readonly commitToPanel: number;
}

export async function activations(
  sandbox: Sandbox,
  runs: number,
  tell: (done: number) => void,
): Promise<readonly Activation[]> {
  const results: Activation[] = [];
  for (let run = 0; run < runs; run += 1) {
    results.push(await one(sandbox, run % CITIZENS.length));
    tell(run + 1);
  }
  return results;
}

async function one(sandbox: Sandbox, citizen: number): Promise<Activation> {
  const stage = await setStage(sandbox, citizen);
  try {
    const id = await press(stage);
    const answeredAt = performance.timeOrigin + performance.now();
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
      offerAtClient: since(timeline, stage.citizen.legs[0]?.offeredAt) ?? Number.NaN,
      streaming: ms('streaming'),
      heard: ms('heard'),
      panelEvent: since(timeline, told.at) ?? Number.NaN,
      commitToPanel: Math.max(0, told.at - answeredAt),
    };
  } finally {
    await stage.close();
  }
}
