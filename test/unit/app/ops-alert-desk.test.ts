import { expect } from 'chai';
import { OpsAlertDesk } from '../../../control-plane/src/app/ops-alert-desk.ts';
import type { OpsAlertView } from '../../../control-plane/src/contracts/alert-api.ts';
import { AlertError } from '../../../control-plane/src/ports/ops-alerts.ts';
import type {
  AlertSender,
  OpsAlert,
  OpsAlertNews,
  OpsAlertRecord,
  OpsAlertStore,
} from '../../../control-plane/src/ports/ops-alerts.ts';
import { StoreError } from '../../../control-plane/src/ports/session-store.ts';
import { manualClock, type ManualClock } from '../../support/manual-clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

const TATA: OpsAlert = { kind: 'trunk-down', subject: 'tata', severity: 'critical', summary: 'Down.' };
const QUARTER_MS = 900_000;

class Channel implements AlertSender {
  readonly resendMs = null;
  readonly told: string[] = [];
  works = true;
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  send(news: readonly OpsAlertNews[]): Promise<void> {
    if (!this.works) return Promise.reject(new AlertError('ERR_ALERT_UNREACHABLE', 'no answer'));
    this.told.push(...news.map(({ what, record }) => `${what} ${record.subject}`));
    return Promise.resolve();
  }
  close(): void {
    // Nothing stays open.
  }
}

class Store implements OpsAlertStore {
  readonly rows = new Map<string, OpsAlertRecord>();
  mood: 'up' | 'down' | 'silent' = 'up';
  #guarded<T>(work: () => T): Promise<T> {
    if (this.mood === 'silent') return new Promise(() => undefined);
    if (this.mood === 'down') return Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'down'));
    return Promise.resolve(work());
  }
  load(): Promise<readonly OpsAlertRecord[]> {
    return this.#guarded(() => [...this.rows.values()]);
  }
  save(records: readonly OpsAlertRecord[]): Promise<void> {
    return this.#guarded(() => records.forEach((record) => this.rows.set(record.id, record)));
  }
}

