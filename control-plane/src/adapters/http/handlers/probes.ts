/** Is the process alive, and can it serve? */
import type { Readiness } from '../../../contracts/health-api.ts';
import type { Gateway } from '../../../ports/gateway.ts';
import type { OpsAlertBoard } from '../../../ports/ops-alerts.ts';
import type { TrunkDesk } from '../../../ports/trunks.ts';
import { reply, type Handlers } from '../http-call.ts';
import { withDeadline } from '../with-deadline.ts';

const HEALTH_DEADLINE_MS = 2000;

export function probeHandlers(
  gateway: Gateway,
  standsBy: () => boolean,
  alerts: Pick<OpsAlertBoard, 'channels'>,
  trunks: Pick<TrunkDesk, 'entries'>,
): Pick<Handlers, 'getHealthz' | 'getReadyz'> {
  return {
    getHealthz: () => Promise.resolve(reply(200, { alive: true })),
    getReadyz: async () => {
      const checks = { alerting: alertingOf(alerts), trunks: dialsOf(trunks) };
      const body = await readinessOf(gateway, standsBy(), checks);
      return reply(body.ready ? 200 : 503, body);
    },
  };
}

/** Nobody told is worth a look, and no reason to take a node out that serves. */
function alertingOf(alerts: Pick<OpsAlertBoard, 'channels'>): Readiness['checks']['alerting'] {
  const channels = alerts.channels();
  if (channels.length === 0) return { ok: false, reason: 'no channel for alerts is set' };
  const failing = channels.filter((channel) => channel.failing !== null);
  if (failing.length === 0) return { ok: true, reason: null };
  const reason = failing.map((channel) => `${channel.name}: ${channel.failing ?? ''}`).join(', ');
  return { ok: failing.length < channels.length, reason };
}

/** A stream needs no trunk: whoever is there is served. */
function dialsOf(trunks: Pick<TrunkDesk, 'entries'>): Readiness['checks']['trunks'] {
  const ok = trunks.entries().some(({ fault }) => fault === null);
  return { ok, reason: ok ? null : 'no trunk can be used: nobody can be telephoned' };
}

async function readinessOf(
  gateway: Gateway,
  standby: boolean,
  others: Pick<Readiness['checks'], 'alerting' | 'trunks'>,
): Promise<Readiness> {
  try {
    const { engine, database, journal } = await withDeadline(gateway.health(), HEALTH_DEADLINE_MS);
    return {
      // Without its database a node acts from its journal: to take it out would turn away every SOS at once.
      ready: engine && !standby,
      standby,
      // A stream needs no trunk: whoever is there is served.
      degraded: !engine || !database || !journal.durable || !others.trunks.ok,
      checks: {
        engine: { ok: engine, reason: engine ? null : 'the engine is not attached' },
        database: { ok: database, reason: database ? null : 'the database does not answer' },
        journal: { ok: journal.durable, entries: journal.entries },
        ...others,
      },
    };
  } catch {
    const check = { ok: false, reason: `the gateway gave no answer within ${HEALTH_DEADLINE_MS} ms` };
    return {
      ready: false,
      standby,
      degraded: true,
      checks: { engine: check, database: check, journal: { ok: false, entries: 0 }, ...others },
    };
  }
}
