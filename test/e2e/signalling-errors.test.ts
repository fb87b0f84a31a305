/** Each way in which her app can fail an offer: one retry beside it, both on record with their reason, and then the phones. */
import { expect } from 'chai';
import { callTo } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen, type CitizenWishes } from './support/gateway.ts';
import { gate, holdAnswers, msOf, press, told } from './support/sos.ts';
import type { HeadlessOperator } from '../../control-plane/client/headless/index.ts';

/** Her app notices nothing: only the gateway's own deadlines act. */
const NEVER_MS = 60_000;
const TONE_HZ = 1600;
const FB_2_MS = 2000;

interface LegRow {
  readonly attempt: number;
  readonly outcome: string | null;
  readonly sip_status: number | null;
}

describe('e2e: signalling errors', function () {
  this.timeout(30_000);
  const gateway = useGateway();

  async function pressed(
    wishes: CitizenWishes,
    before: (citizen: Citizen) => void = () => undefined,
  ): Promise<{ readonly id: string; readonly citizen: Citizen; readonly panel: HeadlessOperator }> {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, wishes);
    before(citizen);
    return { id: await press(citizen, district.location), citizen, panel };
  }

  /** What the panel was told of it, and what the record has. */
  async function accountOf(panel: HeadlessOperator, id: string) {
    const details = (type: string) =>
      panel.events
        .filter(({ event }) => event.sessionId === id && event.type === type)
        .map(({ event }) => (event.data as { readonly detail?: unknown }).detail);
    const attempts = await gateway.sql<LegRow>(
      `SELECT attempt, outcome, sip_status FROM legs WHERE session_id = $1 AND kind = 'citizen-app' ORDER BY attempt`,
      [id],
    );
    const [record] = await gateway.sql<{ fallback_reason: string | null }>(
      'SELECT fallback_reason FROM session_record WHERE session_id = $1',
      [id],
    );
    return {
      degraded: details('sos.degraded'),
      retried: details('sos.retried'),
      attempts,
      reason: record?.fallback_reason ?? null,
      detail: (await gateway.view(id)).fallback?.detail ?? null,
    };
  }

  for (const { name, wishes, what, outcome, sipStatus } of [
    {
      name: 'answers 480',
      wishes: { rejectWith: 480 },
      what: 'sip-480',
      outcome: 'no-answer',
      sipStatus: 480,
    },
    {
      name: 'answers 500',
      wishes: { rejectWith: 500 },
      what: 'sip-500',
      outcome: 'rejected',
      sipStatus: 500,
    },
    {
      name: 'has another DTLS certificate than it says',
      wishes: { failDtls: 'mismatch' },
      what: 'media-failed',
      outcome: 'media-failed',
      sipStatus: null,
    },
  ] as const)
    it(`RTC-7 FB-4 an armed app that ${name}: one retry at once, both on record with their reason, then the phones`, async () => {
      const { id, citizen, panel } = await pressed(wishes);
      await told(panel, id, 'phone-fallback-active');
      await callTo(gateway, citizen.phone);

      expect(await accountOf(panel, id)).to.deep.equal({
        degraded: [{ reason: `signalling-error-${what}` }],
        retried: [{ leg: 'citizen-app', reason: `signalling-error-${what}` }],
        attempts: [1, 2].map((attempt) => ({ attempt, outcome, sip_status: sipStatus })),
        reason: 'signalling-error',
        detail: what,
      });
      expect(citizen.legs.map(({ legId }) => legId)).to.deep.equal(
        [1, 2].map((attempt) => `${id}.citizen-app.${attempt}`),
      );
      const timeline = await gateway.timeline(id);
      expect(msOf(timeline, 'fallback-initiated'), 'five seconds are a ceiling').to.be.below(5000);
    });

  it('RTC-7 a WebSocket that closes while she is offered to: one retry when it is back, and she is heard', async () => {
    const { opened, open } = gate();
    const { id, citizen, panel } = await pressed({ toneHz: TONE_HZ }, (her) => holdAnswers(her, opened));
    await eventually('she is offered to', () => citizen.legs[0]);
    citizen.cutSignalling();
    await told(panel, id, 'sos.retried');
    await eventually('the retry is offered', () => citizen.legs[1]);
    open();
    await told(panel, id, 'sos.active');
    await panel.tone(TONE_HZ, NEVER_MS);

    const account = await accountOf(panel, id);
    expect(account).to.deep.include({
      degraded: [{ reason: 'signalling-error-socket-closed' }],
      retried: [{ leg: 'citizen-app', reason: 'signalling-error-socket-closed' }],
      reason: null,
    });
    expect(account.attempts.map(({ attempt }) => attempt)).to.deep.equal([1, 2]);
  });

  it('RTC-7 an app that dies while it is offered to, and is back within a second, gets its one retry', async () => {
    const { id, citizen, panel } = await pressed({}, (her) => holdAnswers(her, gate().opened));
    await eventually('she is offered to', () => citizen.legs[0]);
    await citizen.vanish();
    const restarted = await gateway.app(citizen.token, { toneHz: TONE_HZ });
    restarted.client.resume(id);
    await told(panel, id, 'sos.active');
    await panel.tone(TONE_HZ, NEVER_MS);

    const account = await accountOf(panel, id);
    expect(account.retried).to.deep.equal([{ leg: 'citizen-app', reason: 'signalling-error-socket-closed' }]);
    expect(account.attempts.map(({ attempt }) => attempt)).to.deep.equal([1, 2]);
    expect(account.reason, 'no phone was called').to.equal(null);
  });

  it('RTC-7 FB-4 what only the deadlines see: no answer, no end of DTLS, a socket that stays away', async () => {
    const silent = await pressed({}, (her) => holdAnswers(her, gate().opened));
    const endless = await pressed({ failDtls: 'silence', iceTimeoutMs: NEVER_MS });
    const gone = await pressed({}, (her) => holdAnswers(her, gate().opened));
    await eventually('she is offered to', () => gone.citizen.legs[0]);
    await gone.citizen.vanish();
    const cases = [silent, endless, gone];
    await Promise.all(cases.map(({ panel, id }) => told(panel, id, 'phone-fallback-active')));
    const accounts = await Promise.all(cases.map(({ panel, id }) => accountOf(panel, id)));

    const retry = (reason: string) => ({
      degraded: [{ reason }],
      retried: [{ leg: 'citizen-app', reason }],
    });
    expect(accounts[0]).to.deep.include({
      ...retry('timeout-no-answer'),
      reason: 'timeout',
      detail: 'timeout-no-answer',
    });
    expect(accounts[1]).to.deep.include({
      ...retry('timeout-no-media'),
      reason: 'timeout',
      detail: 'timeout-no-media',
    });
    expect(accounts[2], 'nobody is there to be offered to again').to.deep.include({
      degraded: [{ reason: 'signalling-error-socket-closed' }],
      retried: [],
      reason: 'signalling-error',
      detail: 'socket-closed',
    });
    expect(accounts.map(({ attempts }) => attempts.length)).to.deep.equal([2, 2, 1]);
    for (const { id } of cases) {
      const timeline = await gateway.timeline(id);
      expect(msOf(timeline, 'watchdog-due')).to.be.within(5000, 5000 + FB_2_MS);
    }
  });
});
