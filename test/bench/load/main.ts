/**
 * `make bench-load`: a hundred sessions at once. LOAD_SESSIONS and LOAD_REAL change how many, and how many are of WebRTC;
 * LOAD_PROFILE=directory writes the core's processor profile there.
 */
import { writeFileSync } from 'node:fs';
import { printed } from './bench-table.ts';
import { runLoad } from './load.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const sessions = number('LOAD_SESSIONS', 100);
const profile = process.env['LOAD_PROFILE'];
const { rows, ok } = await runLoad(
  {
    sessions,
    withinMs: 10_000,
    operators: Math.ceil(sessions / 5),
    realCitizens: number('LOAD_REAL', 10),
    realPanels: 2,
    fallbacks: Math.round(sessions / 5),
    holdMs: 20_000,
    idleMs: 5_000,
    untilForgotten: true,
  },
  (line) => void process.stderr.write(`bench-load: ${line}\n`),
  profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` },
);
process.stdout.write(`\n${printed(`${sessions} sessions`, rows)}`);
const file = process.env['BENCH_JSON'];
if (file) writeFileSync(file, `${JSON.stringify({ sessions, rows }, null, 2)}\n`);
process.exitCode = ok ? 0 : 1;
