/**
 * `pass-packets.ts <delay ms> <jitter ms> <loss> <fd> <fd>`: hands packets from each tunnel to the other one, late, and
 * not all of them. Says `ready` once it does.
 */
import { read, write } from 'node:fs';
import { DelayLine } from './delay-line.ts';

const [delayMs = 0, jitterMs = 0, loss = 0, near = -1, far = -1] = process.argv.slice(2).map(Number);
const LONGEST_PACKET = 65_535;

function pass(from: number, to: number): void {
  const line = new DelayLine({ delayMs, jitterMs, loss, random: Math.random });
  let timer: NodeJS.Timeout | undefined;
  const deliver = (): void => {
    for (const packet of line.due(performance.now())) write(to, packet, () => undefined);
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
      line.take(Buffer.from(buffer.subarray(0, size)), performance.now());
      timer ??= setTimeout(deliver, Math.max(0, (line.nextAt() ?? 0) - performance.now()));
      next();
    });
  };
  next();
}

pass(near, far);
pass(far, near);
process.stdout.write('ready\n');
