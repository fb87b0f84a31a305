/** Tables of the benches: a name, its figures, its bar, and whether the bar is held. */
import { percentilesOf, type Percentiles } from '../percentiles.ts';

export interface Row {
  readonly name: string;
  readonly figures: Percentiles | null;
  /** What is told in place of percentiles. */
  readonly text: string;
  /** Empty: there is none. */
  readonly bar: string;
  readonly ok: boolean;
}

/** Percentiles; `limitMs` is the bar for every one of them. */
export function timed(name: string, values: readonly number[], limitMs: number | null = null): Row {
  if (values.length === 0)
    return { name, figures: null, text: 'nothing was measured', bar: '', ok: limitMs === null };
  const figures = percentilesOf(values);
  const bar = limitMs === null ? '' : `max ≤ ${limitMs}`;
  return { name, figures, text: '', bar, ok: limitMs === null || figures.max <= limitMs };
}

/** A statement that holds or does not. */
export function told(name: string, text: string, bar = '', ok = true): Row {
  return { name, figures: null, text, bar, ok };
}

export function printed(title: string, rows: readonly Row[]): string {
  const width = Math.max(36, ...rows.map(({ name }) => name.length));
  const number = (value: number): string => value.toFixed(1).padStart(8);
  const columns = ['p50', 'p95', 'p99', 'max'].map((name) => name.padStart(8)).join(' ');
  const lines = rows.map(({ name, figures, text, bar, ok }) => {
    const middle = figures
      ? [figures.p50, figures.p95, figures.p99, figures.max].map(number).join(' ')
      : text.padEnd(35);
    return `${name.padEnd(width)} ${middle}  ${bar === '' ? '' : `${ok ? 'ok  ' : 'FAIL'} ${bar}`}`.trimEnd();
  });
  return [`${title.padEnd(width)} ${columns}`, ...lines, ''].join('\n');
}
