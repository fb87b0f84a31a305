/** `hamrahi trunks`: check the trunk files, show what one says and how sure it is, render the engine's configuration. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readGatewaySettings, type FiledSettings } from '../adapters/engine-config/gateway-settings-file.ts';
import { permittedSourcesOf, type GatewaySettings } from '../adapters/engine-config/gateway-settings.ts';
import { loadTrunks, type LoadedTrunk } from '../adapters/engine-config/load-trunks.ts';
import { renderGatewayConfig } from '../adapters/engine-config/render-gateway-config.ts';
import { trunkNamesIn } from '../adapters/engine-config/trunk-texts.ts';
import { loadSetting } from '../config/load-config.ts';
import { parseIpAddress } from '../domain/ip-network.ts';
import { faultSentence, trunkFault } from '../domain/trunk/trunk-fault.ts';
import { problemText, type FileProblem } from '../domain/trunk/trunk-problem.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { trunkText } from './trunk-text.ts';

interface Place {
  readonly dir?: string;
  readonly site?: string;
}

const TEMPLATES = resolve(import.meta.dirname, '../../../asterisk');

export function addTrunksCommand(program: Command): void {
  const trunks = program
    .command('trunks')
    .description('the trunk files, and the engine configuration from them');
  const placed = (name: string): Command =>
    trunks
      .command(name)
      .option('--dir <folder>', 'directory of the trunk files (default: HAMRAHI_TRUNKS_DIR)')
      .option('--site <file>', "the site's account data (default: HAMRAHI_TRUNKS_SITE_FILE)");
  placed('validate')
    .description('check trunk files; exit code 2 names file, line and field of each mistake')
    .argument('[names...]', 'trunks (default: HAMRAHI_TRUNKS, else all files of the directory)')
    .action(validate);
  placed('show')
    .description('one trunk, field by field, with how sure each is and where that is known from')
    .argument('<name>', 'the trunk')
    .option('--json', 'as JSON')
    .action(show);
  placed('render')
    .description("write Asterisk's configuration; all of it, or nothing")
    .argument('[names...]', 'trunks (default: HAMRAHI_TRUNKS, else all files of the directory)')
    .requiredOption('--settings <file>', 'settings of this Asterisk (asterisk/gateway-settings.schema.json)')
    .requiredOption('--out <folder>', "Asterisk's configuration directory")
    .action(render);
}

function validate(names: readonly string[], place: Place): void {
  for (const { trunk } of load(names, place)) {
    const fault = trunkFault(trunk);
    process.stdout.write(
      `${trunk.name}: good. ${fault === null ? 'It can be used.' : faultSentence(fault)}\n`,
    );
  }
}

function show(name: string, { json, ...place }: Place & { readonly json?: true }): void {
  const [loaded] = load([name], place);
  if (loaded === undefined) return;
  const { trunk, evidence } = loaded;
  const fault = trunkFault(trunk);
  const usable = fault === null ? null : { ...fault, sentence: faultSentence(fault) };
  process.stdout.write(
    json ? `${JSON.stringify({ trunk, evidence, fault: usable }, null, 2)}\n` : trunkText(loaded, fault),
  );
}

interface RenderOptions extends Place {
  readonly settings: string;
  readonly out: string;
}

function render(names: readonly string[], { settings: file, out, ...place }: RenderOptions): void {
  const filed = readSettings(file);
  const trunks = load(names, place, hostsOf(filed.ari.permit)).map(({ trunk }) => trunk);
  const settings = completed(filed, trunks);
  const result = renderGatewayConfig(settings, { templatesDir: TEMPLATES, outputDir: resolve(out) });
  if (!result.ok) {
    const isWrite = result.failures.some(({ code }) => code === 'ERR_ENGINE_CONFIG_WRITE');
    const lines = result.failures.map(({ code, detail }) => `${code}: ${detail}`);
    throw new CommandFailure(lines.join('\n'), isWrite ? EXIT.failure : EXIT.usage);
  }
  for (const { trunk, missing } of result.leftOut)
    process.stderr.write(`${trunk} is left out: its account lacks ${missing.join(', ')}.\n`);
  process.stdout.write(
    `${out}: ${result.files.length} files, ${trunks.length - result.leftOut.length} trunks.\n`,
  );
}

/** The password is in no settings file: it comes as the gateway's own. */
function completed({ ari, sip, ...rest }: FiledSettings, trunks: GatewaySettings['trunks']): GatewaySettings {
  const password = setting('HAMRAHI_ARI_PASSWORD');
  if (password === null)
    throw new CommandFailure('Set HAMRAHI_ARI_PASSWORD (or HAMRAHI_ARI_PASSWORD_FILE).', EXIT.usage);
  const permittedSources =
    sip.permittedSources === 'trunks'
      ? permittedSourcesOf([setting('HAMRAHI_RELAY_ADDRESS')], trunks)
      : sip.permittedSources;
  return { ...rest, ari: { ...ari, password }, sip: { ...sip, permittedSources }, trunks };
}

function readSettings(file: string): FiledSettings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw wrong([{ file, line: null, path: '', expected: 'a file that can be read' }]);
  }
  const read = readGatewaySettings(file, text, setting('HAMRAHI_RELAY_ADDRESS'));
  if (!read.ok) throw wrong(read.problems);
  return read.settings;
}

/** Single addresses of the control plane; a network may be a carrier's too. */
function hostsOf(networks: readonly string[]): readonly string[] {
  return networks.filter((one) => parseIpAddress(one) !== null);
}

/** Every named trunk, or all problems, one line each. `own`: addresses of ours, beside the relay's. */
function load(
  given: readonly string[],
  { dir, site }: Place,
  own: readonly string[] = [],
): readonly LoadedTrunk[] {
  const folder = dir ?? setting('HAMRAHI_TRUNKS_DIR');
  const siteFile = site ?? setting('HAMRAHI_TRUNKS_SITE_FILE');
  const names = given.length > 0 ? given : (setting('HAMRAHI_TRUNKS') ?? trunkNamesIn(folder));
  if (names.length === 0) throw new CommandFailure(`${folder} has no trunk files.`, EXIT.usage);
  const ours = [setting('HAMRAHI_RELAY_ADDRESS'), ...own];
  const loaded = loadTrunks(folder, [...new Set(names)], siteFile, ours);
  if (!loaded.ok) throw wrong(loaded.problems);
  return loaded.trunks;
}

function setting<N extends Parameters<typeof loadSetting>[0]>(name: N) {
  const read = loadSetting(name);
  if (!read.ok) throw new CommandFailure(read.sentence, EXIT.usage);
  return read.value;
}

function wrong(problems: readonly FileProblem[]): CommandFailure {
  return new CommandFailure(problems.map(problemText).join('\n'), EXIT.usage);
}
