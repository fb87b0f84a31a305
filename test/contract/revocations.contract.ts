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

    it("RTC-10 whoever has one supervisor's token fills the list for nobody else", async () => {
      const { revocations } = open();
      const thief = `supervisor:${freshId<string>('thief')}`;
      const taken = async (order: (n: number) => RevocationOrder): Promise<number> => {
        const results: boolean[] = [];
        for (let from = 0; from < 1_020; from += 20)
          results.push(
            ...(await Promise.all(Array.from({ length: 20 }, (_, n) => revocations.add(order(from + n))))),
          );
        return results.filter(Boolean).length;
      };
      const run = freshId<string>('run');
      expect(await taken((n) => token(`${run} ${String(n)}`, { by: thief }))).to.be.within(1_000, 1_020 - 1);
      const persons = await taken((n) => ({ ...subject(`${run}${String(n)}`, T0), by: thief }));
      expect(persons).to.be.within(1_000, 1_020 - 1);
      const order = subject(freshId<string>('operator'), T0);
      expect(await revocations.add({ ...order, by: thief }), 'full for himself').to.equal(false);
      expect(await revocations.add(token(`${run} 0`, { by: thief })), 'what stands is renewed').to.equal(
        true,
      );
      expect(await revocations.add({ ...order, by: 'supervisor:chief' })).to.equal(true);
      expect(await revocations.add(token(freshId<string>('token'), { by: 'supervisor:chief' }))).to.equal(
        true,
      );
    });

    it('has room again once what stood is over', async () => {
      const { revocations } = open();
      const by = `supervisor:${freshId<string>('busy')}`;
      const run = freshId<string>('run');
      for (let from = 0; from < 1_000; from += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            revocations.add(token(`${run} ${String(from + n)}`, { by, until: after(1_000) })),
          ),
        );
      const late = token(freshId<string>('token'), { by });
      expect(await revocations.add(late)).to.equal(false);
      expect(await revocations.add({ ...late, at: after(2_000) })).to.equal(true);
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
