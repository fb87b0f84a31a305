/**
 * Runs the real command line as a process, with nothing in its environment but what a test gives it, and where Node may
 * find modules compiled already.
 */
import { resolve } from 'node:path';
import { runProgram } from './run-program.ts';
import type { ProgramEnd } from './run-program.ts';

const HAMRAHI = resolve(import.meta.dirname, '../../control-plane/src/cli/hamrahi.ts');

export function hamrahi(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramEnd> {
  const { NODE_COMPILE_CACHE } = process.env;
  const compiled = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
  return runProgram(process.execPath, [HAMRAHI, ...args], {
    cwd: process.cwd(),
    env: { ...compiled, ...env },
  });
}
