/**
 * A sandbox for bad input: whatever comes in that should not is counted, and a session beside it, whose tone an
 * operator hears all the time, notices nothing.
 */
import { expect } from 'chai';
import { RawClient } from '../../integration/adapters/edge/raw-client.ts';
import type { District } from './district.ts';
import { eventually } from './eventually.ts';
import { Gateway } from './gateway.ts';
import type { Answer, RequestWishes } from './http.ts';
import { SteadySession } from './steady-session.ts';

const STARTED_MS = 60_000;

/** Registers hooks of the running suite. */
export function useBadInputLab(): BadInputLab {
  const lab = new BadInputLab();
  before('starts a sandbox with a healthy session in it', async function () {
    this.timeout(STARTED_MS);
    await lab.start();
  });
  afterEach('finds the healthy session untouched, and nothing else', async function () {
    this.timeout(STARTED_MS);
    if (this.currentTest?.state === 'failed') lab.gateway.keepLogs(this.currentTest.fullTitle());
    await lab.steady.assertAlone(lab.endpointsThatStay);
    await lab.steady.assertUntouched();
  });
  after('stops the sandbox', async function () {
    this.timeout(STARTED_MS);
    await lab.gateway.stop();
  });
  return lab;
}

export class BadInputLab {
  readonly gateway = new Gateway();
  /** Of devices without a session: they may outlive a test. */
  readonly endpointsThatStay = new Set<string>();
  #steady: SteadySession | null = null;
  #district: District | null = null;

  /** The session beside. */
  get steady(): SteadySession {
    return started(this.#steady);
  }

  /** A zone with an operator of its own, in which the session beside is not. */
  get district(): District {
    return started(this.#district);
  }

  async start(): Promise<void> {
    await this.gateway.start({});
    this.#steady = await SteadySession.begin(this.gateway);
    this.#district = await this.gateway.district();
  }

  /** What `act` brings, once the metric has grown. */
  async counted<Result>(
    name: string,
    labels: Readonly<Record<string, string>>,
    act: () => Promise<Result>,
  ): Promise<Result> {
    const earlier = await this.gateway.metric(name, labels);
    const result = await act();
    await eventually(`${name}${JSON.stringify(labels)} grows`, async () =>
      (await this.gateway.metric(name, labels)) > earlier ? true : null,
    );
    return result;
  }

  /** The answer is a problem document with this status and code, and it is counted. */
  async refused(status: number, code: string, act: () => Promise<Answer>): Promise<void> {
    const answer = await this.counted('hamrahi_http_refused_total', { code }, act);
    expect(answer.status).to.equal(status);
    expect(answer.body).to.deep.include({ code, status });
    expect(answer.headers.get('content-type')).to.match(/^application\/problem\+json/);
  }

  activate(token: string | null, wishes: RequestWishes): Promise<Answer> {
    return this.gateway.send(token, 'POST', '/v1/sos', wishes);
  }

  /** One row per session that she ever had. */
  sessionsOf(citizenId: string): Promise<object[]> {
    return this.gateway.sql('SELECT 1 FROM sessions WHERE citizen_id = $1', [citizenId]);
  }

  /** How the edge refuses this credential; throws when it does not. */
  async refusalAtEdge(
    credential: string,
    aor: string,
    kind: 'bearer' | 'ticket' = 'bearer',
  ): Promise<{ readonly status: unknown; readonly code: unknown }> {
    const { sip } = this.gateway.file.urls;
    const options =
      kind === 'ticket'
        ? { url: `${sip}?ticket=${credential}`, headers: {} }
        : { url: sip, headers: { authorization: `Bearer ${credential}`, 'x-hamrahi-device': 'phone1' } };
    try {
      (await RawClient.connect({ ...options, aor })).terminate();
    } catch (error) {
      const { status, problem } = error as { status: unknown; problem: { code: unknown } };
      return { status, code: problem.code };
    }
    throw new Error('the edge let it in');
  }
}

function started<Thing>(thing: Thing | null): Thing {
  if (thing === null) throw new Error('the sandbox has not started');
  return thing;
}
