/** SOS over a mobile network: how soon she is heard, and how well. In a network namespace of its own (see main.ts). */
import { wallClockMs } from '../../../control-plane/client/headless/index.ts';
import { readMark } from '../../support/plain/marked-voice.ts';
import { told as row, timed, type Row } from '../load/bench-table.ts';
import type { FarPhone } from './press-order.ts';
import { intelligibility } from './intelligibility.ts';
import { lostFlights } from './lost-flights.ts';
import { activeMs, openLinkRig, type CallResult, type LinkRig } from './link-rig.ts';
import { playOut, type Arrival } from './playout.ts';
import type { SlowLinkOptions } from './slow-link.ts';
import { decoded, spokenPackets } from './speech.ts';

export interface LinkPlan extends SlowLinkOptions {
  readonly calls: number;
  /** Side by side. */
  readonly lanes: number;
  /** How many must be heard in time. */
  readonly wanted: number;
  readonly phone: FarPhone;
  readonly speechSeconds: number;
}

const HEARD_MS = 3_000;
/** A listener's buffer; with one-way jitter below it nothing comes too late. */
const BUFFER_MS = 100;
/** Understood practically word for word. */
const INTELLIGIBLE = 0.9;

export async function callsOverLink(plan: LinkPlan, say: (line: string) => void): Promise<readonly Row[]> {
  const arrivals: Arrival[] = [];
  let speechLeg = '';
  const hear = (legId: string, payload: Buffer): void => {
    const mark = legId.startsWith(speechLeg) ? readMark(payload) : null;
    if (mark && speechLeg !== '') arrivals.push({ frame: mark.number, at: wallClockMs() });
  };
  const rig = await openLinkRig({ ...plan, loss: 0 }, hear, say);
  try {
    // before the calls: a browser that has just been started is slow
    say('one lost packet after the other');
    const flights = await lostFlights(rig, plan.phone, plan.calls + 1, HEARD_MS);
    rig.link.setLoss(plan.loss);
    const started = [...flights, ...startRows(await allCalls(rig, plan, say), plan)];
    say(`${plan.speechSeconds} s of speech`);
    await rig.speak(plan.calls, plan.speechSeconds, async (sessionId) => {
      speechLeg = sessionId ?? 'none';
      await new Promise((done) => setTimeout(done, (plan.speechSeconds + 1) * 1000));
    });
    return [...started, ...(await judged(arrivals, plan))];
  } finally {
    await rig.stop();
  }
}

async function allCalls(
  rig: LinkRig,
  { calls, lanes, phone }: LinkPlan,
  say: (line: string) => void,
): Promise<readonly CallResult[]> {
  const results: CallResult[] = [];
  for (let from = 0; from < calls; from += lanes) {
    const numbers = Array.from({ length: Math.min(lanes, calls - from) }, (_, index) => from + index);
    results.push(
      ...(await Promise.all(numbers.map((number) => rig.call({ number, phone, armed: number % 2 === 0 })))),
    );
    say(`${results.length} of ${calls} calls`);
  }
  return results;
}

function startRows(results: readonly CallResult[], { wanted, calls }: LinkPlan): readonly Row[] {
  const values = (which: readonly CallResult[]): number[] => which.map(activeMs).filter((ms) => ms !== null);
  const inTime = values(results).filter((ms) => ms <= HEARD_MS).length;
  const late = results.filter((result) => (activeMs(result) ?? Infinity) > HEARD_MS);
  const reasons = results.map(({ why }) => why).filter((why) => why !== '');
  return [
    ...late.map(({ timeline, armed, why }) => {
      const steps = timeline?.milestones.map(({ name, ms }) => `${name} ${ms.toFixed(0)}`) ?? [why];
      return row(armed ? 'late, app warm' : 'late, app cold', steps.join(', '));
    }),
    row(
      `heard within ${HEARD_MS / 1000} s`,
      `${inTime} of ${calls} ${reasons[0] ?? ''}`,
      `at least ${wanted}`,
      inTime >= wanted,
    ),
    timed('app warm: activation → heard, ms', values(results.filter(({ armed }) => armed))),
    timed('app started by the press: activation → heard', values(results.filter(({ armed }) => !armed))),
    ...['offer-sent', 'answer-received', 'first-packet'].map((name) =>
      timed(
        `activation → ${name}`,
        results.flatMap(
          ({ timeline }) =>
            timeline?.milestones
              .filter((one) => one.name === name)
              .slice(0, 1)
              .map(({ ms }) => ms) ?? [],
        ),
      ),
    ),
  ];
}

async function judged(
  arrivals: readonly Arrival[],
  { speechSeconds, loss }: LinkPlan,
): Promise<readonly Row[]> {
  const packets = await spokenPackets(speechSeconds);
  // the last second may still have been under way when the listening ended
  const start = arrivals[0]?.frame ?? 0;
  const frames = (speechSeconds - 1) * 50;
  // the speech begins anew at its end
  const unrolled = arrivals.map(({ frame, at }) => ({
    frame: frame < start ? frame + packets.length : frame,
    at,
  }));
  const { inTime, lost, late } = playOut(unrolled, frames, BUFFER_MS);
  const sent = inTime.map((_, index) => packets[(start + index) % packets.length]!);
  const clean = await decoded(sent);
  const heard = await decoded(sent.map((packet, index) => (inTime[index] === true ? packet : null)));
  const score = arrivals.length === 0 ? 0 : intelligibility(clean, heard);
  const missing = (lost + late) / frames;
  const mostMissing = 2 * loss + 0.02;
  return [
    row(
      `speech, ${frames} frames: lost, too late`,
      `${lost}, ${late} (${(100 * missing).toFixed(1)} %)`,
      `≤ ${(100 * mostMissing).toFixed(0)} %`,
      missing <= mostMissing,
    ),
    row('intelligibility (STOI)', score.toFixed(3), `≥ ${INTELLIGIBLE}`, score >= INTELLIGIBLE),
  ];
}
