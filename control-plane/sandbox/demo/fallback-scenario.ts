/** (b) The fallback: ICE is made to fail, the watchdog calls both on the phone and bridges them. */
import type { CallReport } from '../carrier/report-schema.ts';
import { createCarrierReport, type CarrierReport } from '../carrier/carrier-report.ts';
import { CITIZENS, OPERATORS } from '../people.ts';
import type { Sandbox } from '../sandbox.ts';
import {
  firstOfferAt,
  inOrder,
  leftovers,
  milestone,
  press,
  resolveSession,
  serverMilestones,
  setStage,
  since,
  timelineOf,
  type Stage,
} from './stage.ts';
import { holds, within, type ScenarioResult } from './timeline.ts';

const CITIZEN = 1;
const DEADLINE_MS = 15_000;
/** Her app does not notice that ICE fails: nothing but the watchdog helps her. */
const NEVER_MS = 60_000;

export async function fallbackScenario(sandbox: Sandbox): Promise<ScenarioResult> {
  const stage = await setStage(sandbox, CITIZEN, { failIce: true, iceTimeoutMs: NEVER_MS });
  try {
    return await play(stage, createCarrierReport(sandbox.file.urls.carrierReport));
  } finally {
    await stage.close();
  }
}

async function play(stage: Stage, carrier: CarrierReport): Promise<ScenarioResult> {
  const { operator, witness } = stage;
  const id = await press(stage);
  const told = await operator.event(
    (event) => event.type === 'phone-fallback-active' && event.sessionId === id,
    DEADLINE_MS,
  );
  await operator.event((event) => event.type === 'phone-connected' && event.sessionId === id, DEADLINE_MS);
  const numbers = { citizen: CITIZENS[CITIZEN]?.phone, operator: OPERATORS[0]?.dutyPhone };
  const hers = await heardBy(carrier, numbers.citizen, numbers.operator);
  const his = await heardBy(carrier, numbers.operator, numbers.citizen);
  const [bridge] = (await witness.bridges()).filter((one) => one.id === `${id}.phone`);
  const webrtcGone = await untilWebrtcIsGone(stage, id);
  const timeline = await timelineOf(stage, id);
  await resolveSession(stage, id);
  await operator.event((event) => event.type === 'sos.resolved' && event.sessionId === id, DEADLINE_MS);
  await stage.close();
  const left = await leftovers(witness);
  const at = (name: string): number | null =>
    timeline.milestones.find((one) => one.name === name)?.ms ?? null;
  const due = at('watchdog-due');
  const initiated = at('fallback-initiated');
  const invited = since(timeline, hers.call.times.inviteAt);
  const toldMs = since(timeline, told.at);
  const after = (value: number | null, from: number | null): number | null =>
    value === null || from === null ? null : value - from;
  return {
    name: 'fallback',
    title: '(b) fallback: ICE fails, both phones ring and are bridged',
    milestones: inOrder([
      ...serverMilestones(timeline, {
        activated: 'activation accepted',
        'retry-due': 'degraded, one retry',
        'watchdog-due': 'watchdog due',
        'fallback-initiated': 'fallback initiated',
        'citizen-phone-answered': 'her phone answered',
        'operator-phone-answered': 'duty phone answered',
      }),
      ...milestone('offer at the client', since(timeline, firstOfferAt(stage)), 'citizen'),
      ...milestone('panel told: phone-fallback-active', toldMs, 'panel'),
      ...milestone('INVITE for her phone', invited, 'carrier'),
      ...milestone('INVITE for the duty phone', since(timeline, his.call.times.inviteAt), 'carrier'),
      ...milestone('her phone rings', since(timeline, hers.call.times.ringingAt), 'carrier'),
      ...milestone('duty phone rings', since(timeline, his.call.times.ringingAt), 'carrier'),
      ...milestone('bridged', at('phone-bridged'), 'gateway', bridge?.technology),
      ...milestone(
        'she hears the duty phone',
        since(timeline, hers.heardAt),
        'carrier',
        `${his.call.phoneHz ?? 0} Hz`,
      ),
      ...milestone(
        'the duty phone hears her',
        since(timeline, his.heardAt),
        'carrier',
        `${hers.call.phoneHz ?? 0} Hz`,
      ),
      ...milestone('WebRTC legs gone', webrtcGone === null ? null : since(timeline, webrtcGone), 'witness'),
    ]),
    verdicts: [
      within('FB-1', 'watchdog after the activation', 5100, due),
      within('FB-2', 'watchdog → INVITE for her phone', 2000, after(invited, due)),
      holds('FB-3', 'both phones bridged, tones both ways', hers.heardAt !== null && his.heardAt !== null),
      within('FB-5', 'initiation → panel told', 1000, after(toldMs, initiated)),
      within(
        'FB-9',
        'bridged → WebRTC legs gone',
        3000,
        after(since(timeline, webrtcGone), at('phone-bridged')),
      ),
      holds('TEL-2', 'own caller identity, no Privacy', isNamed(hers.call) && isNamed(his.call)),
      holds('RTC-9', 'nothing left in Asterisk after the end', left === null, left),
    ],
  };
}

/** The call to `number`, once it has heard the tone of `other`'s phone. */
async function heardBy(
  carrier: CarrierReport,
  number: string | undefined,
  other: string | undefined,
): Promise<{ readonly call: CallReport; readonly heardAt: number | null }> {
  const peer = await carrier.waitForCall(
    (call) => call.number === other && call.phoneHz !== null,
    DEADLINE_MS,
  );
  const isHeard = (call: CallReport): boolean =>
    call.number === number && call.heard.some(({ hz }) => hz === peer.phoneHz);
  const call = await carrier.waitForCall(isHeard, DEADLINE_MS);
  return { call, heardAt: call.heard.find(({ hz }) => hz === peer.phoneHz)?.fromMs ?? null };
}

function isNamed(call: CallReport): boolean {
  return (
    call.pAssertedIdentity?.user === '+911140000100' &&
    call.from?.user === '+911140000100' &&
    call.privacy === null
  );
}

/** When Asterisk has no app leg of this session any more, by the witness; `null`: it still has. */
async function untilWebrtcIsGone({ witness }: Stage, id: string): Promise<number | null> {
  const end = performance.now() + DEADLINE_MS;
  while (performance.now() < end) {
    const channels = await witness.channels();
    if (!channels.some((channel) => channel.id.startsWith(id) && channel.id.includes('-app.'))) {
      return performance.timeOrigin + performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return null;
}
