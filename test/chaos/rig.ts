/**
 * A whole gateway that can be broken: edge and core apart, the core behind proxies to its database and its engine, a
 * supervisor that starts a dead core again as systemd would, and witnesses that look at all of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { openDatabase, type Database } from '../../control-plane/src/adapters/postgres/open-database.ts';
import { Gateway } from '../e2e/support/gateway.ts';
import { commitProxy, type CommitProxy } from '../support/commit-proxy.ts';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts';
import { silentLog } from '../support/silent-log.ts';
import { ChannelWatch } from './channel-watch.ts';
import { FeedReader } from './feed-reader.ts';
import { smallDisk, type SmallDisk } from './small-disk.ts';

/** systemd's RestartSec of the gateway. */
const RESTART_MS = 300;
const RESTART_ATTEMPTS = 5;
const DATABASE_MB = 320;
/** Little more than the journal sets aside for itself. */
const JOURNAL_MB = 12;

/** Shorter than a server's, so that a run has an end; the watchdog and the retry are a server's. */
const TIMES = {
  HAMRAHI_CITIZEN_RING_MS: '12000',
  HAMRAHI_CITIZEN_REDIAL_AFTER_MS: '6000',
  HAMRAHI_RATE_LIMIT_STAFF_PER_MIN: '100000',
  HAMRAHI_RATE_LIMIT_CITIZEN_PER_MIN: '100000',
};

export type CoreEnv = Readonly<Record<string, string>>;

export class Rig {
  readonly gateway = new Gateway();
  readonly clock = systemClock();
  #toDatabase: CuttableProxy | null = null;
  #commits: CommitProxy | null = null;
  #toEngine: CuttableProxy | null = null;
  #database: Database | null = null;
  #feed: FeedReader | null = null;
  #channels: ChannelWatch | null = null;
  #disk: SmallDisk | null = null;
  #journalDisk: SmallDisk | null = null;
  #toEdge: CuttableProxy | null = null;
  #supervised = true;
  #restarts: Promise<void> = Promise.resolve();
  /** For the next starts of the core, first one first; then none. */
  #nextEnvs: CoreEnv[] = [];
  /** When the last Asterisk began: earlier calls of the carrier belong to a dead one. */
  engineSince = 0;
  /** Starts of the core that came to nothing since this was last emptied. */
  failedStarts: string[] = [];
  /** How much later than due a deadline may be by the last fault. */
  explainedMs = 0;

  get toDatabase(): CuttableProxy {
    return there(this.#toDatabase);
  }

  get toEngine(): CuttableProxy {
    return there(this.#toEngine);
  }

  /** What clients' SIP goes through. */
  get toEdge(): CuttableProxy {
    return there(this.#toEdge);
  }

  get commits(): CommitProxy {
    return there(this.#commits);
  }

  get database(): Database {
    return there(this.#database);
  }

  get feed(): FeedReader {
    return there(this.#feed);
  }

  get channels(): ChannelWatch {
    return there(this.#channels);
  }

  /** PostgreSQL's. */
  get disk(): SmallDisk | null {
    return this.#disk;
  }

  /** Of the core's journal. */
  get journalDisk(): SmallDisk | null {
    return this.#journalDisk;
  }

  async start(): Promise<void> {
    this.#disk = await smallDisk(DATABASE_MB);
    this.#journalDisk = await smallDisk(JOURNAL_MB);
    const edge = { host: '127.0.0.1', port: 0 };
    this.#toEdge = await startCuttableProxy(edge);
    await this.gateway.start({
      edgeApart: true,
      env: {
        ...TIMES,
        HAMRAHI_SIP_WSS_URL: `ws://127.0.0.1:${this.#toEdge.port}/sip`,
        ...(this.#journalDisk ? { HAMRAHI_JOURNAL_DIR: this.#journalDisk.directory } : {}),
      },
      ...(this.#disk ? { databaseDir: this.#disk.directory } : {}),
      detour: async ({ databaseUrl, ariUrl }) => {
        this.#commits = await commitProxy(databaseUrl);
        const database = new URL(this.#commits.url);
        this.#toDatabase = await startCuttableProxy({ host: '127.0.0.1', port: Number(database.port) });
        database.port = String(this.#toDatabase.port);
        const ari = new URL(ariUrl);
        this.#toEngine = await startCuttableProxy({ host: ari.hostname, port: Number(ari.port) });
        ari.port = String(this.#toEngine.port);
        return { databaseUrl: database.href, ariUrl: ari.origin };
      },
    });
    edge.port = this.gateway.file.ports.edge;
    this.#database = openDatabase({ url: this.gateway.file.databaseUrl, poolSize: 2, log: silentLog });
    const { urls, tokens } = this.gateway.file;
    this.#feed = new FeedReader(urls.feed, tokens.supervisor.token);
    this.#channels = new ChannelWatch(this.gateway.witness);
    this.engineSince = Date.now();
    this.#superviseCore();
  }

  async stop(): Promise<void> {
    this.#supervised = false;
    await this.#restarts.catch(() => undefined);
    this.#feed?.stop();
    this.#channels?.stop();
    await this.#database?.close().catch(() => undefined);
    await this.gateway.stop();
    await this.#toDatabase?.stop();
    await this.#commits?.close();
    await this.#toEngine?.stop();
    await this.#toEdge?.stop();
    await this.#disk?.remove();
    await this.#journalDisk?.remove();
  }

  /** A core that dies comes back by itself: with these settings the first time, then with the next, then with none. */
  nextCores(...envs: readonly CoreEnv[]): void {
    this.#nextEnvs = [...envs];
  }

  /** Ends the core in order and waits for the next one. */
  async renewCore(env: CoreEnv): Promise<void> {
    this.nextCores(env);
    const before = this.gateway.sandbox.controlPlane();
    await before.stop();
    await this.coreBack(before.pid);
  }

  /** Resolves when another core than this one serves. */
  async coreBack(pid: number, deadlineMs = 30_000): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      await this.#restarts;
      if (this.gateway.sandbox.controlPlane().pid !== pid && (await this.isReady())) return;
      if (performance.now() > deadline) throw new Error(`no core took the place of ${pid}`);
      await delay(20);
    }
  }

  /** SIGKILL, and a new Asterisk on the same ports. */
  async restartEngine(): Promise<void> {
    this.engineSince = Date.now();
    await this.gateway.sandbox.engine.restart();
  }

  async isReady(): Promise<boolean> {
    try {
      const url = `${this.gateway.file.urls.api}/readyz`;
      const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  #superviseCore(): void {
    const core = this.gateway.sandbox.controlPlane();
    void core.exited.then(() => {
      if (!this.#supervised) return;
      this.#restarts = this.#restart().then(() => this.#superviseCore());
      // Told to whoever waits for the core.
      this.#restarts.catch(() => undefined);
    });
  }

  async #restart(): Promise<void> {
    for (let attempt = 1; this.#supervised; attempt += 1) {
      await delay(RESTART_MS);
      try {
        await this.gateway.sandbox.restartControlPlane(this.#nextEnvs.shift() ?? {});
        return;
      } catch (error) {
        this.failedStarts.push(String(error).slice(0, 300));
        if (attempt === RESTART_ATTEMPTS) throw error;
      }
    }
  }
}

function there<Thing>(thing: Thing | null): Thing {
  if (thing === null) throw new Error('the rig has not started');
  return thing;
}
