/** Calls that the backend asks for, on real Asterisk, PostgreSQL and carrier: what the carrier saw, and who heard whom. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { Backend, keepOutbox, newCallee, newsOf, SERIES, stateOf } from './support/phone-calls.ts';
import { foundInFiles } from './support/search-files.ts';
import { press } from './support/sos.ts';

const CALLER_ID = '+911140000100';
const OTHER_CALLER_ID = '+911140000101';
const TEL_4_MS = 3000;
const TEL_4_CALLS = 20;

describe('e2e: telephone calls', function () {
  this.timeout(60_000);
  const gateway = useGateway();
  const backend = new Backend(gateway);
  before(() => keepOutbox(gateway));

  const now = (): number => performance.timeOrigin + performance.now();
  /** Out of a bridge Asterisk sends a phone nothing but the holding prompt. */
  const hearsPrompt = async (number: string): Promise<void> => {
    const frames = async (): Promise<number> => (await callsTo(gateway, number))[0]?.audio?.frames ?? 0;
    const before = await frames();
    await eventually(`${number} hears the prompt`, async () =>
      (await frames()) > before + 15 ? true : null,
    );
  };
  /** The phone hears a tone of this frequency now, not only once. */
  const hearsNow = (number: string, hz: number): Promise<CallReport> =>
    callTo(gateway, number, ({ heard }) => heard.at(-1)?.hz === hz && heard.at(-1)?.toMs === null);

  it('TEL-1 TEL-2 reaches mobiles of all four operators and a landline, and shows an owned number, unmasked', async () => {
    const callees = [
      ...(Object.keys(SERIES) as (keyof typeof SERIES)[]).map((series) => newCallee('00', 1, series)),
      '+911140012300',
    ];
    const calls = await Promise.all(callees.map((to) => backend.call(to)));
    const seen = await Promise.all(
      callees.map((to) =>
        callTo(gateway, to, ({ state, times }) => state === 'live' && times.answeredAt !== null),
      ),
    );
    expect(seen.map(({ operatorSeries }) => operatorSeries)).to.deep.equal([
      ...Object.keys(SERIES),
      'landline',
    ]);
    for (const [index, call] of seen.entries()) {
      expect(call.requestUri).to.include(`sip:${callees[index]!}@`);
      expect(call.numberForm).to.equal('e164_plus');
      expect(call.from?.user, 'TEL-2').to.equal(CALLER_ID);
      expect(call.pAssertedIdentity?.user, 'TEL-2').to.equal(CALLER_ID);
      expect(call.privacy, 'TEL-2').to.equal(null);
      expect(call.from?.host).to.not.include('anonymous');
    }
    for (const { id } of calls) await backend.when(id, 'answered/waiting');
    for (const to of callees) await hearsPrompt(to);
  });

  it('TEL-2 shows another owned number where the call asks for it, and no number that is not owned', async () => {
    const to = newCallee();
    await backend.call(to, { callerId: OTHER_CALLER_ID });
    const { from, pAssertedIdentity } = await callTo(gateway, to);
    expect([from?.user, pAssertedIdentity?.user]).to.deep.equal([OTHER_CALLER_ID, OTHER_CALLER_ID]);
    const foreign = await backend.post({ to: newCallee(), callerId: '+919810000001' });
    expect([foreign.status, foreign.body?.['code']]).to.deep.equal([422, 'ERR_CALL_CALLER_ID']);
  });

  it(`TEL-4 rings within three seconds of the request, ${TEL_4_CALLS} of ${TEL_4_CALLS} calls`, async () => {
    const tookMs: number[] = [];
    for (let index = 0; index < TEL_4_CALLS; index += 1) {
      const to = newCallee('20');
      const askedAt = now();
      const { id } = await backend.call(to);
      const { times } = await callTo(gateway, to, (call) => call.times.ringingAt !== null);
      tookMs.push(times.ringingAt! - askedAt);
      await backend.when(id, 'ringing');
      await backend.hangUp(id);
    }
    expect(Math.max(...tookMs), tookMs.map(Math.round).join(' ')).to.be.below(TEL_4_MS);
  });

  it('TEL-3 TEL-10 tells each step of both parties in its order, numbered, without a number', async () => {
    const [to, second] = [newCallee('00', 1), newCallee('03', 4)];
    const { id } = await backend.call(to, { bridgeTo: second, metadata: { case: 'secret-4711' } });
    await backend.when(id, 'ended/other-hung-up');
    const news = await newsOf(gateway, id);
    expect(news.map(({ type, data }) => `${String(data['leg'])} ${type}`)).to.deep.equal([
      'call-to call.ringing',
      'call-to call.answered',
      'call-bridge-to call.ringing',
      'call-bridge-to call.answered',
      'call-bridge-to call.ended',
      'call-to call.ended',
    ]);
    const seqs = news.map((one) => Number(one.subject_seq));
    expect(seqs).to.deep.equal([...seqs].sort((a, b) => a - b));
    const { times } = await callTo(gateway, to);
    const at = (index: number): number => news[index]!.at.getTime();
    expect(at(0) - times.ringingAt!, 'noticed at once').to.be.within(-20, 500);
    expect(at(1) - times.answeredAt!).to.be.within(-20, 500);
    expect(news.at(-1)!.data).to.deep.include({
      callId: id,
      state: 'ended',
      reason: 'other-hung-up',
      trunk: 'sandbox',
    });
    const text = JSON.stringify(news);
    for (const secret of [to, second, 'secret-4711']) expect(text).to.not.include(secret.replace('+', ''));
  });

  it('TEL-3 TEL-11 tells why a call failed: busy, declined, unallocated, unavailable, unanswered, a failing switch', async () => {
    const cases = [
      ['46', 'busy', 486],
      ['63', 'rejected', 603],
      ['44', 'invalid-number', 404],
      ['40', 'unreachable', 480],
      ['50', 'congestion', 500],
      ['20', 'no-answer', null],
    ] as const;
    await Promise.all(
      cases.map(async ([digits, outcome, sipStatus]) => {
        const { id } = await backend.call(newCallee(digits), { ringTimeoutS: 5 });
        const view = await backend.when(id, 'failed');
        expect(stateOf(view), digits).to.equal(`failed/${outcome}`);
        const news = await newsOf(gateway, id);
        expect(news.filter(({ type }) => type === 'call.failed' || type === 'call.ended')).to.have.length(1);
        expect(news.at(-1)).to.deep.include({ type: 'call.failed' });
        const record = await eventually('the leg has gone', async () => {
          const [one] = await backend.records(id);
          return one?.endedAt ? one : null;
        });
        expect(record).to.deep.include({
          owner: { kind: 'call', id },
          leg: 'call-to',
          trunk: 'sandbox',
          outcome,
          sipStatus,
          answeredAt: null,
          durationS: null,
        });
        expect(record.attempts).to.have.length(1);
        expect(record.attempts[0]).to.deep.include({ try: 1, trunk: 'sandbox', outcome });
        const seen = (await callsTo(gateway, (await backend.view(id)).to))[0]!;
        expect(record.carrierCallId).to.equal(seen.callId);
      }),
    );
  });

  it('TEL-10 joins the two who answered: each hears the other, and the end of one is the end of both', async () => {
    const [to, second] = [newCallee('00', 1), newCallee('00', 4)];
    const { id } = await backend.call(to, { bridgeTo: second });
    await backend.when(id, 'answered/calling');
    await hearsPrompt(to);
    await Promise.all([heardAt(gateway, to, phoneToneHz(second)), heardAt(gateway, second, phoneToneHz(to))]);
    expect(stateOf(await backend.view(id))).to.equal('answered/joined');
    const [bridge] = await gateway.witness.bridges();
    expect(bridge).to.deep.include({ id: `${id}.call` });
    expect(bridge!.members).to.have.members([`${id}.call-to.1`, `${id}.call-bridge-to.1`]);
    const over = await backend.hangUp(id);
    expect(stateOf(over)).to.equal('ended/hung-up');
    for (const number of [to, second])
      expect((await callTo(gateway, number, ({ state }) => state === 'ended')).byeBy).to.equal('gateway');
    expect(stateOf(await backend.hangUp(id)), 'repeatable').to.equal('ended/hung-up');
    await gateway.assertNothingLeft();
  });

  it('TEL-10 calls both at once, and holds whoever answers first', async () => {
    const [to, second] = [newCallee('33', 1), newCallee('05', 4)];
    const { id } = await backend.call(to, { bridgeTo: second, bridgeWhen: 'at-once' });
    await hearsPrompt(second);
    await Promise.all([heardAt(gateway, to, phoneToneHz(second)), heardAt(gateway, second, phoneToneHz(to))]);
    expect(stateOf(await backend.view(id))).to.equal('answered/joined');
  });

  it('TEL-10 tries the next one when the primary is busy or does not answer; when nobody does, says so', async () => {
    const [busy, deaf, willing] = [newCallee('46', 4), newCallee('20', 4), newCallee('00', 4)];
    const to = newCallee('00', 1);
    const { id } = await backend.call(to, { bridgeTo: [busy, deaf, willing], ringTimeoutS: 5 });
    await hearsPrompt(to);
    await heardAt(gateway, to, phoneToneHz(willing));
    await eventually('both are on record', async () => {
      const ends = (await backend.records(id)).map(({ leg, outcome }) => `${leg} ${String(outcome)}`);
      return ends.includes('call-bridge-to busy') && ends.includes('call-bridge-to no-answer') ? true : null;
    });

    const alone = newCallee('00', 1);
    const second = await backend.call(alone, {
      bridgeTo: [newCallee('46'), newCallee('63')],
      ringTimeoutS: 5,
    });
    await backend.when(second.id, 'failed/bridge-unanswered');
    expect((await callTo(gateway, alone, ({ state }) => state === 'ended')).byeBy).to.equal('gateway');
  });

  it('TEL-10 holds both with the prompt, and gives them back to each other', async () => {
    const [to, second] = [newCallee('00', 1), newCallee('00', 4)];
    const { id } = await backend.call(to, { bridgeTo: second });
    await heardAt(gateway, to, phoneToneHz(second));
    expect(stateOf(await backend.ask(id, 'hold'))).to.equal('answered/on-hold');
    await callTo(gateway, to, ({ heard }) => heard.at(-1)?.toMs !== null);
    await Promise.all([hearsPrompt(to), hearsPrompt(second)]);
    expect(stateOf(await backend.ask(id, 'hold')), 'repeatable').to.equal('answered/on-hold');
    await backend.ask(id, 'unhold');
    await Promise.all([hearsNow(to, phoneToneHz(second)), hearsNow(second, phoneToneHz(to))]);
    // Faster than any word of Asterisk: the last one counts.
    for (let round = 0; round < 5; round += 1)
      await Promise.all([backend.ask(id, 'hold'), backend.ask(id, 'unhold')]).catch(() => undefined);
    await backend.ask(id, 'unhold').catch(() => undefined);
    await Promise.all([hearsNow(to, phoneToneHz(second)), hearsNow(second, phoneToneHz(to))]);
  });

  it('TEL-10 transfers: both hear the prompt, the new one takes over, the former one is let go', async () => {
    const [to, former, next] = [newCallee('00', 1), newCallee('00', 4), newCallee('33', 6)];
    const { id } = await backend.call(to, { bridgeTo: former });
    await heardAt(gateway, to, phoneToneHz(former));
    const asked = await backend.ask(id, 'transfer', { to: next });
    expect(stateOf(asked)).to.equal('answered/transferring');
    await Promise.all([hearsPrompt(to), hearsPrompt(former)]);
    await Promise.all([heardAt(gateway, to, phoneToneHz(next)), heardAt(gateway, next, phoneToneHz(to))]);
    expect((await callTo(gateway, former, ({ state }) => state === 'ended')).byeBy).to.equal('gateway');
    const view = await backend.view(id);
    expect(stateOf(view)).to.equal('answered/joined');
    expect(view.bridgeTo).to.deep.equal([former, next]);
  });

  it('TEL-10 joins the former two again when the new one is busy', async () => {
    const [to, former, busy] = [newCallee('00', 1), newCallee('00', 4), newCallee('46', 6)];
    const { id } = await backend.call(to, { bridgeTo: former });
    await heardAt(gateway, to, phoneToneHz(former));
    await backend.ask(id, 'transfer', { to: busy });
    await callTo(gateway, busy, ({ finalStatus }) => finalStatus === 486);
    await backend.when(id, 'answered/joined');
    await Promise.all([hearsNow(to, phoneToneHz(former)), hearsNow(former, phoneToneHz(to))]);
  });

  it('places one call for one key, however often it is asked for', async () => {
    const to = newCallee();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 8 }, () => backend.post({ to }, key)));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([
      200, 200, 200, 200, 200, 200, 200, 201,
    ]);
    expect(new Set(answers.map(({ body }) => body?.['id'])).size).to.equal(1);
    await backend.when(String(answers[0]!.body?.['id']), 'answered');
    expect(await callsTo(gateway, to)).to.have.length(1);
    const other = await backend.post({ to, ringTimeoutS: 20 }, key);
    expect([other.status, other.body?.['code']]).to.deep.equal([409, 'ERR_CALL_KEY_REUSED']);
    const replay = await backend.post({ to }, key);
    expect([replay.status, replay.body?.['state']]).to.deep.equal([200, 'answered']);
  });

  it('TEL-11 lists the telephone legs of an SOS beside those of calls', async () => {
    const district = await gateway.district();
    const citizen = await gateway.armedCitizen(district.location, { rejectWith: 488 });
    await press(citizen, district.location);
    const hers = await callTo(gateway, citizen.phone, ({ times }) => times.answeredAt !== null);
    const record = await eventually('her record', async () => {
      const { body } = await gateway.send(backend.token, 'GET', '/v1/call-records?limit=20');
      const { records } = body as unknown as { records: Awaited<ReturnType<Backend['records']>> };
      return (
        records.find(({ carrierCallId, answeredAt }) => carrierCallId === hers.callId && answeredAt) ?? null
      );
    });
    expect(record).to.deep.include({ leg: 'citizen-phone', trunk: 'sandbox', outcome: null });
    expect(record.owner.kind).to.equal('session');
    expect(record.postDialDelayMs).to.be.within(150, 3000);
    expect(record.attempts[0]).to.deep.include({ try: 1, trunk: 'sandbox', carrierCallId: hers.callId });
    expect(JSON.stringify(record)).to.not.include(citizen.phone!.slice(1));
  });

  it('refuses emergency, premium and foreign numbers, and calls nobody', async () => {
    for (const to of ['112', '+91100', '+9111100', '+911861123456789', '+12125550123', '9810012300']) {
      const answer = await backend.post({ to });
      expect([answer.status, answer.body?.['code']], to).to.deep.equal([422, 'ERR_CALL_NUMBER_REFUSED']);
    }
    await delay(200);
    expect(await gateway.carrier.fetchCalls()).to.deep.equal([]);
  });

  it('writes no number of a call into a log', async () => {
    const [to, second] = [newCallee('00', 1), newCallee('03', 4)];
    const { id } = await backend.call(to, { bridgeTo: second });
    await backend.when(id, 'ended');
    const found = foundInFiles([gateway.sandbox.controlPlane().logFile], {
      to: to.slice(3),
      second: second.slice(3),
    });
    expect(found).to.deep.equal([]);
  });
});
