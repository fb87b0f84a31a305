/** Every wait of a client has an end. */

/** Thrown when something took longer than it may. */
export class DeadlineError extends Error {
  readonly code = 'ERR_CLIENT_DEADLINE';

  constructor(what: string, limitMs: number) {
    super(`${what} took longer than ${limitMs} ms`);
    this.name = 'DeadlineError';
  }
}

/** What `work` gives, or a DeadlineError after `limitMs`. The work itself is not stopped. */
export function withDeadline<Value>(work: Promise<Value>, limitMs: number, what: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineError(what, limitMs)), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
