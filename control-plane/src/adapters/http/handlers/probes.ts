/** Is the process alive, and can it serve? */
import type { Readiness } from '../../../contracts/health-api.ts';
import type { Gateway } from '../../../ports/gateway.ts';
import type { TrunkDesk } from '../../../ports/trunks.ts';
import { reply, type Handlers } from '../http-call.ts';
import { withDeadline } from '../with-deadline.ts';

const HEALTH_DEADLINE_MS = 2000;

export function probeHandlers(
  gateway: Gateway,
  standsBy: () => boolean,
  trunks: Pick<TrunkDesk, 'entries'>,
): Pick<Handlers, 'getHealthz' | 'getReadyz'> {
  return {
    getHealthz: () => Promise.resolve(reply(200, { alive: true })),
    getReadyz: async () => {
      const body = await readinessOf(gateway, standsBy(), trunks);
      return reply(body.ready ? 200 : 503, body);
    },
  };
}

async function readinessOf(
  gateway: Gateway,
  standby: boolean,
  desk: Pick<TrunkDesk, 'entries'>,
): Promise<Readiness> {
  const dials = desk.entries().some(({ fault }) => fault === null);
  const trunks = { ok: dials, reason: dials ? null : 'no trunk can be used: nobody can be telephoned' };
  try {
    const { engine, database, journal } = await withDeadline(gateway.health(), HEALTH_DEADLINE_MS);
    return {
      // Without its database a node acts from its journal: to take it out would turn away every SOS at once.
      ready: engine && !standby,
      standby,
      // A stream needs no trunk: whoever is there is served.
      degraded: !engine || !database || !journal.durable || !dials,
      checks: {
        engine: { ok: engine, reason: engine ? null : 'the engine is not attached' },
        database: { ok: database, reason: database ? null : 'the database does not answer' },
        journal: { ok: journal.durable, entries: journal.entries },
        trunks,
      },
    };
  } catch {
    const check = { ok: false, reason: `the gateway gave no answer within ${HEALTH_DEADLINE_MS} ms` };
    return {
      ready: false,
      standby,
      degraded: true,
      checks: { engine: check, database: check, journal: { ok: false, entries: 0 }, trunks },
    };
  }
}
