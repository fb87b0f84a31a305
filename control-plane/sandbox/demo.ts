/** `make demo`: two SOS on real Asterisk with real WebRTC clients, timed against the requirements. DEMO_JSON=file keeps the numbers. */
import { writeFileSync } from 'node:fs';
import { withDeadline } from '../client/deadline.ts';
import { fallbackScenario } from './demo/fallback-scenario.ts';
import { streamScenario } from './demo/stream-scenario.ts';
import { asJson, printed, type ScenarioResult } from './demo/timeline.ts';
import { startSandbox, type Sandbox } from './sandbox.ts';

const SCENARIO_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 30_000;

const say = (line: string): void => void process.stderr.write(`demo: ${line}\n`);

async function run(sandbox: Sandbox): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const [name, scenario] of [
    ['stream', streamScenario],
    ['fallback', fallbackScenario],
  ] as const) {
    say(`${name} …`);
    const result = await withDeadline(scenario(sandbox), SCENARIO_DEADLINE_MS, `the scenario ${name}`);
    process.stdout.write(`\n${printed(result)}\n`);
    results.push(result);
  }
  return results;
}

const jsonFile = process.env['DEMO_JSON'];
let sandbox: Sandbox | null = null;
let exitCode = 1;
const end = async (): Promise<never> => {
  if (sandbox)
    await withDeadline(sandbox.stop(), STOP_DEADLINE_MS, 'ending the sandbox').catch((error: unknown) =>
      say(String(error)),
    );
  process.exit(exitCode);
};
process.on('SIGINT', () => void end());
process.on('SIGTERM', () => void end());
try {
  sandbox = await startSandbox({ say });
  const results = await run(sandbox);
  if (jsonFile) writeFileSync(jsonFile, asJson(results));
  const failed = results.flatMap((result) =>
    result.verdicts.filter((verdict) => !verdict.ok).map((verdict) => `${result.name} ${verdict.id}`),
  );
  say(failed.length === 0 ? 'every requirement held' : `not held: ${failed.join(', ')}`);
  exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
await end();
