/** Twenty pairs of `make chaos`: sessions in every phase, and a process dies under all of them. */
import { expect } from 'chai';
import { FAULTS } from '../chaos/faults.ts';
import { Rig } from '../chaos/rig.ts';
import { ROLES } from '../chaos/roles.ts';
import { runFault, type RunResult } from '../chaos/run-fault.ts';

const STARTED_MS = 60_000;
const RUN_MS = 120_000;
/** Those that need no microphone of their own: enough for a second fault. */
const BY_TELEPHONE = ['queued, nobody there', 'both ringing', 'operator held', 'citizen held', 'resolving'];

describe('e2e: crash matrix', function () {
  this.timeout(RUN_MS);
  const rig = new Rig();

  before('starts a gateway that can be broken', async function () {
    this.timeout(STARTED_MS);
    await rig.start();
  });

  after('ends it', async function () {
    this.timeout(STARTED_MS);
    await rig.stop();
  });

  const expectWhole = (result: RunResult, pairs: number): void => {
    const found = result.pairs.flatMap(({ phase, objections }) =>
      objections.map((one) => `${phase}: ${one}`),
    );
    expect([...result.objections, ...found]).to.deep.equal([]);
    expect(result.pairs.filter(({ outcome }) => outcome === 'none')).to.deep.equal([]);
    expect(result.pairs).to.have.length(pairs);
  };

  const faultNamed = (name: string) => FAULTS.find((fault) => fault.name === name)!;

  it('FB-1 FB-2 RTC-7 the core is killed under sessions in every phase: each is heard again, or known as unheard', async () => {
    expectWhole(await runFault(rig, faultNamed('core killed')), ROLES.length);
  });

  it('FB-2 FB-6 RTC-9 Asterisk is killed under calls that ring, wait, end: nothing is lost, nobody is called twice', async () => {
    const roles = ROLES.filter(({ phase }) => BY_TELEPHONE.includes(phase));
    expectWhole(await runFault(rig, faultNamed('Asterisk killed'), roles), BY_TELEPHONE.length);
  });
});
