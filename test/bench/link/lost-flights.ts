/** What one lost packet costs: each flight of the handshake is lost on purpose, on a link that loses nothing else. */
import { told, type Row } from '../load/bench-table.ts';
import type { FarPhone } from './press-order.ts';
import { activeMs, type LinkRig } from './link-rig.ts';
import type { PlannedLoss } from './pass-packets.ts';

/** A message of each flight, and the checks of ICE before them. Asterisk sends a flight in one packet, werift each message in its own. */
const FLIGHTS: readonly (readonly [PlannedLoss['from'], string])[] = [
  ['phone', 'stun-request'],
  ['phone', 'stun-answer'],
  ['gateway', 'stun-request'],
  ['gateway', 'stun-answer'],
  ['phone', 'client-hello'],
  ['gateway', 'server-hello'],
  ['phone', 'certificate'],
  ['phone', 'finished'],
  ['gateway', 'finished'],
];

/** The calls are numbered from `firstNumber`. Nothing else may be lost meanwhile. */
export async function lostFlights(
  rig: LinkRig,
  phone: FarPhone,
  firstNumber: number,
  heardMs: number,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [index, [from, name]] of FLIGHTS.entries()) {
    const before = rig.link.lostAsPlanned();
    rig.link.lose({ from, name, times: 1 });
    const result = await rig.call({ number: firstNumber + index, phone, armed: true });
    const wasLost = rig.link.lostAsPlanned() === before + 1;
    const ms = activeMs(result);
    const text = ms === null ? `not heard: ${result.why}` : `heard after ${ms.toFixed(0)} ms`;
    rows.push(
      told(
        `one ${name} of the ${from} lost`,
        wasLost ? text : 'it did not get lost',
        `within ${heardMs / 1000} s`,
        wasLost && ms !== null && ms <= heardMs,
      ),
    );
  }
  return rows;
}
