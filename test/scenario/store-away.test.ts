import { expect } from 'chai';
import { citizenAor } from '../../control-plane/src/domain/ids.ts';
import type { Session } from '../../control-plane/src/domain/session/session.ts';
import type { FeedRow } from '../../control-plane/src/ports/session-store.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  BACKEND,
  BINA,
  MEERA,
  PHONE,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  startCoreLab,
} from '../support/core-lab.ts';
import type { CoreLab, StoreMood } from '../support/core-lab.ts';

const ID = sessionIdOf(1);
/** Longer than the wait between two questions to a store that is away. */
const BACK_MS = 1500;

/** The store and what was told are the same story: nothing is missing, nothing is told twice under one number. */
function tell(lab: CoreLab): FeedRow[] {
  const rows: FeedRow[] = [];
  lab.core.feedSource.subscribe((row) => rows.push(row));
  return rows;
}

function numbered(rows: readonly FeedRow[]): number[] {
  return rows.map(({ seq }) => seq).filter((seq) => seq > 0);
}

async function stored(lab: CoreLab, id = ID): Promise<Session | null> {
  return (await lab.memory.store.find(id))?.session ?? null;
}

describe('scenario: the store is away', () => {
  const ways: readonly StoreMood[] = ['down', 'silent', 'read-only'];
  for (const mood of ways) {
    it(`RTC-1 FB-2 an activation while it is ${mood}: app and operator are called, then both phones`, async () => {
      const lab = await startCoreLab();
      await lab.beginShift(AKRAM);
      await lab.connect(PRIYA_AOR);
      const rows = tell(lab);
      lab.mood = mood;
      const pressed = lab.gateway.activate(lab.request({ idempotencyKey: 'key-1' }));
      // RTC-1: the first SOS that finds it silent pays for that, and keeps its 500 ms.
      await lab.forward(450);
      expect(lab.legs('citizen-app')).to.have.length(1);
      expect(lab.legs('operator-app')).to.have.length(1);
      expect(await pressed).to.have.nested.property('value.id', ID);
      expect(rows.map(({ type }) => type)).to.include.members(['sos.activated', 'sos.assigned']);
      expect(numbered(rows)).to.be.empty;
      expect(rows[0]?.location).to.include({ latitude: 28.6139 });
      await lab.forward(4550);
      expect(lab.legs('citizen-phone')).to.have.length(1);
      expect(lab.legs('operator-phone')).to.have.length(1);
      await lab.answer('citizen-phone');
      await lab.answer('operator-phone');
      expect(lab.ordered(`join ${ID}.phone`)).to.have.length(2);
      expect(await stored(lab)).to.equal(null);
      lab.mood = 'up';
      await lab.forward(BACK_MS);
      const session = await lab.live();
      expect(session.phase).to.equal('phone-connected');
      expect(session.fallback?.initiatedAt).to.equal(1_000_000 + 5000);
      expect(await lab.eventTypes()).to.include.members(['api.activated', 'timer.due', 'pbx.answered']);
      expect(lab.journal.entries).to.be.empty;
      // Every change came again with its number, in order and none missing.
      const kept = await lab.memory.store.feedAfter(0, 100);
      expect(numbered(rows)).to.deep.equal(kept.map(({ seq }) => seq));
      const provisional = rows.filter(({ seq }) => seq === 0);
      expect(rows.filter(({ seq }) => seq > 0).map(named)).to.include.members(provisional.map(named));
    });
  }

  it('FB-2 a commit that happened and was never answered is known when the store is back', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    const rows = tell(lab);
    lab.mood = 'mute';
    const pressed = lab.gateway.activate(lab.request());
    await lab.forward(450);
    expect(await pressed).to.have.property('ok', true);
    expect(lab.ordered(`dial ${ID}.citizen-app`)).to.have.length(1);
    await lab.forward(BACK_MS);
    expect((await lab.eventTypes()).filter((type) => type === 'api.activated')).to.have.length(1);
    expect(numbered(rows)).to.deep.equal(numbered(rows).map((_, index) => index + 1));
    expect(numbered(rows)).not.to.be.empty;
    await lab.forward(5000);
    expect(lab.ordered(`dial ${ID}.citizen-phone`)).to.have.length(1);
  });

  it('FB-2 an outage of hours: calls, redial, end, and a second SOS, all in order at the return', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.mood = 'down';
    await lab.forward(5000);
    await lab.answer('citizen-phone');
    await lab.answer('operator-phone');
    await lab.forward(3_700_000);
    expect(await lab.gateway.resolve(asOperator(AKRAM), ID, null)).to.have.property('ok', true);
    await lab.forward(1000);
    expect(lab.legs('citizen-phone')).to.be.empty;
    expect(await lab.gateway.view(asCitizen(PRIYA), ID)).to.have.nested.property('value.phase', 'resolved');
    await lab.activate();
    await lab.forward(1000);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect(await stored(lab)).to.have.property('phase', 'resolved');
    expect(await lab.eventTypes()).to.include('timer.due');
    expect(await lab.live(sessionIdOf(2))).to.have.property('phase', 'connecting');
    expect(lab.journal.entries).to.be.empty;
  });

  it('counts operators in memory: nobody is given more than there is room for, before and after', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.beginShift(BINA);
    const other = citizenAor(MEERA, PHONE);
    await lab.connect(PRIYA_AOR);
    await lab.connect(other);
    lab.mood = 'down';
    await lab.activate();
    await lab.activate({ citizenId: MEERA });
    const operators = [await lab.gateway.view(BACKEND, ID), await lab.gateway.view(BACKEND, sessionIdOf(2))];
    expect(operators.map((view) => view.ok && view.value.operatorId)).to.deep.equal([AKRAM, BINA]);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect((await lab.live(sessionIdOf(2))).assignment).to.include({ operatorId: BINA });
  });

  it('RTC-5 a shift that begins while it is away takes the queue, and the store learns of it afterwards', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    expect(lab.legs('operator-app')).to.be.empty;
    await lab.beginShift(AKRAM);
    expect(lab.legs('operator-app')).to.have.length(1);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    const onDuty = await lab.memory.store.transact((tx) => tx.dutyOperators(null, lab.clock.now()));
    expect(onDuty.find(({ operatorId }) => operatorId === AKRAM)).to.include({ load: 1 });
    expect(onDuty.find(({ operatorId }) => operatorId === AKRAM)?.aor).not.to.equal(null);
  });

  it('a press again, under the same key and under another body, is folded while it is away', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate({ idempotencyKey: 'k', bodyHash: 'one' });
    const again = await lab.activate({ idempotencyKey: 'k', bodyHash: 'two' });
    expect(again).to.include({ id: ID, folded: true });
    expect(again.flags).to.include('idempotency-key-reused');
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    const claimed = await lab.memory.store.transact((tx) => tx.claimIdempotencyKey(PRIYA, 'k', 'one', ID));
    expect(claimed).to.deep.equal({ seen: 'same', sessionId: ID });
  });

  it('FB-2 killed while it is away: the journal goes to the store before the engine is asked and timers fire', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    await lab.forward(1000);
    lab.kill();
    lab.mood = 'up';
    expect(await stored(lab)).to.equal(null);
    await lab.forward(6000);
    await lab.boot();
    await lab.forward(400);
    // One leg, as before the kill; the overdue watchdog has called the phones.
    expect(lab.ordered(`dial ${ID}.citizen-app.1`)).to.have.length(1);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
    expect(lab.journal.entries).to.be.empty;
  });

  it('FB-2 killed between journal and dial: the next start dials', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4990);
    lab.mood = 'down';
    const keep = lab.journal.append.bind(lab.journal);
    lab.journal.append = (entry) => {
      void keep(entry);
      lab.kill();
      return new Promise(() => undefined);
    };
    await lab.forward(20);
    expect(lab.legs('citizen-phone')).to.be.empty;
    expect(lab.journal.entries).to.have.length(1);
    lab.journal.append = keep;
    lab.mood = 'up';
    await lab.boot();
    await lab.forward(100);
    expect(lab.ordered(`dial ${ID}.citizen-phone.1`)).to.have.length(1);
    expect(lab.ordered(`dial ${ID}.operator-phone.1`)).to.have.length(1);
  });

  it('killed after the store took the journal and before the file was cleared: nothing is written twice', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    await lab.forward(1000);
    const kept = [...lab.journal.entries];
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    const before = await lab.eventTypes();
    lab.kill();
    lab.journal.entries = kept;
    await lab.boot();
    expect(await lab.eventTypes()).to.deep.equal(before);
    expect(lab.journal.entries).to.be.empty;
  });

  for (const disk of ['full', 'broken', 'stuck'] as const) {
    it(`FB-2 with a journal that is ${disk}, she is served all the same, and the store gets it all`, async () => {
      const lab = await startCoreLab();
      await lab.connect(PRIYA_AOR);
      lab.mood = 'down';
      lab.journal.mood = disk;
      const pressed = lab.gateway.activate(lab.request());
      await lab.forward(300);
      expect(await pressed).to.have.property('ok', true);
      expect(lab.legs('citizen-app')).to.have.length(1);
      expect((await lab.gateway.health()).journal).to.deep.equal({ entries: 1, durable: false });
      await lab.forward(6000);
      expect(lab.legs('citizen-phone')).to.have.length(1);
      lab.mood = 'up';
      await lab.forward(BACK_MS);
      expect((await lab.live()).phase).to.equal('phone-fallback-active');
    });
  }

  it('what another node moved on meanwhile is decided anew from what the store holds', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.mood = 'down';
    await lab.forward(3500);
    const elsewhere = await lab.memory.store.find(ID);
    await lab.memory.store.transact(async (tx) => {
      const before = await tx.load(ID);
      if (!before || !elsewhere) throw new Error('no session');
      const at = lab.clock.now();
      const event = { type: 'roster.changed' } as const;
      const events = [{ event, at, personal: null }];
      const nothing = { timersSet: [], timersCleared: [], legs: [], feed: [], outbox: [] };
      await tx.apply({ ...nothing, before, after: before.session, at, events });
    });
    await lab.forward(2000);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    const session = await lab.live();
    expect(session.phase).to.equal('phone-fallback-active');
    expect((await lab.eventTypes()).filter((type) => type === 'roster.changed')).to.have.length(1);
    expect(lab.ordered(`dial ${ID}.citizen-phone.1`).length).to.be.at.least(1);
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });

  it('shows panels what stands, and says that the database is away', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    expect(await lab.core.feedSource.zonesOf(AKRAM)).to.have.length(1);
    const { sessions, seq } = await lab.core.feedSource.snapshot(null);
    expect(sessions.map(({ id }) => id)).to.deep.equal([ID]);
    expect(seq).to.equal(0);
    expect(await lab.core.feedSource.after(0, 10)).to.have.property('tooOld', true);
    expect((await lab.gateway.health()).database).to.equal(false);
    const expiresAt = (lab.clock.now() + 30_000) as ReturnType<typeof lab.clock.now>;
    const grant = {
      role: 'operator',
      subject: AKRAM,
      purpose: 'feed',
      deviceId: null,
      tokenId: null,
    } as const;
    const ticket = await lab.core.tickets.issue(grant, expiresAt);
    expect(await lab.core.tickets.redeem(ticket, 'feed', lab.clock.now())).to.deep.equal(grant);
    expect(await lab.core.tickets.redeem(ticket, 'feed', lab.clock.now()).catch(() => null)).to.equal(null);
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect((await lab.core.feedSource.after(0, 100)).rows.length).to.be.greaterThan(0);
  });

  it('finds out by itself that the store has gone quiet, before an SOS does', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.forward(2000);
    lab.mood = 'silent';
    await lab.forward(1100);
    const pressed = lab.gateway.activate(lab.request());
    await lab.forward(0);
    expect(await pressed).to.have.property('ok', true);
    expect(lab.legs('citizen-app')).to.have.length(1);
  });
});

function named({ sessionSeq, type }: FeedRow): string {
  return `${sessionSeq} ${type}`;
}
