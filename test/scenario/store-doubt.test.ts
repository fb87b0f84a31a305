import { expect } from 'chai';
import { decide } from '../../control-plane/src/app/decide.ts';
import type { OperatorId } from '../../control-plane/src/domain/ids.ts';
import type { SessionEvent } from '../../control-plane/src/domain/session/event.ts';
import type { Party } from '../../control-plane/src/domain/session/leg.ts';
import type { FeedRow, SessionTx } from '../../control-plane/src/ports/session-store.ts';
import { subject } from '../support/session-scenario.ts';
import {
  AKRAM,
  BINA,
  PHONE,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  ZONE,
  startCoreLab,
} from '../support/core-lab.ts';
import type { CoreLab } from '../support/core-lab.ts';

const ID = sessionIdOf(1);
const DOUBTFUL = 'record-doubtful';
/** Longer than the wait between two questions to a store that is away. */
const BACK_MS = 1500;

/** What another node decides on the store meanwhile; `first` is the duty phone that it calls first. */
async function elsewhere(
  lab: CoreLab,
  event: SessionEvent,
  first: OperatorId = AKRAM,
  id = ID,
): Promise<void> {
  await lab.memory.store.transact(async (tx) => {
    const before = await tx.load(id);
    const phones: readonly Party[] = [{ role: 'operator', operatorId: first }];
    const own: SessionTx = Object.assign(Object.create(tx) as SessionTx, {
      dutyPhones: () => Promise.resolve(phones),
      dutyOperators: () => Promise.resolve([]),
    });
    const decided = await decide(own, { before, event, personal: null }, lab.clock.now());
    if (!decided?.write) throw new Error('nothing was decided');
    await tx.apply(decided.write);
  });
}

/** Legs that ring or stand, and that the stored session knows; in both, or in one alone. */
async function disagreements(lab: CoreLab): Promise<readonly string[]> {
  const session = await lab.session();
  const believed: readonly string[] = 'legs' in session ? session.legs.map((leg) => leg.id) : [];
  const real: readonly string[] = lab.pbx.legIds;
  return [...believed.filter((id) => !real.includes(id)), ...real.filter((id) => !believed.includes(id))];
}

describe('scenario: a commit in doubt', () => {
  it('FB-2 overtaken by another press: the watchdog that was committed and not answered still rings both phones', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4990);
    lab.mood = 'mute';
    await lab.forward(20);
    // Under another key of the loop: it does not wait for the watchdog, and finds the row moved on.
    await lab.activate();
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
    await lab.forward(500);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect(lab.legs('operator-phone')).to.have.length(1);
    // Nobody answers: the ring times are the wheel's although the store had no answer to give.
    await lab.forward(BACK_MS + 25_000);
    expect(lab.ordered(`hangup ${ID}.citizen-phone.1`)).not.to.be.empty;
    expect(lab.ordered(`hangup ${ID}.operator-phone.1`)).not.to.be.empty;
    expect((await lab.eventTypes()).filter((type) => type === 'roster.chain-found')).to.have.length(1);
    expect(lab.journal.entries).to.be.empty;
  });

  it('FB-2 overtaken in memory: decided again there, and both phones ring once', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4990);
    lab.mood = 'mute';
    await lab.forward(20);
    lab.mood = 'down';
    await lab.activate();
    await lab.forward(500);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    await lab.answer('citizen-phone');
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect((await lab.live()).phase).to.equal('phone-connected');
    expect(lab.legs('citizen-phone')).to.deep.equal([`${ID}.citizen-phone.1`]);
    expect(lab.legs('operator-phone')).to.deep.equal([`${ID}.operator-phone.1`]);
    expect(await disagreements(lab)).to.be.empty;
  });
});

