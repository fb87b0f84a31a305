/** What a scenario shows: milestones in milliseconds since the activation, and the requirements' verdicts on them. */

export interface Milestone {
  readonly name: string;
  readonly ms: number;
  /** Seen by whom: the gateway, the client, the panel, the carrier, or a witness in Asterisk. */
  readonly seenBy: 'gateway' | 'citizen' | 'panel' | 'carrier' | 'witness';
  readonly detail?: string;
}

export interface DemoVerdict {
  readonly id: string;
  readonly what: string;
  readonly limitMs: number | null;
  readonly valueMs: number | null;
  readonly ok: boolean;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly milestones: readonly Milestone[];
  readonly verdicts: readonly DemoVerdict[];
}

export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** At most the limit. `null`: it did not happen. */
export function within(id: string, what: string, limitMs: number, valueMs: number | null): DemoVerdict {
  return {
    id,
    what,
    limitMs,
    valueMs: valueMs === null ? null : rounded(valueMs),
    ok: valueMs !== null && valueMs <= limitMs,
  };
}

/** A fact without a time. */
export function holds(id: string, what: string, ok: boolean, why: string | null = null): DemoVerdict {
  return { id, what: why === null ? what : `${what}: ${why}`, limitMs: null, valueMs: null, ok };
}

const NAME_WIDTH = 34;
const SEEN_WIDTH = 9;

/** The scenario as a table for the terminal. */
export function printed(result: ScenarioResult): string {
  const milestones = result.milestones.map(({ name, ms, seenBy, detail }) =>
    `  ${ms.toFixed(1).padStart(9)} ms  ${name.padEnd(NAME_WIDTH)} ${seenBy.padEnd(SEEN_WIDTH)} ${detail ?? ''}`.trimEnd(),
  );
  const verdicts = result.verdicts.map(({ id, what, limitMs, valueMs, ok }) => {
    const value = valueMs === null ? '' : `${valueMs.toFixed(1)} ms`;
    const limit = limitMs === null ? '' : `of ${limitMs} ms`;
    return `  ${ok ? 'ok  ' : 'FAIL'}  ${id.padEnd(6)} ${what.padEnd(NAME_WIDTH + 12)} ${value.padStart(10)} ${limit}`.trimEnd();
  });
  return [`${result.title}\n`, ...milestones, '', ...verdicts, ''].join('\n');
}

/** What `DEMO_JSON` gets. */
export function asJson(results: readonly ScenarioResult[]): string {
  const scenarios = results.map(({ name, milestones, verdicts }) => ({
    name,
    milestones: milestones.map((one) => ({ name: one.name, ms: one.ms })),
    verdicts: verdicts.map(({ id, limitMs, valueMs, ok }) => ({ id, limitMs, valueMs, ok })),
  }));
  return `${JSON.stringify({ scenarios }, null, 2)}\n`;
}
