/** The cast of a run: a session in each phase, all in flight when the fault comes. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DistrictWishes } from '../e2e/support/district.ts';
import type { Citizen, CitizenWishes } from '../e2e/support/gateway.ts';
import { gate, holdAnswers } from '../e2e/support/sos.ts';
import type { Act, Role, Stage, Standing } from './standing.ts';

const RETRY_AFTER_MS = 300;
const REQUESTS_MS = 40_000;
const GATE_MS = 2_500;
/** Her app never notices that its media fail: only the gateway's deadlines act. */
const NEVER_MS = 120_000;

/** A district without a panel on duty: its phones do what their numbers say. */
const phones = (operator: string, supervisor: string): DistrictWishes => ({
  operators: [{ phone: operator }],
  supervisor,
});

/** An SOS whose app is not connected: only telephones can save it. */
async function byPhone(stage: Stage, district: DistrictWishes, phone: string | null): Promise<Act> {
  const place = await stage.gateway.district(district);
  const citizen = await stage.gateway.citizen({ phone });
  const { press, ...standing } = pressing(stage, citizen, place);
  return { ...standing, begin: press };
}

/** Presses over and over under one key, as an app does, until the gateway names the session. */
function pressing(
  { gateway }: Stage,
  citizen: Citizen,
  district: Standing['district'],
): Standing & { readonly press: () => Promise<void> } {
  let id: string | null = null;
  const key = randomUUID();
  return {
    ...{ citizen, district, panel: null, toneHz: null },
    sessionId: () => id,
    press: () =>
      insist(async () => {
        const answer = await gateway.send(citizen.token, 'POST', '/v1/sos', {
          headers: { 'idempotency-key': key },
          body: { deviceId: 'phone1', location: district.location },
        });
        if (answer.status >= 300) throw new Error(`activation: ${JSON.stringify(answer.body)}`);
        id = (answer.body as unknown as { readonly id: string }).id;
      }),
  };
}

/** An SOS from an app that is connected and armed. */
async function byApp(
  stage: Stage,
  place: Pick<Standing, 'district' | 'panel'>,
  wishes: CitizenWishes = {},
): Promise<Standing & { readonly press: () => Promise<void> }> {
  const toneHz = stage.nextToneHz();
  const citizen = await stage.gateway.armedCitizen(place.district.location, { toneHz, ...wishes });
  return {
    ...place,
    citizen,
    toneHz,
    sessionId: () => citizen.client.sessionId,
    press: () => citizen.client.press(place.district.location),
  };
}

/** Again and again while the gateway does not answer. */
export async function insist(work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + REQUESTS_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(RETRY_AFTER_MS);
    }
  }
}

/** Said again after a lost answer, it has ended already. */
async function resolve({ gateway }: Stage, id: string): Promise<void> {
  const { token } = gateway.file.tokens.admin;
  const { status, body } = await gateway.send(token, 'POST', `/v1/sos/${id}/resolve`, { body: {} });
  if (status !== 200 && body?.['code'] !== 'ERR_SOS_PHASE')
    throw new Error(`resolve: ${JSON.stringify(body)}`);
}

const isIn =
  (...phases: readonly string[]): Role['isThere'] =>
  (view) =>
    view !== null && phases.includes(view.phase);

