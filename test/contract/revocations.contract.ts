/** What is revoked, whatever keeps it. */
import { expect } from 'chai';
import type { Instant, OperatorId } from '../../control-plane/src/domain/ids.ts';
import type { Directory } from '../../control-plane/src/ports/directory.ts';
import type { RevocationOrder, RevocationStore } from '../../control-plane/src/ports/revocations.ts';
import type { SessionStore } from '../../control-plane/src/ports/session-store.ts';
import { activation, freshId, resolved, T0, write } from '../support/session-writes.ts';
import { apply, change } from './store-steps.ts';

interface Ports {
  readonly store: SessionStore;
  readonly directory: Directory;
  readonly revocations: RevocationStore;
}

const DAY_MS = 86_400_000;
const after = (ms: number): Instant => (T0 + ms) as Instant;

export function revocationsContract(name: string, open: () => Ports): void {
  describe(`RevocationStore on ${name}`, () => {
    const token = (tokenId: string, change: Partial<RevocationOrder> = {}): RevocationOrder =>
      ({
        kind: 'token',
        tokenId,
        at: T0,
        until: after(DAY_MS),
        by: 'admin:root',
        ...change,
      }) as RevocationOrder;
    const subject = (id: string, at: Instant): RevocationOrder => ({
      kind: 'subject',
      role: 'operator',
      subject: id,
      at,
      until: after(DAY_MS),
      by: 'admin:root',
    });

    it('lists a token until its time, and has another mark for each change', async () => {
      const { revocations } = open();
      const before = await revocations.read(null, T0);
      const id = freshId<string>('token');
      expect(await revocations.add(token(id))).to.equal(true);
      const read = await revocations.read(before.mark, after(1));
      expect(read.revoked).to.deep.include({ kind: 'token', tokenId: id, at: T0 });
      expect((await revocations.read(read.mark, after(2))).revoked, 'nothing new').to.equal(null);
      const later = await revocations.read(read.mark, after(DAY_MS + 1));
      expect(later.revoked?.some((one) => one.kind === 'token' && one.tokenId === id)).to.equal(false);
    });

    it('counts a person revoked again from the later time', async () => {
      const { revocations } = open();
      const id = freshId<string>('operator');
      await revocations.add(subject(id, after(10)));
      const { mark } = await revocations.read(null, T0);
      await revocations.add(subject(id, after(20)));
      const { revoked } = await revocations.read(mark, T0);
      expect(revoked?.filter((one) => one.kind === 'subject' && one.subject === id)).to.deep.equal([
        { kind: 'subject', role: 'operator', subject: id, at: after(20) },
      ]);
    });

    it('names the operators whom the directory calls inactive', async () => {
      const { revocations, directory } = open();
      const id = freshId<OperatorId>('operator');
      const operator = { id, name: id, dutyPhone: null, capacity: 1, active: false };
      await directory.putOperator(operator);
      expect((await revocations.read(null, T0)).inactive).to.include(id);
      await directory.putOperator({ ...operator, active: true });
      expect((await revocations.read(null, T0)).inactive).to.not.include(id);
    });

    it('knows whether an SOS of hers runs', async () => {
      const { revocations, store } = open();
      const { session } = await apply(store, activation());
      expect(await revocations.hasOpenSos(session.citizenId)).to.equal(true);
      await change(store, session.id, (before) => write(before, resolved(before.session)));
      expect(await revocations.hasOpenSos(session.citizenId)).to.equal(false);
    });
  });
}
