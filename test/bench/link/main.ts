/**
 * `make bench-4g`: SOS over a mobile network with a round trip of 100 ms, jitter and loss. LINK_CALLS and LINK_LOSS
 * (percent) change how many calls, and how many packets vanish; with LINK_PHONE=chromium she presses on the citizen's page.
 * Runs itself again in a network namespace of its own.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { printed } from '../load/bench-table.ts';
import { callsOverLink } from './calls-over-link.ts';
import type { FarPhone } from './press-order.ts';

const INSIDE = 'LINK_INSIDE';

if (process.env[INSIDE] === undefined) {
  const [, program = ''] = process.argv;
  const child = spawn('unshare', ['--net', process.execPath, program], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => void process.stderr.write(`bench-4g: ${error.message}\n`));
  child.on('close', (code) => (process.exitCode = code ?? 1));
} else {
  const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
  const calls = number('LINK_CALLS', 100);
  const phone: FarPhone = process.env['LINK_PHONE'] === 'chromium' ? 'chromium' : 'headless';
  const lossPercent = number('LINK_LOSS', 1.5);
  const plan = {
    delayMs: 40,
    jitterMs: 20,
    loss: lossPercent / 100,
    calls,
    lanes: Math.min(calls, number('LINK_LANES', 5)),
    wanted: number('LINK_WANTED', Math.ceil(calls * 0.99)),
    speechSeconds: number('LINK_SPEECH_S', 30),
    phone,
  };
  const say = (line: string): void => void process.stderr.write(`bench-4g: ${line}\n`);
  const rows = await callsOverLink(plan, say);
  const title = `${calls} calls (${phone}), round trip 100 ms, ${lossPercent} % lost each way`;
  process.stdout.write(`\n${printed(title, rows)}`);
  const file = process.env['BENCH_JSON'];
  if (file) writeFileSync(file, `${JSON.stringify({ plan, rows }, null, 2)}\n`);
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
}
