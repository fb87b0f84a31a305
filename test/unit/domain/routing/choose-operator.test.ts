import { expect } from 'chai';
import type { AddressOfRecord, Instant, OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import { chooseOperator } from '../../../../control-plane/src/domain/routing/choose-operator.ts';
import type { FreeOperator } from '../../../../control-plane/src/domain/routing/choose-operator.ts';

const operator = (id: string, change: Partial<FreeOperator> = {}): FreeOperator => ({
  operatorId: id as OperatorId,
  aor: `operator-${id}-panel1` as AddressOfRecord,
  capacity: 1,
  load: 0,
  idleSince: 0 as Instant,
  priority: 0,
  ...change,
});
const chosen = (candidates: readonly FreeOperator[], exclude: readonly string[] = [], waiting = 0) =>
  chooseOperator(candidates, exclude as readonly OperatorId[], waiting)?.operatorId ?? null;

describe('domain/routing/choose-operator', () => {
  it('RTC-5 takes the first place of the roster, then the least loaded, then who was idle longest', () => {
    const late = { idleSince: 9 as Instant };
    expect(chosen([operator('a', { priority: 2 }), operator('b', { priority: 1, ...late })])).to.equal('b');
    expect(chosen([operator('a', { capacity: 3, load: 1 }), operator('b', late)])).to.equal('b');
    expect(chosen([operator('a', late), operator('b')])).to.equal('b');
    expect(chosen([operator('b'), operator('a')])).to.equal('a');
  });

  it('RTC-5 takes nobody who is full, absent, or was tried', () => {
    expect(chosen([operator('a', { load: 1 }), operator('b', { aor: null })])).to.equal(null);
    expect(chosen([operator('a'), operator('b')], ['a'])).to.equal('b');
  });

  it('RTC-5 leaves to those who waited before whatever room there is for them', () => {
    const two = [operator('a'), operator('b', { capacity: 2 })];
    expect(chosen(two, [], 2)).to.equal('a');
    expect(chosen(two, [], 3)).to.equal(null);
    expect(chosen([...two, operator('c', { aor: null })], [], 3), 'who is absent is no room').to.equal(null);
    expect(chosen([...two, operator('c')], ['c'], 3), 'nor who was tried').to.equal(null);
  });
});
