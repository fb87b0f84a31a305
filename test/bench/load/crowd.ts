/** Many citizens and many panels: most of them plain, some of real WebRTC, each with a voice that can be told apart. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Location } from '../../../control-plane/src/contracts/common.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { newNumber, type District } from '../../e2e/support/district.ts';
import {
  createHeadlessCitizen,
  createHeadlessOperator,
  type HeadlessCitizen,
  type HeadlessOperator,
} from '../../../control-plane/client/headless/index.ts';
import { markableLoop, writeMark } from '../../support/plain/marked-voice.ts';
import {
  hear,
  newEar,
  plainCitizenMedia,
  plainPanelMedia,
  type PlainEar,
} from '../../support/plain/plain-media.ts';
import { LISTEN_TONES_HZ } from '../../../control-plane/sandbox/audio/tones.ts';
import type { GatewayUnderLoad } from './gateway-under-load.ts';

const DEVICE = 'phone1';
const READY_MS = 20_000;
const TONE_HZ = 1000;

export interface CrowdCitizen extends HeadlessCitizen {
  readonly speaker: number;
  readonly id: string;
  readonly phone: string;
  readonly aor: string;
  readonly isPlain: boolean;
  /** Her app is called and never answers. */
  readonly isDeaf: boolean;
}

export interface CitizenPlan {
  readonly isPlain: boolean;
  /** `never-answers`: only the watchdog helps; `refuses`: two signalling errors, and it need not wait. */
  readonly app: 'answers' | 'never-answers' | 'refuses';
}

let citizens = 0;

export async function joinCitizen(
  gateway: GatewayUnderLoad,
  { isPlain, app }: CitizenPlan,
): Promise<CrowdCitizen> {
  const speaker = citizens;
  citizens += 1;
  const id = `crowd${speaker}`;
  const phone = newNumber('citizen', '05');
  await gateway.put(`/v1/citizens/${id}`, {
    phone,
    phoneVerified: true,
    silent: false,
    homeZone: 'central',
    devices: [DEVICE],
  });
  return connectCitizen(gateway, { speaker, id, phone, isPlain, app });
}

/** Her app, started (again). */
export async function connectCitizen(
  gateway: GatewayUnderLoad,
  who: CitizenPlan & {
    readonly speaker: number;
    readonly id: string;
    readonly phone: string;
    readonly deviceId?: string;
  },
): Promise<CrowdCitizen> {
  const { speaker, id, phone, isPlain, app, deviceId = DEVICE } = who;
  const aor = `citizen-${id}-${deviceId}`;
  if (isPlain) gateway.lanes.name(aor);
  const loop = await markableLoop(TONE_HZ);
  const headless = await createHeadlessCitizen({
    baseUrl: gateway.sandbox.file.urls.api,
    token: await gateway.token('citizen', id),
    deviceId,
    ...(app === 'refuses' ? { rejectWith: 488 } : {}),
    ...(isPlain ? { media: plainCitizenMedia({ speaker, loop }) } : { voice: signed(loop, speaker) }),
  });
  if (app === 'never-answers')
    headless.client.on('leg', (leg) => (leg.answer = () => new Promise<void>(() => undefined)));
  return { ...headless, speaker, id, phone, aor, isPlain, isDeaf: app !== 'answers' };
}

/** A loop of one speaker's own: her mark does not change from packet to packet, and says nothing of time. */
function signed(loop: readonly Buffer[], speaker: number): readonly Buffer[] {
  return loop.map((packet, number) => {
    const own = Buffer.from(packet);
    writeMark(own, { speaker, number, sentAt: Number.NaN });
    return own;
  });
}

/** Connected, registered and armed. */
export async function armed(citizen: CrowdCitizen, location: Location): Promise<void> {
  citizen.client.arm(location);
  await eventually(
    `citizen ${citizen.speaker} is armed; troubles: ${citizen.troubles.map(String).join(', ')}`,
    () => (citizen.client.state.name === 'armed' ? true : null),
    READY_MS,
  );
}

export interface CrowdPanel extends HeadlessOperator {
  readonly operatorId: string;
  readonly aor: string;
  readonly ears: readonly PlainEar[];
}

export async function openPanel(
  gateway: GatewayUnderLoad,
  operatorId: string,
  isPlain: boolean,
): Promise<CrowdPanel> {
  const ears: PlainEar[] = [];
  const aor = `operator-${operatorId}-panel1`;
  if (isPlain) gateway.lanes.name(aor);
  const earOf = (legId: string): PlainEar => {
    const known = ears.find((ear) => ear.legId === legId);
    if (known) return known;
    const ear = newEar(legId);
    ears.push(ear);
    return ear;
  };
  const headless = await createHeadlessOperator({
    baseUrl: gateway.sandbox.file.urls.api,
    token: await gateway.token('operator', operatorId),
    clientId: 'panel1',
    candidatesHz: LISTEN_TONES_HZ,
    credentials: 'header',
    ...(isPlain
      ? { media: plainPanelMedia(ears) }
      : { onPayload: (legId: string, payload: Buffer) => hear(earOf(legId), payload) }),
  });
  await headless.beginShift(READY_MS);
  return { ...headless, operatorId, aor, ears };
}

/** One panel for each operator of the district; the last `realPanels` of them are of real WebRTC. */
export async function openPanels(
  gateway: GatewayUnderLoad,
  { operators }: District,
  realPanels: number,
): Promise<readonly CrowdPanel[]> {
  const panels: CrowdPanel[] = [];
  for (const [index, { id }] of operators.entries())
    panels.push(await openPanel(gateway, id, index < operators.length - realPanels));
  return panels;
}

/** As many at once as given, each begun when one before it has ended. */
export async function inLanes<Item>(
  items: Iterable<Item>,
  lanes: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Who belongs on a session's legs. */
export interface RightfulSpeaker {
  readonly speaker: number;
  /** Two calls of hers were up side by side (RTC-7): Asterisk then mixes them, and the mixture bears no mark. */
  readonly wasMixed: boolean;
}

/** What was heard where it does not belong; empty when nothing has crossed. */
export function crossings(
  panels: readonly CrowdPanel[],
  rightful: (sessionId: string) => RightfulSpeaker | undefined,
): readonly string[] {
  return panels.flatMap(({ ears }) =>
    ears.flatMap(({ legId, speakers, unmarked }) => {
      const own = rightful(legId.split('.')[0] ?? '');
      const foreign = [...speakers.keys()].filter((speaker) => speaker !== own?.speaker);
      return [
        ...foreign.map(
          (speaker) => `${legId}: speaker ${speaker} is heard, ${String(own?.speaker)} should be`,
        ),
        ...(unmarked > 0 && own?.wasMixed !== true ? [`${legId}: ${unmarked} packets of nobody`] : []),
      ];
    }),
  );
}

export const pause = delay;
