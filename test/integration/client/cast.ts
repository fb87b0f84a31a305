/** Who takes part in a test of the clients: citizens and operators on one Asterisk and one fake gateway. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  createHeadlessCitizen,
  createHeadlessOperator,
  type HeadlessCitizen,
  type HeadlessCitizenOptions,
  type HeadlessOperator,
  type HeadlessOperatorOptions,
} from '../../../control-plane/client/headless/index.ts';
import { startTestEngine, type TestEngine } from './engine.ts';
import { LISTEN_TONES_HZ } from '../../../control-plane/sandbox/audio/tones.ts';
import { startFakeGateway, type FakeGateway } from './fake-gateway.ts';

export type Aor<Person> = Person & { readonly aor: string };

export interface Cast {
  readonly engine: TestEngine;
  readonly gateway: FakeGateway;
  citizen(options?: Partial<HeadlessCitizenOptions>): Promise<Aor<HeadlessCitizen>>;
  /** On duty unless told otherwise. */
  operator(options?: Partial<HeadlessOperatorOptions>, onDuty?: boolean): Promise<Aor<HeadlessOperator>>;
  /** She presses SOS and her session is known. */
  press(citizen: HeadlessCitizen): Promise<string>;
  /** The gateway calls somebody; resolves with the leg's id once it was ordered. */
  call(person: { readonly aor: string }, sessionId: string, leg: string): Promise<string>;
  /** Calls both, answered, and lets the operator listen. */
  connect(citizen: Aor<HeadlessCitizen>, operator: Aor<HeadlessOperator>): Promise<Connected>;
}

export interface Connected {
  readonly sessionId: string;
  readonly citizenLeg: string;
  readonly operatorLeg: string;
}

/** Sets up hooks of the running suite: one engine for all its tests, a fake gateway for each. */
export function useCast(): Cast {
  let engine: TestEngine;
  let gateway: FakeGateway;
  const people: { close(): Promise<void> }[] = [];

  before(async () => {
    engine = await startTestEngine();
  });
  after(() => engine.stop());
  beforeEach(async () => {
    gateway = await startFakeGateway({ sipUpstream: engine.sipWebSocketUrl, aorOf: (device) => device });
  });
  afterEach(async () => {
    await Promise.all(people.splice(0).map((person) => person.close()));
    for (const id of await engine.channels()) await engine.hangUp(id);
    await eventually('no channel is left', async () => (await engine.channels()).length === 0);
    await gateway.close();
  });

  const answered = (legId: string): Promise<unknown> =>
    engine.event(({ type, channel }) => type === 'StasisStart' && channel?.id === legId);

  const cast: Cast = {
    get engine() {
      return engine;
    },
    get gateway() {
      return gateway;
    },
    async citizen(options = {}) {
      const aor = newAor('c');
      await engine.provision(aor);
      const person = await createHeadlessCitizen({
        baseUrl: gateway.baseUrl,
        token: 'citizen-token',
        deviceId: aor,
        ...options,
      });
      people.push(person);
      return { ...person, aor };
    },
    async operator(options = {}, onDuty = true) {
      const aor = newAor('o');
      await engine.provision(aor);
      const person = await createHeadlessOperator({
        baseUrl: gateway.baseUrl,
        token: 'operator-token',
        clientId: aor,
        candidatesHz: LISTEN_TONES_HZ,
        ...options,
      });
      people.push(person);
      if (onDuty) await person.beginShift();
      return { ...person, aor };
    },
    async press(citizen) {
      const registered = new Promise<void>((resolve) => {
        citizen.client.on('connection', (state) => {
          if (state === 'registered') resolve();
        });
      });
      await citizen.client.press({ latitude: 28.6, longitude: 77.2 });
      await registered;
      const { sessionId } = citizen.client;
      if (sessionId === null) throw new Error('the gateway named no session');
      return sessionId;
    },
    async call({ aor }, sessionId, leg) {
      const legId = `${sessionId}.${leg}`;
      await engine.call(aor, sessionId, legId);
      return legId;
    },
    async connect(citizen, operator) {
      const sessionId = await cast.press(citizen);
      const [citizenLeg, operatorLeg] = await Promise.all([
        cast.call(citizen, sessionId, 'citizen-app.1'),
        cast.call(operator, sessionId, 'operator-app.1'),
      ]);
      await Promise.all([answered(citizenLeg), answered(operatorLeg)]);
      await engine.bridge([citizenLeg, operatorLeg], [operatorLeg]);
      return { sessionId, citizenLeg, operatorLeg };
    },
  };
  return cast;
}

function newAor(prefix: string): string {
  return `${prefix}${randomUUID().replaceAll('-', '').slice(0, 12)}`;
}

/** Waits for a state of the world that no event announces; fails after `limitMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) expect.fail(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
