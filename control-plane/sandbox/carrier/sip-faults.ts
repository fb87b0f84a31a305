import type { SipFault } from './report-schema.ts';
import type { SipMessage } from './sip-message.ts';

/** The faults that tests have asked the carrier's front for. */
export interface SipFaults {
  add(fault: SipFault): void;
  /** Ends every fault; what was delayed is lost. */
  clear(): void;
  /** What befalls this message: the first fault that matches, which is thereby used once. */
  actionFor(
    message: SipMessage,
    from: 'gateway' | 'carrier',
    number: string | undefined,
  ): SipFault['action'] | undefined;
  later(send: () => void, delayMs: number): void;
}

const MAX_FAULTS = 100;

export function createSipFaults(): SipFaults {
  let active: { fault: SipFault; left: number }[] = [];
  const timers = new Set<NodeJS.Timeout>();
  return {
    add(fault) {
      if (active.length >= MAX_FAULTS) throw new RangeError(`more than ${MAX_FAULTS} faults at a time`);
      active.push({ fault, left: fault.times ?? Infinity });
    },
    clear() {
      active = [];
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
    actionFor(message, from, number) {
      const found = active.find(({ fault }) => matches(fault, message, from, number));
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) active = active.filter((one) => one !== found);
      return found.fault.action;
    },
    later(send, delayMs) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        send();
      }, delayMs);
      timers.add(timer);
    },
  };
}

function matches(
  fault: SipFault,
  message: SipMessage,
  from: 'gateway' | 'carrier',
  number: string | undefined,
): boolean {
  const status = message.start.kind === 'response' ? message.start.status : undefined;
  return (
    (fault.number === undefined || fault.number === number) &&
    (fault.from === undefined || fault.from === from) &&
    (fault.method === undefined || fault.method === message.cseq.method) &&
    (fault.status === undefined || fault.status === status)
  );
}
