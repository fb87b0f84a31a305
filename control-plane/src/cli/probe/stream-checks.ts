/** What has to come of a press whose media connect: her tone at the operator's end, one way, in time. */
import type { Cast } from './cast.ts';
import { inWords, type Findings } from './findings.ts';
import { milestoneMs, timelineOf, type Pressed } from './session-record.ts';

const OFFER_MS = 500;
const TOLD_MS = 3000;
const ACTIVE_MS = 3000;
/** Until then it is waited for, so that what comes too late is told as late. */
const WAIT_MS = 8000;

export async function checkStream(
  cast: Cast,
  { id, at }: Pressed,
  toneHz: number,
  findings: Findings,
): Promise<void> {
  const { operator, citizen, operatorApi } = cast;
  const [told, tone] = await Promise.allSettled([
    operator.event((event) => event.type === 'sos.activated' && event.sessionId === id, WAIT_MS),
    operator.tone(toneHz, WAIT_MS),
    operator.event((event) => event.type === 'sos.active' && event.sessionId === id, WAIT_MS),
  ]);
  const offer = citizen.sip.find(
    ({ direction, message }) => direction === 'received' && message.startsWith('INVITE '),
  );
  findings.within('offer', 'RTC-1', OFFER_MS, offer ? offer.at - at : null);
  findings.within('told', 'RTC-6', TOLD_MS, ...since(told, at));
  const { timeline, why } = await timelineOf(operatorApi, id);
  for (const name of ['streaming', 'heard'] as const)
    findings.within(name, 'RTC-2', ACTIVE_MS, milestoneMs(timeline, name), why);
  findings.within('tone', 'RTC-2', ACTIVE_MS, ...since(tone, at));
  const back = citizen.rtp().packetsReceived + operator.rtp().packetsSent;
  findings.holds('one-way', 'RTC-3', back === 0, `${back} packets`);
}

function since(
  settled: PromiseSettledResult<{ readonly at: number }>,
  at: number,
): [number | null, string | null] {
  if (settled.status === 'rejected') return [null, inWords(settled.reason)];
  return [settled.value.at - at, null];
}