describe('app/ops-alert-desk', () => {
  let clock: ManualClock;
  let ids = 0;
  beforeEach(() => {
    clock = manualClock();
  });

  function desk(...channels: readonly Channel[]): OpsAlertDesk {
    return new OpsAlertDesk({
      senders: channels,
      repeatMs: QUARTER_MS,
      newId: () => `id${(ids += 1)}`,
      clock,
      log: silentLog,
      metrics: silentMetrics,
    });
  }

  it('TEL-8: tells every channel at once, again each quarter of an hour until somebody cares, and when it is over', async () => {
    const [web, mail] = [new Channel('webhook-1'), new Channel('mail')];
    const alerts = desk(web, mail);
    alerts.raise(TATA);
    await clock.advance(2 * QUARTER_MS);
    alerts.acknowledge(alerts.standing()[0]!.id, 'chief');
    await clock.advance(4 * QUARTER_MS);
    alerts.resolve('trunk-down', 'tata');
    await clock.advance(0);
    for (const { told } of [web, mail])
      expect(told).to.deep.equal(['raised tata', 'repeated tata', 'repeated tata', 'resolved tata']);
  });

  it('TEL-8: a channel that is dead delays no other, and hears of it later', async () => {
    const [dead, mail] = [new Channel('webhook-1'), new Channel('mail')];
    dead.works = false;
    const alerts = desk(dead, mail);
    alerts.raise(TATA);
    await clock.advance(0);
    expect(mail.told).to.deep.equal(['raised tata']);
    await clock.advance(20_000);
    expect(alerts.channels()).to.deep.equal([
      { name: 'webhook-1', failing: 'ERR_ALERT_UNREACHABLE' },
      { name: 'mail', failing: null },
    ]);
    dead.works = true;
    await clock.advance(60_000);
    expect(dead.told).to.deep.equal(['raised tata']);
  });

  it('TEL-8: works whole while the database is away, and writes it all down once it is back', async () => {
    const mail = new Channel('mail');
    const alerts = desk(mail);
    const store = new Store();
    store.mood = 'down';
    void alerts.keepIn(store);
    alerts.raise({ ...TATA, subject: 'down' });
    await clock.advance(60_000);
    store.mood = 'silent';
    alerts.raise({ ...TATA, subject: 'silent' });
    await clock.advance(60_000);
    alerts.acknowledge(alerts.standing()[0]!.id, 'chief');
    alerts.resolve('trunk-down', 'silent');
    await clock.advance(60_000);
    expect(mail.told).to.deep.equal(['raised down', 'raised silent', 'resolved silent']);
    expect(store.rows.size).to.equal(0);
    store.mood = 'up';
    await clock.advance(120_000);
    expect(
      [...store.rows.values()].map(({ subject, acknowledged }) => [subject, acknowledged?.by]),
    ).to.deep.equal([
      ['down', 'chief'],
      ['silent', undefined],
    ]);
  });

  it('TEL-8: after a restart nobody is called again for what stood, and who cares for it is still known', async () => {
    const store = new Store();
    const first = desk(new Channel('mail'));
    await first.keepIn(store);
    first.raise(TATA);
    first.acknowledge(first.standing()[0]!.id, 'chief');
    await clock.advance(1000);
    const mail = new Channel('mail');
    const second = desk(mail);
    await second.keepIn(store);
    second.raise(TATA);
    await clock.advance(2 * QUARTER_MS);
    expect(mail.told).to.deep.equal([]);
    expect(second.standing()[0]?.acknowledged?.by).to.equal('chief');
  });

  it('what stood before a restart and is not raised again within two minutes is over, and said to be', async () => {
    const store = new Store();
    const first = desk();
    await first.keepIn(store);
    first.raise(TATA);
    await clock.advance(1000);
    const mail = new Channel('mail');
    const second = desk(mail);
    await second.keepIn(store);
    expect(second.standing()).to.have.length(1);
    await clock.advance(120_000);
    expect(mail.told).to.deep.equal(['resolved tata']);
    await clock.advance(1000);
    expect([...store.rows.values()].map(({ resolvedAt }) => resolvedAt !== null)).to.deep.equal([true]);
  });

  it('TEL-8: what is minded stands after a restart until nobody minds it, and is asked for as long', async () => {
    const store = new Store();
    const first = desk();
    await first.keepIn(store);
    first.raise(TATA);
    first.raise({ ...TATA, kind: 'trunk-success-rate' });
    await clock.advance(1000);
    const mail = new Channel('mail');
    const second = desk(mail);
    let isMinded = true;
    await second.keepIn(store, { 'trunk-down': ({ subject }) => subject === 'tata' && isMinded });
    await clock.advance(600_000);
    expect(second.standing().map(({ kind }) => kind)).to.deep.equal(['trunk-down']);
    isMinded = false;
    await clock.advance(120_000);
    expect(second.standing()).to.deep.equal([]);
    expect(mail.told).to.deep.equal(['resolved tata', 'resolved tata']);
    await clock.advance(2 * QUARTER_MS);
    expect(mail.told).to.have.length(2);
  });

  it('TEL-8: what came well while the past could not be read is told to be over once it can', async () => {
    const store = new Store();
    const first = desk();
    await first.keepIn(store);
    first.raise(TATA);
    await clock.advance(1000);
    store.mood = 'down';
    const mail = new Channel('mail');
    const second = desk(mail);
    await second.keepIn(store, { 'trunk-down': () => true });
    await clock.advance(5000);
    second.resolve('trunk-down', 'tata');
    store.mood = 'up';
    await clock.advance(15_000);
    expect(mail.told).to.deep.equal(['resolved tata']);
    await clock.advance(1000);
    expect([...store.rows.values()].map(({ resolvedAt }) => resolvedAt !== null)).to.deep.equal([true]);
  });

  it('lists the newest first, by state, page by page; what is not known any more has nothing after it', async () => {
    const alerts = desk();
    for (let index = 0; index < 5; index += 1) {
      alerts.raise({ ...TATA, subject: `t${index}` });
      await clock.advance(1000);
    }
    alerts.resolve('trunk-down', 't3');
    const list = (more: Partial<Parameters<OpsAlertDesk['list']>[0]> = {}): readonly OpsAlertView[] =>
      alerts.list({ state: null, before: null, limit: 10, ...more });
    const subjects = (views: readonly OpsAlertView[]): string[] => views.map(({ subject }) => subject);
    expect(subjects(list())).to.deep.equal(['t4', 't3', 't2', 't1', 't0']);
    expect(subjects(list({ state: 'standing' }))).to.deep.equal(['t4', 't2', 't1', 't0']);
    expect(subjects(list({ state: 'resolved' }))).to.deep.equal(['t3']);
    const page = list({ limit: 2 });
    expect(subjects(page)).to.deep.equal(['t4', 't3']);
    expect(subjects(list({ before: page[1]!.id, limit: 2 }))).to.deep.equal(['t2', 't1']);
    expect(list({ before: 'unknown' })).to.deep.equal([]);
  });

  it('tells who watches of each change, repetitions and acknowledgements included', async () => {
    const alerts = desk();
    const seen: string[] = [];
    const stop = alerts.watch(({ state, acknowledged }) => seen.push(`${state} ${acknowledged?.by ?? '-'}`));
    alerts.raise(TATA);
    await clock.advance(QUARTER_MS);
    alerts.acknowledge(alerts.standing()[0]!.id, 'chief');
    alerts.resolve('trunk-down', 'tata');
    stop();
    alerts.raise(TATA);
    expect(seen).to.deep.equal(['standing -', 'standing -', 'standing chief', 'resolved chief']);
  });

  it('refuses to acknowledge what is over or never was', () => {
    const alerts = desk();
    alerts.raise(TATA);
    const { id } = alerts.standing()[0]!;
    alerts.resolve('trunk-down', 'tata');
    expect(alerts.acknowledge(id, 'chief')).to.deep.equal({ ok: false, code: 'ERR_ALERT_RESOLVED' });
    expect(alerts.acknowledge('other', 'chief')).to.deep.equal({ ok: false, code: 'ERR_ALERT_NOT_FOUND' });
  });

  it('leaves no timer behind', async () => {
    const alerts = desk(new Channel('mail'));
    await alerts.keepIn(new Store());
    alerts.raise(TATA);
    await clock.advance(1000);
    await alerts.close(1000);
    expect(clock.waiting).to.equal(0);
  });
});
