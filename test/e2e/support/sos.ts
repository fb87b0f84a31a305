/** The steps of an SOS that nearly every test goes. */
import type { FeedEvent, FeedEventType } from '../../../control-plane/src/contracts/panel-feed.ts';
import type { Location } from '../../../control-plane/src/contracts/common.ts';
import type { Timeline } from '../../../control-plane/src/contracts/sos-api.ts';
import type { HeadlessCitizen, HeadlessOperator } from '../../../control-plane/client/headless/index.ts';

const DEADLINE_MS = 10_000;

/** Presses SOS; the session's id once the gateway has named it. */
export async function press(citizen: HeadlessCitizen, location?: Location): Promise<string> {
  await citizen.client.press(location);
  const id = citizen.client.sessionId;
  if (id === null) throw new Error(`the gateway named no session: ${JSON.stringify(citizen.client.state)}`);
  return id;
}

/** The first feed event of this kind and session at this panel, with the time of its arrival. */
export async function told(
  panel: HeadlessOperator,
  id: string,
  type: FeedEventType,
  deadlineMs = DEADLINE_MS,
): Promise<{ event: FeedEvent; at: number }> {
  try {
    return await panel.event((event) => event.sessionId === id && event.type === type, deadlineMs);
  } catch (error) {
    throw new Error(`${type} was not told; but: ${story(panel, id).join(', ')}`, { cause: error });
  }
}

/** What this panel was told of this session, in order. */
export function story(panel: HeadlessOperator, id: string): readonly FeedEventType[] {
  return panel.events.filter(({ event }) => event.sessionId === id).map(({ event }) => event.type);
}

/** Milliseconds since the activation of the first milestone of this name; `null`: it did not come. */
export function msOf(timeline: Timeline, name: string): number | null {
  return timeline.milestones.find((one) => one.name === name)?.ms ?? null;
}

export function countOf(timeline: Timeline, name: string): number {
  return timeline.milestones.filter((one) => one.name === name).length;
}

/** A requirement's value as the gateway judges it. */
export function verdict(timeline: Timeline, id: string): Timeline['verdicts'][number] | null {
  return timeline.verdicts.find((one) => one.id === id) ?? null;
}

/** Her app takes the gateway's calls and answers none of them before `gate` opens: media that come late. */
export function holdAnswers(citizen: HeadlessCitizen, gate: Promise<unknown>): void {
  citizen.client.on('leg', (leg) => {
    const answer = leg.answer.bind(leg);
    leg.answer = async () => {
      await gate;
      await answer();
    };
  });
}

/** A promise and the function that fulfils it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
