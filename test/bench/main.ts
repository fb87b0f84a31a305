/** `make bench`: the path from SOS to sound over many activations, beside a floor measured in the same run. */
import { writeFileSync } from 'node:fs';
import { startSandbox } from '../../control-plane/sandbox/sandbox.ts';
import { activations } from './activations.ts';
import { callLatencies, callRush, webhooksInFlight } from './calls.ts';
import { failovers } from './failover.ts';
import { fallbacks } from './fallbacks.ts';
import { openFloor } from './floor.ts';
import { percentilesOf, type Percentiles } from './percentiles.ts';

const ACTIVATIONS = 50;
const FALLBACKS = 20;
const CALLS = 100;
const FAILOVERS = 20;
const RUSH = { perSecond: 20, seconds: 30 };
const WEBHOOK_P99_MS = 200;
const TEL_3_MS = 2000;
/** Short, so that the bench is; what is measured begins at the deadline. */
const WATCHDOG_MS = 1000;

interface Row extends Percentiles {
  readonly name: string;
  /** p95 by the floor's p95. */
  readonly ratio: number | null;
  readonly bar: string;
  readonly ok: boolean;
}

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
const progress = (what: string, of: number) => (done: number) => {
  if (done % 10 === 0 || done === of) say(`${what} ${done} of ${of}`);
};

async function measure(): Promise<readonly Row[]> {
  const sandbox = await startSandbox({
    say,
    env: { HAMRAHI_WATCHDOG_MS: '5000', HAMRAHI_FIRST_RETRY_MS: '3000', HAMRAHI_LOG_LEVEL: 'warn' },
  });
  try {
    const bare = await openFloor(sandbox.file);
    const results = await activations(sandbox, bare, ACTIVATIONS, progress('activation', ACTIVATIONS));
    await bare.stop();
    if (process.env['BENCH_TRACE'])
      console.error(
        results
          .map((r) => [r.floor.toFixed(1), r.offerAtClient.toFixed(1), r.commitToPanel.toFixed(1)].join('/'))
          .join(' '),
      );
    const floor = percentilesOf(results.map((one) => one.floor));
    const row = rower(floor);
    const offer = percentilesOf(results.map((one) => one.offerAtClient));
    return [
      { ...floor, name: 'floor: commit + originate + bare relay', ratio: 1, bar: '', ok: true },
      row(
        'activation → offer at the client',
        offer,
        'p95 ≤ 3 × floor and < 50 ms',
        offer.p95 <= 3 * floor.p95 && offer.p95 < 50,
      ),
      row('activation → streaming', percentilesOf(results.map((one) => one.streaming)), '', true),
      limited(
        row,
        'activation → heard',
        results.map((one) => one.heard),
        1000,
      ),
      row('activation → panel event', percentilesOf(results.map((one) => one.panelEvent)), '', true),
      limited(
        row,
        'commit → panel event',
        results.map((one) => one.commitToPanel),
        25,
      ),
    ];
  } finally {
    await sandbox.stop();
  }
}

async function measureFallback(): Promise<readonly Row[]> {
  const env = {
    HAMRAHI_WATCHDOG_MS: String(WATCHDOG_MS),
    HAMRAHI_FIRST_RETRY_MS: '600',
    HAMRAHI_LOG_LEVEL: 'warn',
  };
  const sandbox = await startSandbox({ env });
  try {
    const values = await fallbacks(sandbox, FALLBACKS, WATCHDOG_MS, progress('fallback', FALLBACKS));
    return [limited(rower(null), 'watchdog due → INVITE at the carrier', values, 50)];
  } finally {
    await sandbox.stop();
  }
}

