/** What has to come of a press whose media do not connect: both telephones, bridged. By the gateway's own record of it. */
import type { Timeline } from '../../../client/gateway-api.ts';
import type { Cast } from './cast.ts';
import type { Findings } from './findings.ts';
import { milestoneMs, pause, timelineOf, type Pressed } from './session-record.ts';

const WATCHDOG_MS = 5100;
const INVITE_MS = 2000;
const TOLD_MS = 1000;
/** Ringing of a telephone, from its INVITE: a mobile takes its time, and somebody lets it ring. */
const ANSWER_MS = 20_000;
const BRIDGED_MS = 3000;
/** For all of it. */
const WAIT_MS = 45_000;
const ASK_EVERY_MS = 500;

export async function checkPhones(
  cast: Cast,
  { id }: Pressed,
  _toneHz: number,
  findings: Findings,
): Promise<void> {
  const { operatorApi } = cast;
  const until = performance.now() + WAIT_MS;
  let last = await timelineOf(operatorApi, id);
  while (milestoneMs(last.timeline, 'phone-bridged') === null && performance.now() < until) {
    await pause(ASK_EVERY_MS);
    last = await timelineOf(operatorApi, id);
  }
  const { timeline, why } = last;
  findings.within('watchdog', 'FB-1', WATCHDOG_MS, milestoneMs(timeline, 'watchdog-due'), why);
  findings.within(
    'invite',
    'FB-2',
    INVITE_MS,
    between(timeline, 'watchdog-due', 'citizen-phone-invited'),
    why,
  );
  const told = between(timeline, 'fallback-initiated', 'fallback-told');
  findings.within('fallback-told', 'FB-5', TOLD_MS, told, why);
  const hers = between(timeline, 'citizen-phone-invited', 'citizen-phone-answered');
  findings.within('her-phone', 'FB-2', ANSWER_MS, hers, why);
  const duty = between(timeline, 'operator-phone-invited', 'operator-phone-answered');
  findings.within('duty-phone', 'FB-3', ANSWER_MS, duty, why);
  findings.within('bridged', 'FB-3', BRIDGED_MS, sinceBothAnswered(timeline), why);
}

function between(timeline: Timeline | null, from: string, to: string): number | null {
  const [began, came] = [milestoneMs(timeline, from), milestoneMs(timeline, to)];
  return began === null || came === null ? null : came - began;
}

function sinceBothAnswered(timeline: Timeline | null): number | null {
  const hers = milestoneMs(timeline, 'citizen-phone-answered');
  const duty = milestoneMs(timeline, 'operator-phone-answered');
  const bridged = milestoneMs(timeline, 'phone-bridged');
  return hers === null || duty === null || bridged === null ? null : bridged - Math.max(hers, duty);
}
