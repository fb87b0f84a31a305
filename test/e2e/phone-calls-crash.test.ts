/** The control plane dies under calls in every state, and between each decision and its deed: nothing is lost or doubled. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { Backend, keepOutbox, newCallee, newsOf, stateOf } from './support/phone-calls.ts';

const DIED_MS = 10_000;
/** Each process after the first is started ready to die at the one whose turn it is. */
const DEATHS = [
  'decided/api.created',
  'committed/api.created',
  'command-due/pbx.dial-phone',
  'command-done/pbx.dial-phone',
  'engine-told/leg.ringing',
  'committed/pbx.answered',
  'command-due/pbx.join',
  'committed/api.hung-up',
  'command-done/pbx.dial-phone',
];

describe('e2e: telephone calls and crashes', function () {
  this.timeout(90_000);
  let proxy: CuttableProxy;
  const gateway = useGateway({
    detour: async (links) => {
      const { hostname, port } = new URL(links.databaseUrl);
      proxy = await startCuttableProxy({ host: hostname, port: Number(port) });
      const url = new URL(links.databaseUrl);
      url.port = String(proxy.port);
      return { ...links, databaseUrl: url.href };
    },
  });
  after(() => proxy.stop());
  const backend = new Backend(gateway);
  before(() => keepOutbox(gateway));

  const hearsNow = (number: string, hz: number): Promise<CallReport> =>
    callTo(gateway, number, ({ heard }) => heard.at(-1)?.hz === hz && heard.at(-1)?.toMs === null);
  const joined = async (): Promise<{ id: string; to: string; second: string }> => {
    const [to, second] = [newCallee('00', 1), newCallee('00', 4)];
    const { id } = await backend.call(to, { bridgeTo: second });
    await heardAt(gateway, to, phoneToneHz(second));
    return { id, to, second };
  };
  /** Each phone was called once, whatever died. */
  const calledOnce = async (...numbers: readonly string[]): Promise<void> => {
    for (const number of numbers) expect(await callsTo(gateway, number), number).to.have.length(1);
  };
  const endsOnce = async (id: string): Promise<void> => {
    const ends = (await newsOf(gateway, id)).filter(
      ({ type, data }) => data['leg'] === 'call-to' && (type === 'call.ended' || type === 'call.failed'),
    );
    expect(ends).to.have.length(1);
  };

  const toCome = [...DEATHS];
  /** Where the process that runs dies once it is told to. */
  let armedAt: string | undefined;
  /** Dead already, or killed now; the next one is ready to die, too. */
  const follow = async (failpoint: string | undefined): Promise<void> => {
    await gateway.sandbox.controlPlane().kill();
    armedAt = failpoint;
    await gateway.sandbox.restartControlPlane(
      failpoint === undefined ? {} : { HAMRAHI_FAILPOINT: `kill:${failpoint}:1:on-signal` },
    );
  };

  it('TEL-10 kill -9 while calls ring, wait, are joined, on hold and transferred: all of them go on', async () => {
    const ringing = newCallee('20');
    const meanwhile = newCallee('34', 1);
    const alone = newCallee('00', 1);
    const [first, late] = [newCallee('05', 1), newCallee('36', 4)];
    const [speaking, holding, moving] = await Promise.all([joined(), joined(), joined()]);
    const next = newCallee('37', 6);
    const [rings, answers, waits, calls] = await Promise.all([
      backend.call(ringing, { ringTimeoutS: 60 }),
      backend.call(meanwhile),
      backend.call(alone),
      backend.call(first, { bridgeTo: late }),
    ]);
    await backend.ask(holding.id, 'hold');
    await backend.ask(moving.id, 'transfer', { to: next });
    await Promise.all([
      backend.when(rings.id, 'ringing'),
      backend.when(answers.id, 'ringing'),
      backend.when(waits.id, 'answered/waiting'),
      backend.when(calls.id, 'answered/calling'),
      callTo(gateway, next, ({ times }) => times.ringingAt !== null),
    ]);

    await gateway.sandbox.controlPlane().kill();
    // One of the phones is answered while nobody commands.
    await callTo(gateway, meanwhile, ({ times }) => times.answeredAt !== null);
    await delay(300);
    await follow(DEATHS[0]);

    expect(stateOf(await backend.view(rings.id))).to.equal('ringing/none');
    await backend.when(answers.id, 'answered/waiting');
    expect(stateOf(await backend.view(waits.id))).to.equal('answered/waiting');
    await Promise.all([
      heardAt(gateway, first, phoneToneHz(late)),
      heardAt(gateway, late, phoneToneHz(first)),
    ]);
    await Promise.all([
      hearsNow(speaking.to, phoneToneHz(speaking.second)),
      hearsNow(speaking.second, phoneToneHz(speaking.to)),
    ]);
    expect(stateOf(await backend.view(holding.id))).to.equal('answered/on-hold');
    await backend.ask(holding.id, 'unhold');
    await hearsNow(holding.to, phoneToneHz(holding.second));
    await Promise.all([
      heardAt(gateway, moving.to, phoneToneHz(next)),
      heardAt(gateway, next, phoneToneHz(moving.to)),
    ]);
    await callTo(gateway, moving.second, ({ state }) => state === 'ended');
    await calledOnce(ringing, meanwhile, alone, first, late, next);
    for (const { to, second } of [speaking, holding, moving]) await calledOnce(to, second);

    for (const { id } of [rings, answers, waits, calls, speaking, holding, moving]) await backend.hangUp(id);
    await gateway.assertNothingLeft();
    for (const { id } of [rings, answers, waits, calls, speaking, holding, moving]) await endsOnce(id);
  });

  /** The process dies where the failpoint says, while `strike` is done; another one comes after it. */
  const dieAt = async (failpoint: string, strike: () => Promise<unknown>): Promise<void> => {
    const { sandbox } = gateway;
    if (armedAt !== failpoint) await follow(failpoint);
    toCome.splice(0, toCome.indexOf(failpoint) + 1);
    const dying = sandbox.controlPlane();
    dying.signal('SIGUSR2');
    // Its answer is lost with it.
    const struck = strike().catch(() => undefined);
    const late = delay(DIED_MS).then(() => {
      throw new Error(`nothing passed ${failpoint}`);
    });
    await Promise.race([dying.exited, late]);
    late.catch(() => undefined);
    await struck;
    await follow(toCome[0]);
  };

  for (const failpoint of DEATHS.slice(0, 6))
    it(`TEL-4 kill -9 at ${failpoint}: repeated under its key, the call is placed, and placed once`, async () => {
      const to = newCallee('33', 1);
      const key = randomUUID();
      await dieAt(failpoint, () => backend.post({ to }, key));
      const { status, body } = await backend.post({ to }, key);
      expect(status).to.be.oneOf([200, 201]);
      await backend.when(String(body?.['id']), 'answered/waiting');
      await calledOnce(to);
    });

  it('TEL-10 kill -9 before they are joined: they are joined', async () => {
    const [to, second] = [newCallee('05', 1), newCallee('32', 4)];
    await dieAt('command-due/pbx.join', () => backend.call(to, { bridgeTo: second }));
    await Promise.all([heardAt(gateway, to, phoneToneHz(second)), heardAt(gateway, second, phoneToneHz(to))]);
    await calledOnce(to, second);
  });

  it('TEL-10 kill -9 between the order to hang up and its deed: both are hung up, and it is told once', async () => {
    const { id, to, second } = await joined();
    await dieAt('committed/api.hung-up', () => backend.hangUp(id));
    await Promise.all(
      [to, second].map((number) => callTo(gateway, number, ({ state }) => state === 'ended')),
    );
    expect(stateOf(await backend.view(id))).to.equal('ended/hung-up');
    await gateway.assertNothingLeft();
    await endsOnce(id);
  });

  it('TEL-10 kill -9 in the middle of a transfer’s orders: it goes on', async () => {
    const { id, to, second } = await joined();
    const next = newCallee('37', 6);
    await dieAt('command-done/pbx.dial-phone', () => backend.ask(id, 'transfer', { to: next }));
    await Promise.all([heardAt(gateway, to, phoneToneHz(next)), heardAt(gateway, next, phoneToneHz(to))]);
    await callTo(gateway, second, ({ state }) => state === 'ended');
    await calledOnce(to, second, next);
  });

  it('answers 503 with a code while the database is away; who speaks speaks on, and what happens is not lost', async () => {
    const { id, to, second } = await joined();
    const [ending, hangsUp] = [newCallee('00', 1), newCallee('03', 4)];
    const other = await backend.call(ending, { bridgeTo: hangsUp });
    await heardAt(gateway, ending, phoneToneHz(hangsUp));
    proxy.refuse(true);
    proxy.cut();
    try {
      const key = randomUUID();
      const refused = await eventually('calls are refused', async () => {
        const answer = await backend.post({ to: newCallee() }, key);
        return answer.status === 503 ? answer : null;
      });
      expect(refused.body?.['code']).to.equal('ERR_STORE_UNAVAILABLE');
      expect(refused.headers.get('retry-after')).to.equal('1');
      await callTo(gateway, hangsUp, ({ state }) => state === 'ended');
      await Promise.all([hearsNow(to, phoneToneHz(second)), hearsNow(second, phoneToneHz(to))]);
    } finally {
      proxy.refuse(false);
    }
    const over = await eventually(
      'what happened meanwhile is known',
      async () => {
        const answer = await gateway.send(backend.token, 'GET', `/v1/calls/${other.id}`);
        return answer.body?.['state'] === 'ended' ? answer.body : null;
      },
      15_000,
    );
    expect(over['reason']).to.equal('other-hung-up');
    await callTo(gateway, ending, ({ state }) => state === 'ended');
    await endsOnce(other.id);
    expect(stateOf(await backend.view(id))).to.equal('answered/joined');
  });
});
