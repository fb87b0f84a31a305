/** The use cases of calls with answers that a test sets: it records what it was asked, in order. */
import { worldPlans } from '../../control-plane/src/adapters/numbering/world-plans.ts';
import { NumberJudge } from '../../control-plane/src/app/calls/number-judge.ts';
import type { CallRecordView, CallView } from '../../control-plane/src/contracts/call-api.ts';
import type { CallRequest, Calls, CallsResult } from '../../control-plane/src/ports/calls.ts';

export const CALL_ID = '0b6f1f3e-5a7c-4b0c-9d2e-7a1f6a1f0a22';

export const SAMPLE_CALL: CallView = {
  id: CALL_ID,
  state: 'queued',
  talk: 'none',
  seq: 1,
  createdAt: '2026-01-02T03:04:05.678Z',
  answeredAt: null,
  endedAt: null,
  durationS: null,
  reason: null,
  code: null,
  purpose: 'call',
  to: '+919810012300',
  bridgeTo: ['+919810012400'],
  callerId: null,
  bridgeWhen: 'answered',
  ringTimeoutS: 30,
  maxDurationS: 14_400,
  metadata: { case: '4711' },
  legs: [{ legId: `${CALL_ID}.call-to.1`, leg: 'call-to', place: 0, state: 'waiting', trunk: null }],
};

export class FakeCalls implements Calls {
  /** Name of the use case and its arguments. */
  readonly asked: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  created: CallsResult<{ readonly call: CallView; readonly isNew: boolean }> = {
    ok: true,
    value: { call: SAMPLE_CALL, isNew: true },
  };
  viewed: CallsResult<CallView> = { ok: true, value: SAMPLE_CALL };
  listed: CallsResult<readonly CallView[]> = { ok: true, value: [SAMPLE_CALL] };
  recorded: readonly CallRecordView[] = [];
  readonly #judge = new NumberJudge(worldPlans, { countries: ['IN'], numbers: [] });

  argsOf(name: string): readonly (readonly unknown[])[] {
    return this.asked.filter((one) => one.name === name).map(({ args }) => args);
  }

  /** The last call that was asked for. */
  get request(): CallRequest {
    const [, request] = this.argsOf('create').at(-1) ?? [];
    if (!request) throw new Error('no call was asked for');
    return request as CallRequest;
  }

  #answer<T>(name: string, args: readonly unknown[], value: T): Promise<T> {
    this.asked.push({ name, args });
    return Promise.resolve(value);
  }

  create: Calls['create'] = (...args) => this.#answer('create', args, this.created);
  view: Calls['view'] = (...args) => this.#answer('view', args, this.viewed);
  list: Calls['list'] = (...args) => this.#answer('list', args, this.listed);
  hangUp: Calls['hangUp'] = (...args) => this.#answer('hangUp', args, this.viewed);
  hold: Calls['hold'] = (...args) => this.#answer('hold', args, this.viewed);
  unhold: Calls['unhold'] = (...args) => this.#answer('unhold', args, this.viewed);
  transfer: Calls['transfer'] = (...args) => this.#answer('transfer', args, this.viewed);
  records: Calls['records'] = (...args) => this.#answer('records', args, this.recorded);
  registrationRefusal: Calls['registrationRefusal'] = (number) => this.#judge.registrationRefusal(number);
}
