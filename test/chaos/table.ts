/** The table of a run through all faults: phase × fault → outcome. */
import type { RunResult } from './run-fault.ts';

export interface Tally {
  readonly pairs: number;
  /** Not in their phase when the fault came: not counted as pairs. */
  readonly missed: number;
  readonly lost: number;
  readonly stuck: number;
  readonly doubleLegs: number;
  readonly objections: number;
}

export function tallyOf(results: readonly RunResult[]): Tally {
  const pairs = results.flatMap((result) => result.pairs);
  const all = results.flatMap((result) => [
    ...result.objections,
    ...result.pairs.flatMap((pair) => pair.objections),
  ]);
  return {
    pairs: pairs.filter(({ met }) => met).length,
    missed: pairs.filter(({ met }) => !met).length,
    lost: pairs.filter(({ outcome }) => outcome === 'none').length,
    stuck: all.filter((one) => one.includes('left in Asterisk')).length,
    doubleLegs: all.filter((one) => /two (calls|channels|voice channels)/.test(one)).length,
    objections: all.length,
  };
}

/** Markdown: one row for each fault, one column for each phase; `!` marks an objection. */
export function tableOf(results: readonly RunResult[]): string {
  const phases = [...new Set(results.flatMap(({ pairs }) => pairs.map(({ phase }) => phase)))];
  const cell = (result: RunResult, phase: string): string =>
    result.pairs
      .filter((pair) => pair.phase === phase)
      .map(({ outcome, objections, met }) => `${outcome}${objections.length > 0 ? '!' : ''}${met ? '' : '?'}`)
      .join(', ');
  const rows = [
    ['fault', ...phases],
    ['---', ...phases.map(() => '---')],
    ...results.map((result) => [result.fault, ...phases.map((phase) => cell(result, phase))]),
  ];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}
