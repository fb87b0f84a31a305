/** `hamrahi probe`: a synthetic SOS from outside, once or again and again, and what it needs at the gateway. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ListenAddress } from '../../config/listen-address.ts';
import type { Location } from '../../contracts/common.ts';
import { EXIT } from '../command-failure.ts';
import { checkLine } from './findings.ts';
import { ProbeMetrics } from './probe-metrics.ts';
import * as options from './probe-options.ts';
import { addSetupCommand } from './setup-command.ts';
import { runSosProbe, type ProbeReport } from './sos-run.ts';

interface SosOptions {
  readonly url: string;
  readonly citizenTokenFile: string;
  readonly operatorTokenFile: string;
  readonly name: string;
  readonly zone: string;
  readonly place: Location;
  readonly tone: number;
  readonly phone?: true;
  readonly mediaAddress?: string;
  readonly every?: number;
  readonly metricsListen?: ListenAddress;
}

const { NOWHERE, SYNTHETIC } = options;
const DEFAULT_TONE_HZ = 1300;

export function addProbeCommand(program: Command): void {
  const probe = program.command('probe').description('synthetic SOS through the real path');
  probe
    .command('sos')
    .description('press SOS as a synthetic citizen, and listen as a synthetic operator')
    .requiredOption('--url <url>', "the gateway's public URL", options.parseUrl)
    .requiredOption('--citizen-token-file <file>', "the synthetic citizen's token; read for each run")
    .requiredOption('--operator-token-file <file>', "the synthetic operator's token; read for each run")
    .option('--name <name>', 'device and panel client of this probe', options.parseName, 'probe')
    .option('--zone <id>', 'the synthetic zone; nothing is pressed for another', options.parseZone, SYNTHETIC)
    .option(
      '--place <lat,long>',
      'where she presses (default: in the South Pacific)',
      options.parsePlace,
      NOWHERE,
    )
    .option('--tone <hz>', 'the tone that she sends', options.parseTone, DEFAULT_TONE_HZ)
    .option('--phone', 'let ICE fail: both telephones have to ring, be answered and be bridged')
    .option('--media-address <ip>', 'local address of the media (default: towards the gateway)')
    .option('--every <time>', 'go on until it is ended, a run so often: 60s, 5m', options.parseEvery)
    .option('--metrics-listen <host:port>', 'serve /metrics for Prometheus', options.parseListen)
    .addHelpText(
      'after',
      '\nExit codes: 0 all was well; 1 something was not (with --every: in the last run); 2 wrong usage.\n' +
        'A certificate authority of your own: NODE_EXTRA_CA_CERTS=<file>.',
    )
    .action(probeSos);
  addSetupCommand(probe);
}

async function probeSos(given: SosOptions): Promise<void> {
  const metrics = given.metricsListen ? new ProbeMetrics() : null;
  if (metrics && given.metricsListen) {
    const port = await metrics.listen(given.metricsListen);
    process.stderr.write(`probe: metrics on port ${port}\n`);
  }
  const ending = endOnSignal();
  let last: ProbeReport;
  for (;;) {
    const from = performance.now();
    last = await runOnce(given);
    metrics?.note(last, given.phone ? 'phone' : 'stream', Date.now());
    if (given.every === undefined) break;
    const restMs = Math.max(0, given.every - (performance.now() - from));
    const isTime = await delay(restMs, true, { signal: ending.signal }).catch(() => false);
    if (!isTime) break;
  }
  metrics?.close();
  // Sockets of a gateway that died would hold the process for a while.
  process.exit(last.ok ? 0 : EXIT.failure);
}

async function runOnce(given: SosOptions): Promise<ProbeReport> {
  const report = await runSosProbe({
    url: given.url,
    citizenToken: options.readToken(given.citizenTokenFile),
    operatorToken: options.readToken(given.operatorTokenFile),
    name: given.name,
    zone: given.zone,
    place: given.place,
    toneHz: given.tone,
    phone: given.phone ?? false,
    mediaAddress: given.mediaAddress ?? null,
  });
  const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  const verdict = report.ok ? 'all is well' : `FAILED: ${failed.join(', ')}`;
  const lines = [...report.checks.map(checkLine), `probe: ${verdict} (${new Date().toISOString()})`];
  process.stdout.write(`${lines.join('\n')}\n`);
  return report;
}

/** The run under way goes to its end, so that its SOS is resolved; a second signal ends the process at once. */
function endOnSignal(): AbortController {
  const ending = new AbortController();
  const end = (): void => {
    if (ending.signal.aborted) process.exit(EXIT.failure);
    ending.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return ending;
}
