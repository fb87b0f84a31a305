/** The trunks in force: read at the start, and anew when somebody asks; what is wrong never takes the place of what is right. */
import type { Trunk } from '../domain/trunk/trunk.ts';
import { trunkChanges, type TrunkChange } from '../domain/trunk/trunk-change.ts';
import { faultSentence, trunkFault, type TrunkFault } from '../domain/trunk/trunk-fault.ts';
import { problemPlace, type TrunkProblem } from '../domain/trunk/trunk-problem.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { OpsAlerts } from '../ports/ops-alerts.ts';
import type {
  TrunkDesk,
  TrunkEntry,
  TrunkReading,
  TrunkReload,
  Trunks,
  TrunkSource,
} from '../ports/trunks.ts';

export interface TrunkBookPorts {
  readonly source: TrunkSource;
  readonly alerts: OpsAlerts;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Listed {
  readonly trunk: Trunk;
  readonly fault: TrunkFault | null;
}

/** The subject of alerts about all files together; `trunks-dead` of calls has its own. */
const ALL = 'trunk-files';
const MAX_LOGGED_PROBLEMS = 20;

export class TrunkBook implements Trunks, TrunkDesk {
  readonly #ports: TrunkBookPorts;
  readonly #listeners = new Set<(changes: readonly TrunkChange[]) => void>();
  #listed: ReadonlyMap<string, Listed> = new Map();
  #usable: readonly Trunk[] = [];
  /** The reading that has not begun yet, and the end of the one before. */
  #next: Promise<TrunkReload> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ports: TrunkBookPorts) {
    this.#ports = ports;
  }

  all(): readonly Trunk[] {
    return this.#usable;
  }

  known(): readonly Trunk[] {
    return [...this.#listed.values()].map(({ trunk }) => trunk);
  }

  get(name: string): Trunk | undefined {
    return this.#listed.get(name)?.trunk;
  }

  has(name: string): boolean {
    return this.#listed.has(name);
  }

  entries(): readonly TrunkEntry[] {
    return [...this.#listed.values()].map(({ trunk: { name, description, priority }, fault }) => ({
      ...{ name, description, priority, fault },
    }));
  }

  onChange(listener: (changes: readonly TrunkChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first reading. Without one that is right there is nothing to begin with. */
  async start(): Promise<TrunkReading> {
    const reading = await this.#ports.source.read();
    if (reading.ok) this.#take(reading.trunks);
    return reading;
  }

  reload(): Promise<TrunkReload> {
    if (this.#next !== null) return this.#next;
    const next = this.#last.then(() => {
      this.#next = null;
      return this.#reload();
    });
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #reload(): Promise<TrunkReload> {
    const { source, log, metrics } = this.#ports;
    const reading = await source.read();
    metrics.count('hamrahi_trunks_reloads_total', { result: reading.ok ? 'ok' : 'refused' });
    if (!reading.ok) {
      this.#refused(reading.problems);
      return reading;
    }
    const before = this.known();
    this.#take(reading.trunks);
    const changes = trunkChanges(before, this.known());
    for (const { trunk, change, needs } of changes)
      log.info('a trunk was changed', { trunk, change, needs: needs.join(' ') });
    log.info('the trunk files were read anew', { trunks: this.#listed.size, changes: changes.length });
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
    return { ok: true, changes };
  }

  /** By priority; of equal ones, the order of the settings. */
  #take(trunks: readonly Trunk[]): void {
    const { alerts, log, metrics } = this.#ports;
    const gone = this.#listed;
    const ordered = trunks.toSorted((a, b) => a.priority - b.priority);
    this.#listed = new Map(ordered.map((trunk) => [trunk.name, { trunk, fault: trunkFault(trunk) }]));
    this.#usable = ordered.filter(({ name }) => this.#listed.get(name)?.fault === null);
    for (const { trunk, fault } of this.#listed.values()) {
      if (fault === null) {
        alerts.resolve('trunk-disabled', trunk.name);
        continue;
      }
      const summary = `Trunk ${trunk.name} is not used. ${faultSentence(fault)}`;
      log.error('a trunk cannot be used', {
        trunk: trunk.name,
        code: fault.code,
        fields: fault.fields.join(' '),
      });
      alerts.raise({ kind: 'trunk-disabled', subject: trunk.name, severity: 'critical', summary });
    }
    for (const name of gone.keys()) if (!this.#listed.has(name)) alerts.resolve('trunk-disabled', name);
    alerts.resolve('trunk-files-wrong', ALL);
    if (this.#usable.length > 0) alerts.resolve('trunks-dead', ALL);
    else alerts.raise({ kind: 'trunks-dead', subject: ALL, severity: 'critical', summary: NOBODY });
    metrics.gauge('hamrahi_trunks_usable', this.#usable.length);
    metrics.gauge('hamrahi_trunks_known', this.#listed.size);
  }

  #refused(problems: readonly TrunkProblem[]): void {
    const { alerts, log } = this.#ports;
    log.error('the trunk files are wrong: the last good ones stay in force', { problems: problems.length });
    for (const problem of problems.slice(0, MAX_LOGGED_PROBLEMS))
      log.error('a trunk file is wrong', { place: problemPlace(problem), expected: problem.expected });
    const [first] = problems;
    const where = first === undefined ? '' : `, first in ${problemPlace(first)}`;
    const summary = `The trunk files have ${problems.length} mistake(s)${where}. The last good ones are in use.`;
    alerts.raise({ kind: 'trunk-files-wrong', subject: ALL, severity: 'warning', summary });
  }
}

const NOBODY = 'No trunk can be used: nobody can be telephoned. GET /v1/trunks says why.';
