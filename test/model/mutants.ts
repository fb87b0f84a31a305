/** `make mutants`: plants every bug, and tells after how many sequences the model test found it. */
import { walkWith } from './plant.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

const MOST_SEQUENCES = 50_000;
const SEED = 20_261_120;

let missed = 0;
process.stdout.write('rule         found after  broken promise    bug\n');
for (const bug of PLANTED_BUGS) {
  const { sequences, broken } = await walkWith(bug, MOST_SEQUENCES, SEED);
  if (!broken) missed += 1;
  const after = broken ? String(sequences) : `NOT in ${sequences}`;
  const columns = [bug.rule.padEnd(12), after.padStart(11), (broken?.rule ?? '').padEnd(16), bug.name];
  process.stdout.write(`${columns.join('  ')}\n`);
}
process.stdout.write(`${PLANTED_BUGS.length - missed} of ${PLANTED_BUGS.length} found\n`);
process.exitCode = missed === 0 ? 0 : 1;