describe('scenario: a session that went on elsewhere', () => {
  it('FB-2 phones that this node rang for what another one had ended are hung up as soon as that is known', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.mood = 'down';
    await lab.forward(3500);
    await elsewhere(lab, { type: 'api.resolved', by: 'operator:bina' });
    await lab.forward(2000);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect(lab.legs('operator-phone')).to.have.length(1);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    const session = await lab.session();
    expect(session.phase).to.equal('resolved');
    expect(lab.pbx.legIds).to.be.empty;
    expect(await disagreements(lab)).to.be.empty;
  });

  it('FB-2 a call that came and went during the outage does not ring again at the return', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.mood = 'down';
    await lab.forward(3500);
    await elsewhere(lab, { type: 'contact.online', aor: PRIYA_AOR });
    await lab.forward(2000);
    lab.pbx.end(lab.leg('citizen-phone'), 'busy', 486);
    await lab.forward(500);
    const rung = lab.ordered(`dial ${ID}.citizen-phone`);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect(lab.ordered(`dial ${ID}.citizen-phone`)).to.deep.equal(rung);
    expect(await disagreements(lab)).to.be.empty;
  });

  it('FB-2 a duty phone that rings in the place of somebody else is hung up, and the right one is called', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4000);
    lab.mood = 'down';
    await lab.forward(900);
    await elsewhere(lab, { type: 'timer.due', timer: 'watchdog' }, BINA);
    await lab.forward(500);
    const [called] = lab.legs('operator-phone');
    expect(called).to.equal(`${ID}.operator-phone.1`);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect(lab.ordered(`hangup ${ID}.operator-phone.1`)).not.to.be.empty;
    expect(await disagreements(lab)).to.be.empty;
  });

  it('an operator is asked to look at it, once', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.mood = 'down';
    await lab.forward(3500);
    await elsewhere(lab, { type: 'contact.online', aor: PRIYA_AOR });
    await lab.forward(2000);
    const rows: FeedRow[] = [];
    lab.core.feedSource.subscribe((row) => rows.push(row));
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    const told = rows.filter(({ type, detail }) => type === 'sos.alert' && detail['kind'] === DOUBTFUL);
    expect(told.filter(({ seq }) => seq > 0)).to.have.length(1);
    expect((await lab.live()).alerts.map(({ kind }) => kind)).to.include(DOUBTFUL);
    expect(lab.journal.entries).to.be.empty;
    expect((await lab.gateway.health()).database).to.equal(true);
  });

  it('of two sessions of hers, one on each node, the stored one stands, and an operator is asked to look at it', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    await lab.forward(1000);
    const entries = [...lab.journal.entries];
    lab.kill();
    lab.journal.entries = [];
    lab.mood = 'up';
    await lab.boot();
    await lab.activate();
    lab.kill();
    lab.journal.entries = entries;
    await lab.boot();
    await lab.forward(100);
    expect(await lab.memory.store.find(ID)).to.equal(null);
    expect(lab.journal.aside).to.have.length(entries.length);
    expect((await lab.live(sessionIdOf(2))).alerts.map(({ kind }) => kind)).to.deep.equal([DOUBTFUL]);
  });

  it('FB-2 and the one that stands is served by the node that found it, deadlines and all', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    await lab.forward(500);
    // Another node takes her second press, and dies before it has called anybody.
    const other = sessionIdOf(9);
    const hers = subject({
      sessionId: other,
      citizenId: PRIYA,
      deviceId: PHONE,
      aor: PRIYA_AOR,
      zoneId: ZONE,
    });
    await elsewhere(lab, { type: 'api.activated', subject: hers, contactOnline: true }, AKRAM, other);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect(await lab.memory.store.find(ID)).to.equal(null);
    expect(lab.legs('citizen-app', ID)).to.be.empty;
    expect(lab.legs('citizen-app', other)).to.have.length(1);
    expect((await lab.live(other)).alerts.map(({ kind }) => kind)).to.include(DOUBTFUL);
    await lab.forward(5000);
    expect(lab.legs('citizen-phone', other)).to.have.length(1);
  });
});
