/**
 * Writes the generated documents: `node control-plane/tools/generate-contracts.ts`. With `--check` it writes nothing
 * and fails when one is not current.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { generatedDocuments } from './generated-documents.ts';

const root = resolve(import.meta.dirname, '../..');
const onlyCheck = process.argv.includes('--check');

for (const [path, text] of await generatedDocuments()) {
  const file = resolve(root, path);
  let current: string | null;
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    current = null;
  }
  if (current === text) continue;
  if (onlyCheck) {
    console.error(`${path} is not current: run node control-plane/tools/generate-contracts.ts`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${path}`);
}
