/** From the watchdog's deadline to the INVITE at the carrier. */
import { createCarrierReport } from '../../control-plane/sandbox/carrier/carrier-report.ts';
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
const NEVER_MS = 60_000;

/** Milliseconds from the deadline that was written at the activation. */
export async function fallbacks(
  sandbox: Sandbox,
  runs: number,
  watchdogMs: number,
  tell: (done: number) => void,
): Promise<readonly number[]> {
  const carrier = createCarrierReport(sandbox.file.urls.carrierReport);
  const values: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const citizen = run % CITIZENS.length;
    const stage = await setStage(sandbox, citizen, { failIce: true, iceTimeoutMs: NEVER_MS });
    try {
      await carrier.reset();
      const id = await press(stage);
      const call = await carrier.waitForCall((one) => one.number === CITIZENS[citizen]?.phone, DEADLINE_MS);
      const invitedMs = since(await timelineOf(stage, id), call.times.inviteAt) ?? Number.NaN;
      values.push(invitedMs - watchdogMs);
      await resolveSession(stage, id);
      await stage.operator.event((one) => one.type === 'sos.resolved' && one.sessionId === id, DEADLINE_MS);
    } finally {
      await stage.close();
    }
    tell(run + 1);
  }
  return values;
}
