/** `make soak-model`: a million sequences, or as many as the first argument says; the seed of each part is told. */
import { runModel } from './run-model.ts';

const PART = 50_000;
const wanted = Number(process.argv[2] ?? 1_000_000);
const startedAt = performance.now();

for (let done = 0; done < wanted; done += PART) {
  const seed = (Date.now() + done) & 0x7fff_ffff;
  const { sequences, broken } = runModel(Math.min(PART, wanted - done), { seed });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (broken) {
    process.stderr.write(
      `Broken after ${done + sequences} sequences (seed ${broken.seed}):\n${broken.message}\n`,
    );
    process.exit(1);
  }
  process.stdout.write(`${done + sequences} sequences, ${seconds} s (seed ${seed})\n`);
}
