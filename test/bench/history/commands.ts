/** The command line on a long history: how long it takes, and how much memory it and the database take meanwhile. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { told, type Row } from '../load/bench-table.ts';
import { figuresOf } from '../load/process-figures.ts';

const HAMRAHI = resolve(import.meta.dirname, '../../../control-plane/src/cli/hamrahi.ts');
const LOOK_MS = 100;
const DEADLINE_MS = 30 * 60_000;

export interface CommandBar {
  readonly seconds: number;
  /** Of the command and of the database's processes beside their shared buffers, each. */
  readonly memoryMb: number;
}

export interface Place {
  readonly databaseUrl: string;
  readonly postgresPid: number;
}

/** Runs it to its end; one that fails does not hold its bar. */
export async function commandRow(
  name: string,
  args: readonly string[],
  { databaseUrl, postgresPid }: Place,
  bar: CommandBar,
): Promise<Row> {
  const begun = performance.now();
  const child = spawn(process.execPath, [HAMRAHI, ...args], {
    env: { DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: DEADLINE_MS,
  });
  let [commandMb, databaseMb] = [0, 0];
  const watch = setInterval(() => {
    commandMb = Math.max(commandMb, peakMb(child.pid));
    databaseMb = Math.max(databaseMb, figuresOf(postgresPid, false).rssMb);
  }, LOOK_MS);
  const exitCode = await new Promise((done) => child.once('close', done));
  clearInterval(watch);
  const seconds = (performance.now() - begun) / 1000;
  const text = `${seconds.toFixed(1)} s, ${commandMb.toFixed(0)} MB, database ${databaseMb.toFixed(0)} MB`;
  const ok =
    exitCode === 0 && seconds <= bar.seconds && commandMb <= bar.memoryMb && databaseMb <= bar.memoryMb;
  return told(name, text, `≤ ${bar.seconds} s, ${bar.memoryMb} MB each`, ok);
}

/** The most that the process ever held. */
function peakMb(pid: number | undefined): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
    return Number(found?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
