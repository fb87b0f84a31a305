import { expect } from 'chai';
import { TokenRevocations } from '../../../control-plane/src/app/token-revocations.ts';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import type { Caller } from '../../../control-plane/src/ports/gateway.ts';
import type { RevocationStore } from '../../../control-plane/src/ports/revocations.ts';
import { keptLog } from '../../support/kept-log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

describe('app/token-revocations', () => {
  const lab = async (change: Partial<RevocationStore> = {}) => {
    const clock = manualClock();
    const log = keptLog();
    const memory = memoryStore(() => clock.now());
    const store = { ...memory.revocations, ...change };
    const revocations = new TokenRevocations({ store, clock, log, metrics: silentMetrics });
    await revocations.start();
    return { clock, log, memory, revocations };
  };
  const until = (at: number): Instant => (at + 60_000) as Instant;
  const operator = (issuedAt: number | null, tokenId: string | null = 'laptop'): Caller => ({
    role: 'operator',
    subject: 'akram',
    tokenId,
    issuedAt: issuedAt as Instant | null,
  });

  it('shuts out one token by its id, at once on the node that was told', async () => {
    const { clock, revocations } = await lab();
    const at = clock.now();
    await revocations.revoke({ kind: 'token', tokenId: 'laptop', at, until: until(at), by: 'admin:root' });
    expect(revocations.isRevoked(operator(at))).to.equal(true);
    expect(revocations.isRevoked(operator(at, 'another'))).to.equal(false);
    expect(revocations.isRevoked(operator(at, null))).to.equal(false);
  });

  it('shuts out what somebody had before, and nobody of the same name in another role', async () => {
    const { clock, revocations } = await lab();
    const at = clock.now();
    const order = { kind: 'subject', role: 'operator', subject: 'akram', by: 'admin:root' } as const;
    await revocations.revoke({ ...order, at, until: until(at) });
    expect(revocations.isRevoked(operator(at - 1000)), 'older').to.equal(true);
    expect(revocations.isRevoked(operator(null)), 'of no known age').to.equal(true);
    expect(revocations.isRevoked(operator(at + 1000)), 'newer').to.equal(false);
    expect(revocations.isRevoked({ ...operator(at - 1000), role: 'citizen' })).to.equal(false);
  });

  it('sees within two seconds what another node wrote, and what the directory says', async () => {
    const { clock, memory, revocations } = await lab();
    const at = clock.now();
    await memory.revocations.add({
      kind: 'token',
      tokenId: 'laptop',
      at,
      until: until(at),
      by: 'admin:root',
    });
    const chand = { id: 'chand', name: 'Chand', dutyPhone: null, capacity: 1, active: false } as never;
    await memory.directory.putOperator(chand);
    await clock.advance(2000);
    expect(revocations.isRevoked(operator(at))).to.equal(true);
    expect(revocations.isRevoked({ ...operator(at, null), subject: 'chand' })).to.equal(true);
    expect(revocations.isRevoked({ role: 'citizen', subject: 'chand', tokenId: null })).to.equal(false);
  });

  it('keeps its list while the store does not answer, and says so once', async () => {
    let isUp = true;
    const { memory, ...rest } = await lab();
    const store: RevocationStore = {
      ...memory.revocations,
      read: (mark, now) => (isUp ? memory.revocations.read(mark, now) : Promise.reject(new Error('away'))),
    };
    const revocations = new TokenRevocations({ ...rest, store, metrics: silentMetrics });
    await revocations.start();
    const at = rest.clock.now();
    await revocations.revoke({ kind: 'token', tokenId: 'laptop', at, until: until(at), by: 'admin:root' });
    isUp = false;
    await rest.clock.advance(5000);
    expect(revocations.isRevoked(operator(at))).to.equal(true);
    expect(rest.log.lines.filter((line) => line.startsWith('warn'))).to.have.length(1);
  });

  it('refuses no citizen whose SOS runs, nor one of whom that cannot be known', async () => {
    const answers: (() => Promise<boolean>)[] = [
      () => Promise.resolve(true),
      () => Promise.reject(new Error('away')),
      () => Promise.resolve(false),
    ];
    const { clock, revocations } = await lab({ hasOpenSos: () => answers.shift()!() });
    const at = clock.now();
    await revocations.revoke({ kind: 'token', tokenId: 'hers', at, until: until(at), by: 'admin:root' });
    const priya: Caller = { role: 'citizen', subject: 'priya', tokenId: 'hers' };
    expect(await revocations.refuses(priya), 'while it runs').to.equal(false);
    expect(await revocations.refuses(priya), 'unknown').to.equal(false);
    expect(await revocations.refuses(priya), 'over').to.equal(true);
    expect(await revocations.refuses({ ...priya, tokenId: 'other' })).to.equal(false);
  });
});