export const ROLES: readonly Role[] = [
  {
    phase: 'arming',
    leadMs: 500,
    endsAs: ['stream'],
    // Nothing is activated yet; it is pressed after the fault.
    isThere: () => true,
    prepare: async (stage) => {
      const act = await byApp(stage, stage.staffed);
      return {
        ...act,
        begin: () => Promise.resolve(),
        afterFault: async () => {
          await delay(GATE_MS);
          await act.press();
        },
      };
    },
  },
  {
    phase: 'being activated',
    leadMs: 500,
    endsAs: ['phone'],
    isThere: () => true,
    prepare: async (stage) => {
      const act = await byPhone(stage, phones('31', '31'), '31');
      return { ...act, begin: () => Promise.resolve(), atFault: () => act.begin() };
    },
  },
  {
    phase: 'connecting, offered',
    leadMs: 1500,
    endsAs: ['stream', 'phone'],
    isThere: isIn('connecting'),
    prepare: async (stage) => {
      const act = await byApp(stage, stage.staffed);
      const answers = gate();
      holdAnswers(act.citizen, answers.opened);
      return {
        ...act,
        begin: act.press,
        afterFault: async () => {
          await delay(GATE_MS);
          answers.open();
        },
      };
    },
  },
  {
    phase: 'connecting, not heard',
    leadMs: 2000,
    endsAs: ['stream'],
    streams: true,
    isThere: (view) => view?.streaming === true && !view.heard,
    // Nobody is at a panel: duty phones are joined to her stream at the deadline.
    prepare: async (stage) => {
      const district = await stage.gateway.district(phones('31', '31'));
      const act = await byApp(stage, { district, panel: null });
      return { ...act, begin: act.press };
    },
  },
  {
    phase: 'retry',
    leadMs: 4000,
    endsAs: ['phone'],
    isThere: isIn('degraded', 'connecting'),
    prepare: async (stage) => {
      const district = await stage.gateway.district(phones('31', '31'));
      const wishes = { failIce: true, iceTimeoutMs: NEVER_MS, phone: '31' };
      const act = await byApp(stage, { district, panel: null }, wishes);
      return { ...act, begin: act.press };
    },
  },
  ...[0, 1].map((): Role => ({
    phase: 'active',
    leadMs: 6000,
    endsAs: ['stream', 'phone'],
    streams: true,
    isThere: isIn('active'),
    prepare: async (stage) => {
      const act = await byApp(stage, stage.staffed);
      return { ...act, begin: act.press };
    },
  })),
  {
    phase: 'queued, nobody there',
    leadMs: 8000,
    endsAs: ['alert'],
    isThere: isIn('degraded', 'phone-fallback-active'),
    prepare: (stage) => byPhone(stage, phones('40', '40'), null),
  },
  {
    phase: 'both ringing',
    leadMs: 7000,
    endsAs: ['phone'],
    calledOnce: true,
    isThere: isIn('phone-fallback-active'),
    prepare: (stage) => byPhone(stage, phones('35', '31'), '38'),
  },
  {
    phase: 'both ringing, answered meanwhile',
    leadMs: 7000,
    endsAs: ['phone'],
    calledOnce: true,
    isThere: isIn('phone-fallback-active'),
    prepare: (stage) => byPhone(stage, phones('33', '31'), '33'),
  },
  {
    phase: 'operator held',
    leadMs: 8000,
    endsAs: ['phone'],
    calledOnce: true,
    isThere: isIn('phone-fallback-active'),
    prepare: (stage) => byPhone(stage, phones('31', '31'), '39'),
  },
  {
    phase: 'citizen held',
    leadMs: 8000,
    endsAs: ['phone'],
    isThere: isIn('phone-connected'),
    prepare: (stage) => byPhone(stage, phones('38', '31'), '31'),
  },
  {
    phase: 'phone-connected',
    leadMs: 9000,
    endsAs: ['phone'],
    isThere: isIn('phone-connected'),
    prepare: (stage) => byPhone(stage, phones('31', '31'), '31'),
  },
  {
    phase: 'resolving',
    leadMs: 9000,
    endsAs: ['resolved'],
    isThere: isIn('phone-connected'),
    prepare: async (stage) => {
      const act = await byPhone(stage, phones('31', '31'), '31');
      return {
        ...act,
        atFault: () =>
          insist(async () => {
            const id = act.sessionId();
            if (id !== null) await resolve(stage, id);
          }),
      };
    },
  },
  {
    phase: 'redial',
    leadMs: 8000,
    endsAs: ['alert', 'phone'],
    isThere: isIn('phone-fallback-active', 'degraded'),
    prepare: (stage) => byPhone(stage, phones('20', '20'), '46'),
  },
];
