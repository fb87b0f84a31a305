/** What every scenario has on stage: the sandbox, a panel on shift, a citizen, and somebody who looks into Asterisk. */
import type { Timeline } from '../../src/contracts/sos-api.ts';
import { callWitness, type AsteriskWitness } from '../../../test/support/asterisk-witness.ts';
import {
  createHeadlessCitizen,
  createHeadlessOperator,
  type HeadlessCitizen,
  type HeadlessCitizenOptions,
  type HeadlessOperator,
} from '../../client/headless/index.ts';
import { CENTRAL_POINT } from '../people.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Milestone } from './timeline.ts';
import { LISTEN_TONES_HZ } from '../audio/tones.ts';
import { rounded } from './timeline.ts';

export interface Stage {
  readonly sandbox: Sandbox;
  readonly operator: HeadlessOperator;
  readonly citizen: HeadlessCitizen;
  readonly witness: AsteriskWitness;
  close(): Promise<void>;
}

const READY_MS = 10_000;
const CLEARED_DEADLINE_MS = 5000;

/** The nth citizen (from 0) with the first operator's panel on shift. */
export async function setStage(
  sandbox: Sandbox,
  index: number,
  wishes: Partial<HeadlessCitizenOptions> = {},
): Promise<Stage> {
  const { urls, tokens, ari } = sandbox.file;
  const token = (list: readonly { readonly token: string }[], at: number): string => list[at]?.token ?? '';
  const witness = await callWitness(ari);
  const operator = await createHeadlessOperator({
    baseUrl: urls.api,
    token: token(tokens.operators, 0),
    clientId: 'panel1',
    candidatesHz: LISTEN_TONES_HZ,
  });
  const citizen = await createHeadlessCitizen({
    baseUrl: urls.api,
    token: token(tokens.citizens, index),
    deviceId: 'phone1',
    ...wishes,
  });
  const close = async (): Promise<void> => {
    await Promise.all([citizen.close(), operator.close()]);
  };
  try {
    await operator.beginShift(READY_MS);
    await armed(citizen);
  } catch (error) {
    await close();
    throw error;
  }
  return { sandbox, operator, citizen, witness, close };
}

/** Her app is warmed up: connected and registered, nothing activated. */
function armed(citizen: HeadlessCitizen): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the citizen's app is not armed after ${READY_MS} ms`)),
      READY_MS,
    );
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    citizen.client.on('state', ({ name }) => {
      if (name === 'armed') done();
    });
    citizen.client.arm(CENTRAL_POINT);
    if (citizen.client.state.name === 'armed') done();
  });
}

/** When the gateway's first INVITE stood at her socket. */
export function firstOfferAt({ citizen }: Stage): number | null {
  const offer = citizen.sip.find(
    ({ direction, message }) => direction === 'received' && message.startsWith('INVITE '),
  );
  return offer?.at ?? null;
}

/** Presses SOS; the session's id once the gateway has answered. */
export async function press({ citizen }: Stage): Promise<string> {
  await citizen.client.press(CENTRAL_POINT);
  const id = citizen.client.sessionId;
  if (id === null) throw new Error(`the gateway refused the SOS: ${JSON.stringify(citizen.client.state)}`);
  return id;
}

export async function timelineOf({ sandbox }: Stage, id: string): Promise<Timeline> {
  const response = await fetch(`${sandbox.file.urls.api}/v1/sos/${id}/timeline`, {
    headers: { authorization: `Bearer ${sandbox.file.tokens.supervisor.token}` },
    signal: AbortSignal.timeout(READY_MS),
  });
  if (!response.ok) throw new Error(`the timeline was refused: ${response.status}`);
  return (await response.json()) as Timeline;
}

/** What Asterisk still has after the end, or `null`: the trunk stays, and the endpoint of the panel that was just closed. */
export function leftovers(witness: AsteriskWitness): Promise<string | null> {
  return witness.assertNothingLeft(['sandbox', 'operator-akram-panel1'], CLEARED_DEADLINE_MS).then(
    () => null,
    (error: unknown) => String(error),
  );
}

export async function resolveSession({ operator }: Stage, id: string): Promise<void> {
  await operator.client.resolve(id);
}

/** The gateway's own milestones under the names that a reader looks for, each the first of its kind. */
export function serverMilestones(timeline: Timeline, names: Readonly<Record<string, string>>): Milestone[] {
  return Object.entries(names).flatMap(([own, shown]) => {
    const found = timeline.milestones.find(({ name }) => name === own);
    return found ? [{ name: shown, ms: found.ms, seenBy: 'gateway' as const }] : [];
  });
}

/** A client's wall-clock time in milliseconds since t0. */
export function since(timeline: Timeline, at: number | null | undefined): number | null {
  if (at === null || at === undefined || timeline.activatedAt === null) return null;
  return rounded(at - exactT0(timeline));
}

/** `activatedAt` is rounded to milliseconds; a milestone's time and offset give the fraction back. */
function exactT0({ activatedAt, milestones }: Timeline): number {
  const first = milestones.find(({ name }) => name === 'activated');
  return first ? Date.parse(first.at) - first.ms : Date.parse(activatedAt ?? '');
}

export function milestone(
  name: string,
  ms: number | null,
  seenBy: Milestone['seenBy'],
  detail?: string,
): Milestone[] {
  return ms === null ? [] : [{ name, ms, seenBy, ...(detail === undefined ? {} : { detail }) }];
}

export function inOrder(milestones: readonly Milestone[]): readonly Milestone[] {
  return milestones.toSorted((a, b) => a.ms - b.ms);
}
