/**
 * The gateway's one program. Roles: `core` decides, drives the engine and serves the API; `edge` relays SIP from
 * phones and browsers; `all` is both in one process. Settings come from the environment (docs/configuration.md).
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from './adapters/clock/system-clock.ts';
import { budgeted } from './adapters/log/log-budget.ts';
import { createLog } from './adapters/log/winston-log.ts';
import { PrometheusMetrics } from './adapters/metrics/prometheus-metrics.ts';
import { watchClock } from './app/clock-watch.ts';
import type { Config } from './config/config.ts';
import { describeConfigErrors, loadProcessConfig } from './config/load-config.ts';
import { Secret } from './domain/secret.ts';
import { startCoreNode, type NodePorts } from './main/core-node.ts';
import { startEdgeNode } from './main/edge-node.ts';
import type { OpsAlerts } from './ports/ops-alerts.ts';

const STOP_DEADLINE_MS = 10_000;
const EXIT_BAD_CONFIG = 2;
/** Another node has taken over. Whatever this process still had in mind ends with it; started anew, it stands by. */
const EXIT_FENCED = 3;
const CLOCK_TOLERANCE_MS = 100;

interface Stoppable {
  stop(): Promise<void>;
}

interface Reloadable {
  reload(): Promise<void>;
}

/** Where this process tells whoever is on call; `null`: nowhere (yet). */
interface OnCall {
  alerts: OpsAlerts | null;
}

/** Times of this process are off by this from the machine's, until it is started anew. */
function clockStepped({ nodeId }: Config, { alerts }: OnCall, offsetMs: number): void {
  if (Math.abs(offsetMs) < CLOCK_TOLERANCE_MS) alerts?.resolve('clock-step', nodeId);
  else
    alerts?.raise({
      kind: 'clock-step',
      subject: nodeId,
      severity: 'warning',
      summary: `The clock of node ${nodeId} was set while it ran: its times are off by ${Math.abs(offsetMs)} ms.`,
    });
}

/** Fills `running` as it goes, so that a signal ends what there is. Returns once this process does its part. */
async function start(
  config: Config,
  ports: NodePorts,
  running: Stoppable[],
  reloadable: Reloadable[],
  onCall: OnCall,
): Promise<void> {
  const secret = config.core?.internal?.secret ?? new Secret(randomBytes(32).toString('base64url'));
  const core = config.core && (await startCoreNode(config, config.core, secret, ports));
  if (core) {
    running.push(core);
    reloadable.push(core);
    onCall.alerts = core.alerts;
    void core.fenced.then(() => process.exit(EXIT_FENCED));
    if (!(await core.serving)) return;
  }
  const attachTo = core
    ? { urls: [core.internal.url], secret: core.internal.secret }
    : config.edge?.core && { urls: config.edge.core.urls, secret: config.edge.core.secret.reveal() };
  if (config.edge && attachTo) running.push(await startEdgeNode(config, config.edge, attachTo, ports));
}

/** SIGHUP: the files that may be read anew. An edge has none, and goes on. */
function reloadOnSignal(nodes: readonly Reloadable[], { log }: NodePorts): void {
  process.on('SIGHUP', () => {
    log.info('reading the trunk files anew', { signal: 'SIGHUP', nodes: nodes.length });
    for (const node of nodes) void node.reload();
  });
}

/** SIGINT and SIGTERM end the process in order, the edge before the core; a second signal or the deadline ends it at once. */
function stopOnSignal(running: readonly Stoppable[], { log }: NodePorts): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info('stopping', { signal });
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    void (async () => {
      for (const one of running.toReversed()) await one.stop();
    })().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('the process did not stop cleanly', { error: String(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
}

const loaded = loadProcessConfig();
if (!loaded.ok) {
  process.stderr.write(
    `The settings are wrong:\n${describeConfigErrors(loaded.errors)}\nSee docs/configuration.md.\n`,
  );
  process.exit(EXIT_BAD_CONFIG);
}
const config = loaded.value;
const clock = systemClock();
const metrics = new PrometheusMetrics();
const log = budgeted(createLog(config.logLevel), clock, metrics).child({
  node: config.nodeId,
  role: config.role,
});
const ports: NodePorts = { clock, log, metrics };
process.on('unhandledRejection', (reason) => {
  ports.metrics.count('hamrahi_core_unhandled_rejections_total');
  log.error('a promise was rejected and nobody cared', { error: String(reason) });
});
const onCall: OnCall = { alerts: null };
watchClock(ports.clock, log, ports.metrics, (offsetMs) => clockStepped(config, onCall, offsetMs));
const running: Stoppable[] = [];
const reloadable: Reloadable[] = [];
stopOnSignal(running, ports);
reloadOnSignal(reloadable, ports);
try {
  await start(config, ports, running, reloadable, onCall);
} catch (error) {
  log.error('the gateway could not start', { error: String(error) });
  setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
  // What it holds goes to who waits for it.
  for (const one of running.toReversed()) await one.stop();
  process.exit(1);
}
