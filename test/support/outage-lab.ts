/** A whole core on real PostgreSQL and a journal on a real disk, with an engine in memory whose phones answer at once. */
import { CARRIER_TRUNK } from './trunk-sample.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileJournal } from '../../control-plane/src/adapters/journal/file-journal.ts';
import { randomIds, systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { openDatabase } from '../../control-plane/src/adapters/postgres/open-database.ts';
import type { Database } from '../../control-plane/src/adapters/postgres/open-database.ts';
import { createCore } from '../../control-plane/src/app/core.ts';
import type { Core } from '../../control-plane/src/app/core.ts';
import { parseLegId } from '../../control-plane/src/domain/ids.ts';
import type { CitizenId, LegKind, OperatorId, SessionId } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import type { ActivateRequest } from '../../control-plane/src/ports/gateway.ts';
import type { FeedRow } from '../../control-plane/src/ports/session-store.ts';
import { citizenAor } from '../../control-plane/src/domain/ids.ts';
import { AKRAM, CHIEF, panelOf, PHONE, PLACE, ZONE } from './core-lab.ts';
import { FakePbx } from './fake-pbx.ts';
import { keptLog } from './kept-log.ts';
import type { KeptLog } from './kept-log.ts';
import { silentMetrics } from './silent-metrics.ts';
import { testDatabase } from './test-database.ts';
import type { TestDatabase } from './test-database.ts';

export const WATCHDOG_MS = 800;
const POLL_MS = 10;

export class OutageLab {
  /** Past every proxy: what is really there. */
  readonly truth: TestDatabase;
  readonly clock = systemClock();
  readonly pbx = new FakePbx({ clock: this.clock, trunks: ['carrier'] });
  readonly log: KeptLog = keptLog();
  readonly told: FeedRow[] = [];
  readonly directory = mkdtempSync(join(tmpdir(), 'hamrahi-outage-'));
  #database: Database | null = null;
  #journal: FileJournal | null = null;
  #core: Core | null = null;
  #people = 0;

  constructor(truth: TestDatabase) {
    this.truth = truth;
    this.pbx.onDial = (legId) => {
      if (parseLegId(legId)?.kind.endsWith('-phone') === true) setTimeout(() => this.pbx.answer(legId), 20);
    };
  }

  static async open(urlOf: (real: string) => Promise<string>): Promise<OutageLab> {
    const truth = await testDatabase();
    const lab = new OutageLab(truth);
    await lab.#fillDirectory();
    await lab.#boot(await urlOf(truth.url));
    return lab;
  }

  get core(): Core {
    if (!this.#core) throw new Error('no core runs');
    return this.#core;
  }

  /** A citizen whose app is connected. */
  async citizen(): Promise<CitizenId> {
    this.#people += 1;
    const id = `priya${this.#people}` as CitizenId;
    await this.truth.directory.putCitizen({
      id,
      phone: PhoneNumber.parse('+919810000001'),
      phoneVerified: true,
      homeZone: ZONE,
      silent: false,
      devices: [PHONE],
    });
    const aor = citizenAor(id, PHONE);
    await this.core.gateway.deviceAdmitted(aor);
    this.pbx.register(aor);
    return id;
  }

  /** Presses SOS; the session and how long the answer took. */
  async press(citizenId: CitizenId): Promise<{ readonly id: SessionId; readonly tookMs: number }> {
    const begunAt = performance.now();
    const request: ActivateRequest = {
      citizenId,
      deviceId: PHONE,
      location: PLACE,
      clientTime: undefined,
      bodyMalformed: false,
      idempotencyKey: `key-${citizenId}`,
      bodyHash: 'hash',
      receivedAt: this.clock.now(),
    };
    const result = await this.core.gateway.activate(request);
    if (!result.ok) throw new Error(result.code);
    return { id: result.value.id as SessionId, tookMs: performance.now() - begunAt };
  }

  legs(kind: LegKind, id: SessionId): number {
    return this.pbx.orders.filter((order) => order.startsWith(`dial ${id}.${kind}.`)).length;
  }

  /** Both phones stand in one bridge. */
  isBridged(id: SessionId): boolean {
    return this.pbx.orders.filter((order) => order.startsWith(`join ${id}.phone `)).length >= 2;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!(await holds())) {
      if (performance.now() > deadline)
        throw new Error(`not in ${deadlineMs} ms: ${what}\n${this.log.lines.slice(-15).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  untilBack(deadlineMs = 15_000): Promise<void> {
    return this.until(
      'the database has everything',
      async () => {
        const { database, journal } = await this.core.gateway.health();
        return database && journal.entries === 0;
      },
      deadlineMs,
    );
  }

  /** The numbered rows that listeners were told, as soon as there are so many. */
  async numbered(count: number): Promise<readonly FeedRow[]> {
    const numbered = (): readonly FeedRow[] => this.told.filter(({ seq }) => seq > 0);
    await this.until(`${count} numbered rows were told`, () => numbered().length >= count);
    return numbered();
  }

  /** What the feed's table says of a session, in order. */
  async feedOf(id: SessionId): Promise<readonly string[]> {
    const rows = await this.truth.sql<{ seq: string; type: string }>(
      'SELECT session_seq AS seq, type FROM feed WHERE session_id = $1 ORDER BY feed.seq',
      [id],
    );
    return rows.map(({ seq, type }) => rowName({ sessionId: id, sessionSeq: Number(seq), type }));
  }

  async close(): Promise<void> {
    await this.#core?.stop();
    await this.#journal?.close();
    await this.#database?.close();
    await this.truth.close();
    rmSync(this.directory, { recursive: true });
  }

  async #boot(url: string): Promise<void> {
    const { clock, log, directory } = this;
    const deadlines = {
      connectMs: 500,
      answerMs: 1500,
      lockMs: 600,
      statementMs: 1200,
      idleInTransactionMs: 600,
    };
    this.#database = openDatabase({ url, poolSize: 8, log, deadlines });
    const sizes = { maxBytes: 10_000_000, reservedBytes: 100_000 };
    this.#journal = new FileJournal({ directory, name: 'lab', ...sizes, log });
    this.#core = createCore({
      ...this.#database,
      journal: this.#journal,
      pbx: this.pbx,
      lease: { verify: () => Promise.resolve('held') },
      sockets: { close: () => undefined },
      clock,
      ids: randomIds,
      log,
      metrics: silentMetrics,
      policy: { ...DEFAULT_POLICY, watchdogMs: WATCHDOG_MS, firstRetryMs: 500 },
      trunks: () => [CARRIER_TRUNK],
      sipDomain: 'example.org',
    });
    await this.#core.start();
    this.#core.feedSource.subscribe((row) => this.told.push(row));
    const aor = panelOf(AKRAM);
    await this.core.gateway.deviceAdmitted(aor);
    this.pbx.register(aor);
    await this.core.gateway.shift(AKRAM, aor, true);
  }

  async #fillDirectory(): Promise<void> {
    const { directory } = this.truth;
    await directory.putZone({ id: ZONE, name: 'Central', polygon: null });
    const duty = async (id: OperatorId, phone: string): Promise<void> => {
      const dutyPhone = PhoneNumber.parse(phone);
      await directory.putOperator({ id, name: id, dutyPhone, capacity: 50, active: true });
    };
    await duty(AKRAM, '+919810000100');
    await duty(CHIEF, '+919810000101');
    const entry = { zoneId: ZONE, pressToAccept: false, from: null, until: null };
    await directory.putRoster(ZONE, [
      { ...entry, operatorId: AKRAM, duty: 'operator', priority: 1 },
      { ...entry, operatorId: CHIEF, duty: 'supervisor', priority: 2 },
    ]);
  }
}

/** What tells one change from another, numbered or not. */
export function rowName(row: {
  readonly sessionId: SessionId;
  readonly sessionSeq: number;
  readonly type: string;
}): string {
  return `${row.sessionId} ${row.sessionSeq} ${row.type}`;
}
