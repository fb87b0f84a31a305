/**
 * An SOS that has nothing to do with what a test does: it streams a tone meanwhile, and must not notice anything.
 * Every session beside it is the test's own, and leaves nothing behind.
 */
import { expect } from 'chai';
import type { AudioReading } from '../../../control-plane/client/audio-monitor.ts';
import type { SessionView } from '../../../control-plane/src/contracts/session-view.ts';
import type { HeadlessOperator } from '../../../control-plane/client/headless/index.ts';
import { eventually } from './eventually.ts';
import type { Citizen, Gateway } from './gateway.ts';
import { press, told } from './sos.ts';

export const STEADY_TONE_HZ = 1400;
const HEARD_MS = 10_000;
/** Half a second of voice. */
const MORE_PACKETS = 25;
const LOUD_DB = -40;
const CLEARED_MS = 8_000;

/** Everything in Asterisk, so far as it changes with calls. */
interface Scene {
  readonly channels: readonly string[];
  readonly bridges: readonly string[];
}

export class SteadySession {
  readonly id: string;
  readonly citizen: Citizen;
  readonly #gateway: Gateway;
  readonly #panel: HeadlessOperator;
  readonly #view: SessionView;
  readonly #scene: Scene;
  readonly #endpoints: ReadonlySet<string>;
  /** What her operator's end read last. */
  #heard: AudioReading | null = null;

  private constructor(
    gateway: Gateway,
    citizen: Citizen,
    panel: HeadlessOperator,
    view: SessionView,
    scene: Scene,
    endpoints: ReadonlySet<string>,
  ) {
    this.#gateway = gateway;
    this.citizen = citizen;
    this.#panel = panel;
    this.id = view.id;
    this.#view = view;
    this.#scene = scene;
    this.#endpoints = endpoints;
    panel.client.on('audio', (reading) => (this.#heard = reading));
  }

  /** Resolves as soon as an operator hears her and nothing of the session is still on its way. */
  static async begin(gateway: Gateway): Promise<SteadySession> {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: STEADY_TONE_HZ });
    const id = await press(citizen, district.location);
    await Promise.all([
      told(panel, id, 'sos.active'),
      told(panel, id, 'sos.sound'),
      panel.tone(STEADY_TONE_HZ, HEARD_MS),
    ]);
    const endpoints = new Set((await gateway.witness.endpoints()).map(({ name }) => name));
    return new SteadySession(
      gateway,
      citizen,
      panel,
      await gateway.view(id),
      await sceneOf(gateway),
      endpoints,
    );
  }

  /** Her address of record. */
  get aor(): string {
    return `citizen-${this.citizen.id}-phone1`;
  }

  /** The same calls and the same state as at its beginning, and more of her tone now than a moment ago. */
  async assertUntouched(): Promise<void> {
    expect(await this.#gateway.view(this.id), 'the state of the session beside').to.deep.equal(this.#view);
    const before = this.#heard?.packets ?? 0;
    const heard = await eventually('her tone still arrives', () =>
      this.#heard !== null && this.#heard.packets >= before + MORE_PACKETS ? this.#heard : null,
    );
    expect(heard, 'her tone').to.deep.include({ legId: this.#panel.legs[0]!.legId, state: 'sound' });
    expect(heard.levelDb, 'it is loud').to.be.above(LOUD_DB);
    const hz = new Set(this.#panel.heard().flatMap(({ tones }) => tones.map((tone) => tone.hz)));
    expect([...hz], 'what her operator has heard').to.deep.equal([STEADY_TONE_HZ]);
    expect(
      [this.citizen.legs.length, this.#panel.legs.length],
      'calls of hers and of her operator',
    ).to.deep.equal([1, 1]);
    expect(this.citizen.rtp().packetsReceived, 'what reached her phone').to.equal(0);
  }

  /** Ends every other session; then the engine holds what it held before, and `endpointsThatStay`. */
  async assertAlone(endpointsThatStay: ReadonlySet<string>): Promise<void> {
    const { supervisor } = this.#gateway.file.tokens;
    const { body } = await this.#gateway.send(supervisor.token, 'GET', '/v1/sos?open=true&limit=200');
    const { sessions } = body as unknown as { readonly sessions: readonly SessionView[] };
    for (const { id } of sessions) if (id !== this.id) await this.#gateway.resolve(id);
    const wanted = JSON.stringify({ ...this.#scene, endpoints: [] });
    let found = '';
    await eventually(
      'nothing but the session beside is left in Asterisk',
      async () => {
        found = JSON.stringify({
          ...(await sceneOf(this.#gateway)),
          endpoints: await this.#strangers(endpointsThatStay),
        });
        return found === wanted ? true : null;
      },
      CLEARED_MS,
    ).catch((error: unknown) => {
      throw new Error(`left in Asterisk: ${found}, not ${wanted}`, { cause: error });
    });
  }

  async #strangers(endpointsThatStay: ReadonlySet<string>): Promise<readonly string[]> {
    const names = (await this.#gateway.witness.endpoints()).map(({ name }) => name);
    return names.filter((name) => !this.#endpoints.has(name) && !endpointsThatStay.has(name));
  }
}

async function sceneOf({ witness }: Gateway): Promise<Scene> {
  const [channels, bridges] = [await witness.channels(), await witness.bridges()];
  return {
    channels: channels.map(({ id, state }) => `${id} ${state}`).sort(),
    bridges: bridges.map(({ id, members }) => `${id} ${[...members].sort().join(' ')}`).sort(),
  };
}
