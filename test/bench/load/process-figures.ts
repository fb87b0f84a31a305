/** What the processes of one gateway use, read from /proc: processor time, memory, open files. */
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_S = 100;
const PAGE_KB = 4;

export interface ProcessFigures {
  readonly cpuS: number;
  readonly rssMb: number;
  readonly files: number;
}

/** Of this process and, unless it is `alone`, all that it has started; a process that has ended adds nothing. */
export function figuresOf(pid: number, alone: boolean): ProcessFigures {
  const pids = alone ? [pid] : [pid, ...descendantsOf(pid)];
  const sum = (of: (one: number) => number): number => pids.reduce((total, one) => total + of(one), 0);
  return { cpuS: sum(cpuS), rssMb: sum(rssMb), files: sum(files) };
}

function descendantsOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const one = Number(name);
    if (!Number.isInteger(one)) continue;
    const parent = Number(statOf(one)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  const found: number[] = [];
  const ask = [pid];
  for (let next = ask.pop(); next !== undefined; next = ask.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    ask.push(...own);
  }
  return found;
}

/** The fields of /proc/<pid>/stat after the name, from the state on. */
function statOf(pid: number): readonly string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function cpuS(pid: number): number {
  const stat = statOf(pid);
  return stat === null ? 0 : (Number(stat[11]) + Number(stat[12])) / TICKS_PER_S;
}

/** What is private to it: PostgreSQL's processes share their buffers, which would be counted once for each. */
function rssMb(pid: number): number {
  const statm = read(`/proc/${pid}/statm`)?.split(' ');
  return statm === undefined ? 0 : ((Number(statm[1]) - Number(statm[2])) * PAGE_KB) / 1024;
}

function files(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