async function measureCalls(): Promise<readonly Row[]> {
  const env = {
    HAMRAHI_LOG_LEVEL: 'warn',
    HAMRAHI_CALLS_PER_S: '100',
    HAMRAHI_CALLS_MAX_OPEN: '1000',
  };
  const sandbox = await startSandbox({ env });
  try {
    const figures = await callLatencies(sandbox, CALLS, progress('call', CALLS));
    const floor = percentilesOf(figures.floor);
    const row = rower(floor);
    const { perSecond, seconds } = RUSH;
    const hooks = await webhooksInFlight(sandbox, CALLS, perSecond, progress('webhooks of call', CALLS));
    const delivered = percentilesOf(hooks.delivered);
    const burst = percentilesOf(hooks.burst);
    const rush = await callRush(
      sandbox,
      perSecond,
      seconds,
      progress('call of the rush', perSecond * seconds),
    );
    const { refused, missed, wrongEnds } = rush;
    const misses = refused + missed + wrongEnds;
    if (rush.firstRefusal !== null) say(`the first call that was refused: ${rush.firstRefusal}`);
    return [
      { ...floor, name: 'floor: bare originate → INVITE', ratio: 1, bar: '', ok: true },
      limited(row, 'API request → INVITE at the carrier', figures.invite, 100),
      limited(row, 'API request → 180 seen (sent at 200 ms)', figures.ringing, 3000),
      limited(row, 'API request → webhook call.ringing', hooks.ringing, 3000),
      row(
        `change → webhook, ${CALLS} calls in flight`,
        delivered,
        `p99 < ${WEBHOOK_P99_MS} ms`,
        delivered.p99 < WEBHOOK_P99_MS,
      ),
      row(
        `change → webhook, ${CALLS} calls end at once`,
        burst,
        `p99 < ${TEL_3_MS} ms`,
        burst.p99 < TEL_3_MS,
      ),
      row(
        `${perSecond} calls/s for ${seconds} s: request → INVITE`,
        percentilesOf(rush.invite),
        `no miss (${refused} refused, ${missed} missed, ${wrongEnds} ended otherwise)`,
        misses === 0,
      ),
    ];
  } finally {
    await sandbox.stop();
  }
}

async function measureFailover(): Promise<readonly Row[]> {
  const figures = await failovers(FAILOVERS, progress('fail-over', 3 * FAILOVERS + 5));
  const row = rower(null);
  return [
    limited(row, 'first trunk 503 → second rings', figures.refused, 1000),
    limited(row, 'first trunk refuses TCP → second rings', figures.unreachable, 1000),
    limited(row, 'first trunk silent → second rings', figures.silent, 2000),
    limited(row, 'every trunk silent → the leg has ended', figures.dead, 5000),
  ];
}

type Rower = (name: string, figures: Percentiles, bar: string, ok: boolean) => Row;

function rower(floor: Percentiles | null): Rower {
  return (name, figures, bar, ok) => ({ ...figures, name, ratio: floor && figures.p95 / floor.p95, bar, ok });
}

function limited(row: Rower, name: string, values: readonly number[], limitMs: number): Row {
  const figures = percentilesOf(values);
  return row(name, figures, `p95 < ${limitMs} ms`, figures.p95 < limitMs);
}

function printed(rows: readonly Row[]): string {
  const number = (value: number): string => value.toFixed(1).padStart(8);
  const lines = rows.map(
    ({ name, p50, p95, p99, max, ratio, bar, ok }) =>
      `${name.padEnd(40)} ${number(p50)} ${number(p95)} ${number(p99)} ${number(max)}  ${ratio === null ? '       ' : `${ratio.toFixed(1).padStart(5)} ×`}  ${bar === '' ? '' : `${ok ? 'ok  ' : 'FAIL'} ${bar}`}`,
  );
  return [
    `${'ms'.padEnd(40)} ${['p50', 'p95', 'p99', 'max'].map((name) => name.padStart(8)).join(' ')}   floor`,
    ...lines,
    '',
  ].join('\n');
}

/** By name, of those below; none: all. */
const wanted = process.argv.slice(2);
const PARTS = {
  activations: measure,
  fallback: measureFallback,
  calls: measureCalls,
  failover: measureFailover,
} as const;
const rows: Row[] = [];
for (const [name, part] of Object.entries(PARTS))
  if (wanted.length === 0 || wanted.includes(name)) rows.push(...(await part()));

process.stdout.write(`\n${printed(rows)}`);
const file = process.env['BENCH_JSON'];
if (file) writeFileSync(file, `${JSON.stringify({ rows }, null, 2)}\n`);
process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
