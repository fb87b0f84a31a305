/**
 * One synthetic SOS, from the press to its end, by the gateway's public interfaces alone. It looks before it presses: an SOS
 * that would not go to the synthetic zone is let go, for real operators would be called. Whatever happens, what it began it ends;
 * what a run before it could not end, it ends first.
 */
import { withDeadline } from '../../../client/deadline.ts';
import { wallClockMs } from '../../../client/headless/index.ts';
import { castOf, registered, type Cast, type ProbeOptions } from './cast.ts';
import { Findings, inWords } from './findings.ts';
import type { Check } from './findings.ts';
import { checkPhones } from './phone-checks.ts';
import { pause, type Pressed } from './session-record.ts';
import { checkStream } from './stream-checks.ts';

export interface ProbeReport {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly tookMs: number;
}

const ANSWER_MS = 3000;
const READY_MS = 10_000;
const GONE_MS = 3000;
const LOOK_AGAIN_MS = 50;
/** More than all steps together: whatever hangs, the next run comes. */
const RUN_MS = 120_000;
const LEFT_OPEN = 'synthetic: left open by the run before';
const GIVEN_UP = 'synthetic: the probe gives up';

export async function runSosProbe(options: ProbeOptions): Promise<ProbeReport> {
  const from = performance.now();
  const findings = new Findings();
  const cast = await findings.step('gateway', ANSWER_MS, async () => {
    const people = await castOf(options);
    await Promise.all([
      people.citizenApi.clientConfig(options.name),
      people.operatorApi.clientConfig(options.name),
    ]);
    return people;
  });
  if (cast) {
    try {
      await withDeadline(play(options, cast, findings), RUN_MS, 'the whole run');
    } catch (error) {
      findings.holds('end', null, false, inWords(error));
    } finally {
      await cast.close();
    }
  }
  return { ok: findings.ok, checks: findings.checks, tookMs: performance.now() - from };
}

async function play(options: ProbeOptions, cast: Cast, findings: Findings): Promise<void> {
  const shift = await findings.step('shift', READY_MS, async () => {
    await cast.operator.beginShift(READY_MS);
    return true;
  });
  if (!shift) return;
  const armed = await findings.step('zone', ANSWER_MS, () => armedInZone(options, cast));
  if (armed === null) return;
  const pressed: { sos: Pressed | null } = { sos: null };
  let isOver = false;
  try {
    pressed.sos = await press(options, cast, findings);
    if (!pressed.sos) return;
    await (options.phone ? checkPhones : checkStream)(cast, pressed.sos, options.toneHz, findings);
    isOver = await end(cast, pressed.sos, findings);
  } finally {
    const { sos } = pressed;
    // A press whose answer did not come may have been taken: the next run finds it.
    if (sos && !isOver) await cast.operatorApi.resolve(sos.id, GIVEN_UP).catch(() => undefined);
    if (!sos) await cast.citizenApi.release(armed).catch(() => undefined);
  }
}

/** The id of an SOS that is armed, and would go to nobody but the probe's own operator. Throws in words otherwise. */
async function armedInZone({ name, zone, place }: ProbeOptions, cast: Cast): Promise<string> {
  const { citizenApi, operatorApi } = cast;
  let armed = await citizenApi.arm({ deviceId: name, location: place });
  if (armed.phase !== 'arming') {
    await operatorApi.resolve(armed.id, LEFT_OPEN);
    armed = await citizenApi.arm({ deviceId: name, location: place });
  }
  const { zoneId } = await citizenApi.get(armed.id);
  if (zoneId === zone) return armed.id;
  await citizenApi.release(armed.id);
  throw new Error(`it would go to ${zoneId === null ? 'no zone' : `the zone ${zoneId}`}, not to ${zone}`);
}

async function press(
  { place }: ProbeOptions,
  { citizen }: Cast,
  findings: Findings,
): Promise<Pressed | null> {
  const { client } = citizen;
  client.arm(place);
  const isThere = await findings.step('device', READY_MS, async () => {
    await registered(citizen);
    return true;
  });
  if (!isThere) return null;
  const at = wallClockMs();
  return findings.step('press', ANSWER_MS, async () => {
    await withDeadline(client.press(place), READY_MS, 'the answer to the SOS');
    const id = client.sessionId;
    if (id !== null) return { id, at };
    throw new Error(client.state.name === 'ended' ? client.state.detail : 'it was not accepted');
  });
}

/** `true`: the gateway has it as resolved. */
async function end(cast: Cast, { id }: Pressed, findings: Findings): Promise<boolean> {
  const from = performance.now();
  try {
    await cast.operatorApi.resolve(id);
  } catch (error) {
    findings.within('end', 'RTC-9', GONE_MS, null, inWords(error));
    return false;
  }
  const legs = [...cast.citizen.legs, ...cast.operator.legs];
  const isGone = (): boolean => legs.every(({ endedAt }) => endedAt !== null);
  while (!isGone() && performance.now() - from < 2 * GONE_MS) await pause(LOOK_AGAIN_MS);
  const why = isGone() ? null : 'a call of it stands';
  findings.within('end', 'RTC-9', GONE_MS, isGone() ? performance.now() - from : null, why);
  return true;
}
