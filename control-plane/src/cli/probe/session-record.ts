/** What the gateway's own record says of the SOS of a run. */
import type { GatewayApi, Timeline } from '../../../client/gateway-api.ts';
import { inWords } from './findings.ts';

/** An SOS that is open. */
export interface Pressed {
  readonly id: string;
  /** wallClockMs() at the press. */
  readonly at: number;
}

/** What the gateway says of it so far; `null`, with a reason: it does not say. */
export async function timelineOf(
  api: GatewayApi,
  id: string,
): Promise<{ readonly timeline: Timeline | null; readonly why: string | null }> {
  try {
    return { timeline: await api.timeline(id), why: null };
  } catch (error) {
    return { timeline: null, why: inWords(error) };
  }
}

/** Milliseconds since the activation, by the gateway's clock; the first of its name. */
export function milestoneMs(timeline: Timeline | null, name: string): number | null {
  return timeline?.milestones.find((one) => one.name === name)?.ms ?? null;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
