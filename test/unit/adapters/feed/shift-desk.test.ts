import { expect } from 'chai';
import { ShiftDesk, type ShiftHolder } from '../../../../control-plane/src/adapters/feed/shift-desk.ts';
import type { AddressOfRecord, OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { silentLog } from '../../../support/silent-log.ts';

const AKRAM = 'akram' as OperatorId;
const AOR = 'operator-akram-desk' as AddressOfRecord;

function lab() {
  const clock = manualClock();
  const told: boolean[] = [];
  const state = { gate: Promise.resolve(), failures: 0, running: 0, overlapped: false };
  const gateway = {
    shift: async (_operator: OperatorId, _aor: AddressOfRecord, onShift: boolean): Promise<void> => {
      state.running += 1;
      state.overlapped ||= state.running > 1;
      told.push(onShift);
      try {
        await state.gate;
        if (state.failures > 0) {
          state.failures -= 1;
          throw new Error('the database is down');
        }
      } finally {
        state.running -= 1;
      }
    },
  };
  const desk = new ShiftDesk({ gateway, clock, log: silentLog, retryMs: 1000, maxRetries: 5 });
  return { clock, told, state, desk };
}

function holder(): ShiftHolder & { taken: number } {
  const self = { taken: 0, shiftTaken: () => void (self.taken += 1) };
  return self;
}

describe('adapters/feed shift-desk', () => {
  it('tells begin and end once each', async () => {
    const { desk, told } = lab();
    const panel = holder();
    await desk.begin(AKRAM, AOR, panel);
    expect(desk.holds(AOR, panel)).to.equal(true);
    await desk.end(AOR, panel);
    await desk.end(AOR, panel);
    expect(desk.holds(AOR, panel)).to.equal(false);
    expect(told).to.deep.equal([true, false]);
  });

  it('ignores the end of a connection whose shift went on in another', async () => {
    const { desk, told } = lab();
    const old = holder();
    const newer = holder();
    await desk.begin(AKRAM, AOR, old);
    await desk.begin(AKRAM, AOR, newer);
    await desk.end(AOR, old);
    expect(old.taken).to.equal(1);
    expect(newer.taken).to.equal(0);
    expect(desk.holds(AOR, newer)).to.equal(true);
    expect(told).to.deep.equal([true, true]);
  });

  it('tells things about one address one after the other, the last word last', async () => {
    const { desk, told, state } = lab();
    const open = Promise.withResolvers<undefined>();
    state.gate = open.promise;
    const first = holder();
    const second = holder();
    const all = [desk.begin(AKRAM, AOR, first), desk.end(AOR, first), desk.begin(AKRAM, AOR, second)];
    open.resolve(undefined);
    await Promise.all(all);
    expect(state.overlapped).to.equal(false);
    expect(told.at(-1)).to.equal(true);
    expect(desk.holds(AOR, second)).to.equal(true);
  });

  it('repeats an end until it is heard', async () => {
    const { desk, told, state, clock } = lab();
    const panel = holder();
    await desk.begin(AKRAM, AOR, panel);
    state.failures = 3;
    const ended = desk.end(AOR, panel);
    await clock.advance(2999);
    expect(told).to.deep.equal([true, false, false, false]);
    await clock.advance(1);
    await ended;
    expect(told).to.deep.equal([true, false, false, false, false]);
    expect(clock.waiting).to.equal(0);
  });

  it('stops repeating an end when the shift begins anew', async () => {
    const { desk, told, state, clock } = lab();
    const panel = holder();
    const again = holder();
    await desk.begin(AKRAM, AOR, panel);
    state.failures = 1;
    const ended = desk.end(AOR, panel);
    await clock.advance(0);
    const begun = desk.begin(AKRAM, AOR, again);
    await clock.advance(5000);
    await Promise.all([ended, begun]);
    expect(told).to.deep.equal([true, false, true]);
  });

  it('gives up at last, so that nothing waits for ever', async () => {
    const { desk, told, state, clock } = lab();
    const panel = holder();
    await desk.begin(AKRAM, AOR, panel);
    state.failures = 1000;
    const ended = desk.end(AOR, panel);
    await clock.advance(60_000);
    await ended;
    expect(told).to.have.length(1 + 6);
    await desk.settled();
  });

  it('takes back a begin whose outcome is unknown', async () => {
    const { desk, told, state } = lab();
    const panel = holder();
    state.failures = 1;
    const failed = await desk.begin(AKRAM, AOR, panel).then(
      () => false,
      () => true,
    );
    await desk.settled();
    expect(failed).to.equal(true);
    expect(desk.holds(AOR, panel)).to.equal(false);
    expect(told).to.deep.equal([true, false]);
  });
});
