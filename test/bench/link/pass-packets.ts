/**
 * `pass-packets.ts <delay ms> <jitter ms> <loss> <fd> <fd>`: hands packets from each tunnel to the other one, late, and
 * not all of them. Says `ready` once it does. A line on its standard input names packets that get lost besides
 * (PlannedLoss as JSON), and it says `lost` for each of them; or it is a new share of losses, as a number.
 */
import { read, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DelayLine } from './delay-line.ts';
import { packetNames } from './packet-names.ts';

/** The next packets of this name that come from this side, as many as `times`. */
export interface PlannedLoss {
  readonly from: 'phone' | 'gateway';
  /** See packet-names.ts. */
  readonly name: string;
  readonly times: number;
}

const [delayMs = 0, jitterMs = 0, firstLoss = 0, near = -1, far = -1] = process.argv.slice(2).map(Number);
const LONGEST_PACKET = 65_535;
let chance = firstLoss;
let planned: PlannedLoss[] = [];

function isLost(from: PlannedLoss['from'], packet: Buffer): boolean {
  if (planned.length === 0) return false;
  const names = packetNames(packet);
  const hit = planned.find((one) => one.from === from && names.includes(one.name));
  if (!hit) return false;
  planned = planned.flatMap((one) =>
    one !== hit ? [one] : one.times > 1 ? [{ ...one, times: one.times - 1 }] : [],
  );
  process.stdout.write('lost\n');
  return true;
}

/** At once: writes that are under way together end in any order. */
function handOver(packet: Buffer, to: number): void {
  try {
    writeSync(to, packet);
  } catch {
    // the tunnel is down, and the packet is lost like any other
  }
}

function pass(from: number, to: number, side: PlannedLoss['from']): void {
  const line = new DelayLine({ delayMs, jitterMs, loss: () => chance, random: Math.random });
  let timer: NodeJS.Timeout | undefined;
  const deliver = (): void => {
    for (const packet of line.due(performance.now())) handOver(packet, to);
    const nextAt = line.nextAt();
    timer = nextAt === null ? undefined : setTimeout(deliver, Math.max(0, nextAt - performance.now()));
  };
  const next = (): void => {
    const buffer = Buffer.allocUnsafe(LONGEST_PACKET);
    read(from, buffer, 0, LONGEST_PACKET, null, (error, size) => {
      // a tunnel without its interface: it is being taken away, or is not up yet
      if (error) {
        setTimeout(next, 10);
        return;
      }
      const packet = Buffer.from(buffer.subarray(0, size));
      if (!isLost(side, packet)) line.take(packet, performance.now());
      timer ??= setTimeout(deliver, Math.max(0, (line.nextAt() ?? 0) - performance.now()));
      next();
    });
  };
  next();
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as PlannedLoss | number;
  if (typeof order === 'number') chance = order;
  else planned.push(order);
});
pass(near, far, 'gateway');
pass(far, near, 'phone');
process.stdout.write('ready\n');
