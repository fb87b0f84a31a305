/** (a) The stream: from the activation until the operator recognises the citizen's tone. */
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

const TONE_HZ = 1300;
const HEARD_DEADLINE_MS = 10_000;

export async function streamScenario(sandbox: Sandbox): Promise<ScenarioResult> {
  const stage = await setStage(sandbox, 0, { toneHz: TONE_HZ });
  try {
    return await play(stage);
  } finally {
    await stage.close();
  }
}

async function play(stage: Stage): Promise<ScenarioResult> {
  const { operator, citizen, witness } = stage;
  const id = await press(stage);
  const tone = await operator.tone(TONE_HZ, HEARD_DEADLINE_MS);
  const told = await operator.event(
    (event) => event.type === 'sos.activated' && event.sessionId === id,
    HEARD_DEADLINE_MS,
  );
  const toldActive = await operator.event(
    (event) => event.type === 'sos.active' && event.sessionId === id,
    HEARD_DEADLINE_MS,
  );
  const timeline = await timelineOf(stage, id);
  const backwards = citizen.rtp().packetsReceived + operator.rtp().packetsSent;
  await resolveSession(stage, id);
  await operator.event((event) => event.type === 'sos.resolved' && event.sessionId === id, HEARD_DEADLINE_MS);
  await stage.close();
  const left = await leftovers(witness);
  const offered = since(timeline, firstOfferAt(stage));
  const toldMs = since(timeline, told.at);
  const activeMs = timeline.verdicts.find((verdict) => verdict.id === 'RTC-2')?.valueMs ?? null;
  return {
    name: 'stream',
    title: '(a) stream: her microphone at the operator, one way',
    milestones: inOrder([
      ...serverMilestones(timeline, {
        activated: 'activation accepted',
        'offer-sent': 'offer sent by the edge',
        'answer-received': 'answered',
        'first-packet': 'first packet at the gateway',
        streaming: 'streaming',
        heard: 'heard (the panel counts packets)',
      }),
      ...milestone('offer at the client', offered, 'citizen'),
      ...milestone('panel told', toldMs, 'panel'),
      ...milestone('panel told: active', since(timeline, toldActive.at), 'panel'),
      ...milestone(
        "tone recognised at the operator's end",
        since(timeline, tone.at),
        'panel',
        `${tone.hz} Hz`,
      ),
    ]),
    verdicts: [
      within('RTC-1', 'offer at her device', 500, offered),
      within('RTC-2', 'stream confirmed active', 3000, activeMs),
      within('RTC-6', 'panel told, with the session id', 3000, toldMs),
      holds('RTC-3', 'no audio towards her: 0 packets', backwards === 0),
      holds('RTC-9', 'nothing left in Asterisk after the end', left === null, left),
    ],
  };
}
