/** The model with a bug in it: a copy of the domain and the model, patched, and walked until a promise breaks. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PlantedBug } from './planted-bugs.ts';
import type { ModelRun, runModel } from './run-model.ts';

const TOP = resolve(import.meta.dirname, '../..');
/** What the model is made of, and nothing else. */
const SOURCES = [
  'control-plane/src/domain',
  'test/support/session-scenario.ts',
  ...['run-model.ts', 'promises.ts', 'session-world.ts', 'steps.ts'].map((name) => `test/model/${name}`),
];

/** Walks at most `sequences` sequences of the sources with `bug` in them; `null`: as they are. */
export async function walkWith(bug: PlantedBug | null, sequences: number, seed: number): Promise<ModelRun> {
  const cache = join(TOP, '.cache');
  mkdirSync(cache, { recursive: true });
  const copy = mkdtempSync(join(cache, 'planted-'));
  try {
    for (const source of SOURCES) {
      mkdirSync(dirname(join(copy, source)), { recursive: true });
      cpSync(join(TOP, source), join(copy, source), { recursive: true });
    }
    if (bug) plant(copy, bug);
    const url = pathToFileURL(join(copy, 'test/model/run-model.ts')).href;
    const model = (await import(url)) as { readonly runModel: typeof runModel };
    return model.runModel(sequences, { seed, asFound: true });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function plant(copy: string, { name, file, text, becomes }: PlantedBug): void {
  const path = join(copy, 'control-plane/src/domain/session', file);
  const source = readFileSync(path, 'utf8');
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`“${name}” does not stand exactly once in ${file}: write it anew`);
  writeFileSync(path, `${before}${becomes}${after}`);
}
