/** docs/crash-matrix.md: the table of the last full run, between two marks; what stands around it is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { RunResult } from './run-fault.ts';
import { tableOf, type Tally } from './table.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../docs/crash-matrix.md');
const [FROM, TO] = [
  '<!-- matrix: written by CHAOS_DOCUMENT=yes make chaos; do not edit -->',
  '<!-- /matrix -->',
];

export function writeDocument(
  results: readonly RunResult[],
  tally: Tally,
  untried: readonly string[],
  tookMs: number,
): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = [text.indexOf(FROM), text.indexOf(TO)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no marks`);
  const day = new Date().toISOString().slice(0, 10);
  const minutes = Math.round(tookMs / 60_000);
  const lines = [
    FROM,
    '',
    `${day}, ${availableParallelism()} processors, ${minutes} minutes: **${tally.pairs} pairs**, lost sessions ${tally.lost}, stuck channels ${tally.stuck}, two legs to one person ${tally.doubleLegs}, other objections ${tally.objections - tally.stuck - tally.doubleLegs}.`,
    ...(untried.length > 0 ? ['', `Not tried: ${untried.join('; ')}.`] : []),
    '',
    tableOf(results),
    '',
  ];
  writeFileSync(DOCUMENT, `${text.slice(0, from)}${lines.join('\n')}\n${text.slice(to)}`);
}
