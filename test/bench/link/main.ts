/**
 * `make bench-4g`: SOS over a mobile network with a round trip of 100 ms, jitter and loss. LINK_CALLS and LINK_LOSS
 * (percent) change how many calls, and how many packets vanish. Runs itself again in a network namespace of its own.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { printed } from '../load/bench-table.ts';
import { callsOverLink } from './calls-over-link.ts';

const INSIDE = 'LINK_INSIDE';

if (process.env[INSIDE] === undefined) {
  const [, program = ''] = process.argv;
  const env = { ...process.env, [INSIDE]: '1' };
  const { status, error } = spawnSync('unshare', ['--net', process.execPath, program], {
    stdio: 'inherit',
    env,
  });
  if (error) process.stderr.write(`bench-4g: ${error.message}\n`);
  process.exitCode = status ?? 1;
} else {
  const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
  const calls = number('LINK_CALLS', 100);
  const lossPercent = number('LINK_LOSS', 1.5);
  const plan = {
    delayMs: 40,
    jitterMs: 20,
    loss: lossPercent / 100,
    calls,
    lanes: Math.min(calls, number('LINK_LANES', 5)),
    wanted: number('LINK_WANTED', Math.ceil(calls * 0.99)),
    speechSeconds: number('LINK_SPEECH_S', 30),
  };
  const rows = await callsOverLink(plan, (line) => void process.stderr.write(`bench-4g: ${line}\n`));
  process.stdout.write(
    `\n${printed(`${calls} calls, round trip 100 ms, ${lossPercent} % lost each way`, rows)}`,
  );
  const file = process.env['BENCH_JSON'];
  if (file) writeFileSync(file, `${JSON.stringify({ plan, rows }, null, 2)}\n`);
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
}
