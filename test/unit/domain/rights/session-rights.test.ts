/** The rule itself is short; what is tested is that the table of the documents says the same, and its edges. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import type { ZoneId } from '../../../../control-plane/src/domain/ids.ts';
import {
  isOfZones,
  judgeDeed,
  SESSION_RIGHTS,
} from '../../../../control-plane/src/domain/rights/session-rights.ts';
import type { Deed, Reach, Role } from '../../../../control-plane/src/domain/rights/session-rights.ts';
import { AKRAM, BINA, SessionScenario } from '../../../support/session-scenario.ts';

const ROLES: readonly Role[] = ['citizen', 'backend', 'operator', 'supervisor', 'admin'];
const SECURITY = resolve(import.meta.dirname, '../../../../docs/security.md');
const CENTRAL = 'central' as ZoneId;

describe('domain/rights/session-rights', () => {
  it('stands in docs/security.md as it is', () => {
    const table = /<!-- session-rights -->(.*?)<!-- \/session-rights -->/s.exec(
      readFileSync(SECURITY, 'utf8'),
    );
    const rows = (table?.[1] ?? '').split('\n').filter((line) => line.startsWith('| `'));
    const told = Object.fromEntries(
      rows.map((row) => {
        const [deed = '', ...reaches] = row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim().replaceAll('`', ''));
        return [deed, Object.fromEntries(ROLES.map((role, index) => [role, reaches[index]]))];
      }),
    );
    expect(told).to.deep.equal(SESSION_RIGHTS);
  });

  const session = new SessionScenario().activate().live;
  const judge = (deed: Deed, role: Role, subject: string, zones: readonly ZoneId[] = []) =>
    judgeDeed(deed, { role, subject, zones }, session);

  it('tells whom a session exists for, and what of it is theirs', () => {
    expect(session.assignment).to.include({ operatorId: AKRAM });
    expect(judge('see', 'operator', BINA)).to.equal('unknown');
    expect(judge('resolve', 'operator', BINA)).to.equal('unknown');
    expect(judge('resolve', 'operator', BINA, [CENTRAL])).to.equal('yes');
    expect(judge('transfer', 'operator', BINA, [CENTRAL])).to.equal('foreign');
    expect(judge('transfer', 'operator', AKRAM), 'he has her, roster or not').to.equal('yes');
    expect(judge('resolve', 'supervisor', 'chief')).to.equal('foreign');
    expect(judge('listen', 'supervisor', AKRAM), 'it is not as a supervisor that he has her').to.equal(
      'foreign',
    );
    for (const deed of ['resolve', 'redial', 'transfer', 'join'] as const)
      expect(judge(deed, 'supervisor', AKRAM), `${deed}: he has her, roster or not`).to.equal('yes');
    expect(judge('see', 'citizen', 'priya')).to.equal('yes');
    expect(judge('see', 'citizen', 'meera')).to.equal('unknown');
    expect(judge('acknowledge', 'citizen', 'priya')).to.equal('foreign');
  });

  it('lets every role see what it may do something to', () => {
    const widths: readonly Reach[] = ['none', 'hers', 'has', 'zone', 'every'];
    for (const rights of Object.values(SESSION_RIGHTS))
      for (const role of ROLES)
        expect(widths.indexOf(rights[role])).to.be.at.most(widths.indexOf(SESSION_RIGHTS.see[role]));
  });

  it('takes a session of no zone for everybody’s who is on duty', () => {
    expect(isOfZones(null, [CENTRAL])).to.equal(true);
    expect(isOfZones(null, [])).to.equal(false);
    expect(isOfZones(CENTRAL, ['north' as ZoneId])).to.equal(false);
  });
});
