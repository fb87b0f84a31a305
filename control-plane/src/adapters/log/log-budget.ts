/**
 * What somebody outside can cause to be logged must not fill a disk. Each warning and error, by its words, has a budget;
 * what is beyond is counted, and the next line of it that is written says how many were not. Lines of a session are
 * never left out: a citizen has one session at a time, and each line of it may be evidence.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields, Metrics } from '../../ports/log.ts';

const LINES_AT_ONCE = 30;
const LINES_PER_SECOND = 1;
/** Messages are constants of the program; more kinds than these are a mistake in it, and share one budget. */
const MAX_MESSAGES = 500;

interface Budget {
  left: number;
  at: number;
  suppressed: number;
}

export function budgeted(log: Log, clock: Clock, metrics: Metrics): Log {
  const budgets = new Map<string, Budget>();
  const bounded = (inner: Log): Log => {
    const write = (level: 'warn' | 'error', message: string, fields: LogFields = {}): void => {
      if ('sessionId' in fields || 'legId' in fields) {
        inner[level](message, fields);
        return;
      }
      const budget = budgetOf(budgets, message, clock.now());
      if (budget.left < 1) {
        budget.suppressed += 1;
        metrics.count('hamrahi_log_suppressed_total', { level });
        return;
      }
      budget.left -= 1;
      const { suppressed } = budget;
      budget.suppressed = 0;
      inner[level](message, suppressed > 0 ? { ...fields, suppressed } : fields);
    };
    return {
      debug: (message, fields) => inner.debug(message, fields),
      info: (message, fields) => inner.info(message, fields),
      warn: (message, fields) => write('warn', message, fields),
      error: (message, fields) => write('error', message, fields),
      child: (fields) => bounded(inner.child(fields)),
    };
  };
  return bounded(log);
}

function budgetOf(budgets: Map<string, Budget>, message: string, now: number): Budget {
  const key = budgets.has(message) || budgets.size < MAX_MESSAGES ? message : 'others';
  const budget = budgets.get(key) ?? { left: LINES_AT_ONCE, at: now, suppressed: 0 };
  const refill = (Math.max(0, now - budget.at) / 1000) * LINES_PER_SECOND;
  budget.left = Math.min(LINES_AT_ONCE, budget.left + refill);
  budget.at = now;
  budgets.set(key, budget);
  return budget;
}
