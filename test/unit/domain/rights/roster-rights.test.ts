import { expect } from 'chai';
import type { Instant, OperatorId, ZoneId } from '../../../../control-plane/src/domain/ids.ts';
import { judgeRoster } from '../../../../control-plane/src/domain/rights/roster-rights.ts';
import type { Duty } from '../../../../control-plane/src/domain/rights/roster-rights.ts';

const NOW = 1_000_000 as Instant;
const CHIEF = { role: 'supervisor', subject: 'chief' } as const;

const duty = (operatorId: string, kind: Duty['duty'], change: Partial<Duty> = {}): Duty => ({
  zoneId: 'central' as ZoneId,
  operatorId: operatorId as OperatorId,
  duty: kind,
  priority: 0,
  pressToAccept: false,
  from: null,
  until: null,
  ...change,
});

const until = (at: number): Partial<Duty> => ({ until: (NOW + at) as Instant });

describe('domain/rights/roster-rights', () => {
  const akram = duty('akram', 'operator');
  const chief = duty('chief', 'supervisor', until(3600_000));

  it('lets a supervisor on duty write who is on duty beside him, and strike himself out', () => {
    expect(judgeRoster(CHIEF, [akram, chief], [duty('bina', 'operator'), chief], NOW)).to.equal(null);
    expect(judgeRoster(CHIEF, [akram, chief], [akram, duty('deputy', 'supervisor')], NOW)).to.equal(null);
  });

  it('keeps him out of a zone in which he is not on duty as a supervisor now', () => {
    const wanted = [akram, chief];
    for (const standing of [
      [],
      [akram],
      [duty('chief', 'operator')],
      [duty('chief', 'supervisor', until(0))],
      [duty('chief', 'supervisor', { from: (NOW + 1) as Instant })],
      [duty('other', 'supervisor')],
    ])
      expect(judgeRoster(CHIEF, standing, wanted, NOW)).to.equal('not-supervisor');
  });

  it('gives him no more than he has: no longer time, no other duty, no better place', () => {
    for (const own of [
      duty('chief', 'supervisor'),
      duty('chief', 'supervisor', until(7200_000)),
      duty('chief', 'operator', until(3600_000)),
      duty('chief', 'supervisor', { ...until(3600_000), priority: 7 }),
      duty('chief', 'supervisor', { ...until(3600_000), pressToAccept: true }),
      duty('chief', 'supervisor', { ...until(3600_000), from: (NOW - 1) as Instant }),
    ])
      expect(judgeRoster(CHIEF, [akram, chief], [akram, own], NOW)).to.equal('own-entry');
    expect(judgeRoster(CHIEF, [chief], [chief, duty('chief', 'operator')], NOW)).to.equal('own-entry');
  });

  it('asks a backend and an admin nothing, and lets nobody else', () => {
    for (const role of ['backend', 'admin'] as const)
      expect(judgeRoster({ role, subject: 'x' }, [], [akram], NOW)).to.equal(null);
    for (const role of ['citizen', 'operator'] as const)
      expect(judgeRoster({ role, subject: 'chief' }, [chief], [chief], NOW)).to.equal('not-supervisor');
  });
});
