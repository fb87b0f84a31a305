/** `make soak`: ten thousand short sessions. SOAK_SESSIONS changes how many. */
import { writeFileSync } from 'node:fs';
import { printed } from './bench-table.ts';
import { runSoak } from './soak.ts';

const sessions = Number(process.env['SOAK_SESSIONS'] ?? 10_000);
const { rows, samples, ok } = await runSoak(
  {
    sessions,
    lanes: 16,
    realEvery: 20,
    fallbackEvery: 10,
    warmUp: Math.min(2_000, sessions / 4),
    lookEvery: Math.max(25, Math.round(sessions / 50)),
    heapKb: 0.5,
    memoryKb: { core: 5, edge: 5, asterisk: 5 },
    untilForgotten: true,
  },
  (line) => void process.stderr.write(`soak: ${line}\n`),
);
process.stdout.write(`\n${printed(`${sessions} sessions`, rows)}`);
const file = process.env['BENCH_JSON'];
if (file) writeFileSync(file, `${JSON.stringify({ sessions, rows, samples }, null, 2)}\n`);
process.exitCode = ok ? 0 : 1;
