/** A process that ends or stops itself at one place, as a crash or a stalled machine would: nothing is tidied up. */
import type { FailpointOrder, Failpoints } from '../../ports/failpoints.ts';

const SIGNALS = { kill: 'SIGKILL', stop: 'SIGSTOP' } as const;

export function processFailpoints(order: FailpointOrder): Failpoints {
  let counting = !order.onSignal;
  let left = order.passage;
  if (order.onSignal) process.once('SIGUSR2', () => (counting = true));
  return {
    passed: (place, detail) => {
      if (!counting || place !== order.place) return;
      if (order.detail !== null && order.detail !== detail) return;
      left -= 1;
      // The kernel delivers it before this call returns.
      if (left === 0) process.kill(process.pid, SIGNALS[order.action]);
    },
  };
}
