/** A first carrier that fails in different ways: how long until the second one rings, or the call has ended. */
import { startFailoverLab } from '../support/failover-lab.ts';

export interface FailoverFigures {
  /** The first carrier's final answer → the second rings, which it does 200 ms after the INVITE. */
  readonly refused: readonly number[];
  /** The order to dial → the second rings, where the first cannot be connected to. */
  readonly unreachable: readonly number[];
  /** The order to dial → the second rings, where the first says nothing. */
  readonly silent: readonly number[];
  /** The order to dial → the leg's end, where no carrier says a word. */
  readonly dead: readonly number[];
}

const DEAD_CALLS = 5;

export async function failovers(calls: number, tell: (done: number) => void): Promise<FailoverFigures> {
  const lab = await startFailoverLab();
  let done = 0;
  const untilRings = async (since: 'failure' | 'order'): Promise<number> => {
    const { legId, dialledAt } = await lab.dial(lab.number('ring-for-ever'));
    const failed = since === 'failure' ? await lab.until(legId, 'leg.try-ended') : null;
    const rang = await lab.until(legId, 'leg.ringing');
    await lab.lines.hangup(legId, 'normal');
    await lab.until(legId, 'leg.ended');
    tell((done += 1));
    return rang.at - (failed?.at ?? dialledAt);
  };
  const series = async (since: 'failure' | 'order'): Promise<number[]> => {
    const values: number[] = [];
    for (let call = 0; call < calls; call += 1) values.push(await untilRings(since));
    return values;
  };
  try {
    lab.play('100 Trying', '503 Service Unavailable');
    const refused = await series('failure');
    lab.play();
    const silent = await series('order');
    lab.trunks = [lab.refused, lab.second];
    const unreachable = await series('order');
    lab.trunks = [lab.first];
    const dead = await Promise.all(
      Array.from({ length: DEAD_CALLS }, async () => {
        const { legId, dialledAt } = await lab.dial(lab.number('ring-for-ever'));
        const ended = await lab.until(legId, 'leg.ended');
        tell((done += 1));
        return ended.at - dialledAt;
      }),
    );
    return { refused, unreachable, silent, dead };
  } finally {
    await lab.stop();
  }
}
