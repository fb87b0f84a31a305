/**
 * `record-measurements.ts <demo.json> <bench.json>`: puts what `make demo` (DEMO_JSON) and `make bench` (BENCH_JSON) have
 * written into docs/measured.json, with the day and the machine. docs/requirements.md is made from it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';

const TOP = resolve(import.meta.dirname, '../..');

const demoFile = z.object({
  scenarios: z.array(
    z.object({
      name: z.string(),
      verdicts: z.array(
        z.object({
          id: z.string(),
          limitMs: z.number().nullable(),
          valueMs: z.number().nullable(),
          ok: z.boolean(),
        }),
      ),
    }),
  ),
});
const figure = z.number().transform((value) => Math.round(value * 10) / 10);
const benchFile = z.object({
  rows: z.array(
    z.object({
      name: z.string(),
      runs: z.int(),
      p50: figure,
      p95: figure,
      p99: figure,
      max: figure,
      bar: z.string(),
      ok: z.boolean(),
    }),
  ),
});

export interface Measured {
  readonly date: string;
  readonly machine: string;
  readonly demo: z.output<typeof demoFile>['scenarios'];
  readonly bench: z.output<typeof benchFile>['rows'];
}

/** What of this machine the figures depend on, what else it did meanwhile included (measuring alone loads it by about 1); never its name. */
function machine(): string {
  const debian = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const asterisk = readFileSync(join(TOP, 'asterisk/VERSION'), 'utf8').trim();
  const load = `load ${(loadavg()[1] ?? 0).toFixed(1)}`;
  return `${debian}, ${availableParallelism()} cores at ${load}, Node ${process.versions.node}, Asterisk ${asterisk}, everything on loopback`;
}

async function record(demoPath: string, benchPath: string): Promise<void> {
  const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
  const measured: Measured = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    demo: demoFile.parse(read(demoPath)).scenarios,
    bench: benchFile.parse(read(benchPath)).rows,
  };
  const path = join(TOP, 'docs/measured.json');
  const text = JSON.stringify(measured);
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), parser: 'json' }));
}

if (import.meta.main) {
  const [demoPath, benchPath] = process.argv.slice(2);
  if (demoPath === undefined || benchPath === undefined) {
    process.stderr.write('usage: record-measurements.ts <demo.json> <bench.json>\n');
    process.exitCode = 2;
  } else {
    await record(demoPath, benchPath);
  }
}
