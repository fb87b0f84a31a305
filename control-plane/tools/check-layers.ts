/**
 * Checks the layer rules of `.dependency-cruiser.cjs` on every module of the control plane and its tests, and prints
 * how many were looked at. A module on disk that was not looked at is an error as well: with a compiler it does not
 * understand, dependency-cruiser checks nothing and reports no violation.
 */
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, resolve } from 'node:path';
import { cruise, type ICruiseOptions, type IConfiguration } from 'dependency-cruiser';
import extractTypeScriptConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const sources = ['control-plane', 'test'];
const notSources = ['control-plane/public/dist'];

export type LayerReport = { moduleCount: number; violations: readonly string[]; unseen: readonly string[] };

/** Cruises the clone at `top`, normally this one. */
export async function checkLayers(top: string): Promise<LayerReport> {
  const { forbidden, options } = createRequire(import.meta.url)(
    '../../.dependency-cruiser.cjs',
  ) as IConfiguration;
  const present = sources.filter((directory) => globSync(`${directory}/**/*.ts`, { cwd: top }).length > 0);
  const cruiseOptions: ICruiseOptions = {
    ...(options as ICruiseOptions),
    baseDir: top,
    ruleSet: { forbidden: forbidden ?? [] },
    validate: true,
  };
  const typeScript = { tsConfig: extractTypeScriptConfig(resolve(top, 'tsconfig.json')) };
  const { output } = await cruise(present, cruiseOptions, undefined, typeScript);
  if (typeof output === 'string') throw new Error('dependency-cruiser gave text where a result was due');

  const seen = new Set(output.modules.map((module) => module.source));
  const onDisk = globSync(
    sources.map((directory) => `${directory}/**/*.ts`),
    { cwd: top },
  ).filter((file) => !notSources.some((directory) => file.startsWith(directory)));
  return {
    moduleCount: onDisk.filter((file) => seen.has(file)).length,
    violations: output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    unseen: onDisk.filter((file) => !seen.has(file)).map((file) => relative(top, resolve(top, file))),
  };
}

if (import.meta.main) {
  const { moduleCount, violations, unseen } = await checkLayers(resolve(import.meta.dirname, '../..'));
  for (const violation of violations) console.error(`layers: ${violation}`);
  for (const file of unseen) console.error(`layers: ${file} was not looked at`);
  console.log(`layers: ${moduleCount} modules, ${violations.length} violations`);
  process.exitCode = violations.length > 0 || unseen.length > 0 || moduleCount === 0 ? 1 : 0;
}
