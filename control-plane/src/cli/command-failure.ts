/** How a command ends: 0 as asked, 1 it could not be done or what was checked is not so, 2 it was asked wrongly. */
export const EXIT = { failure: 1, usage: 2 } as const;

/** Ends the command with one sentence on standard error. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(sentence: string, exitCode: number = EXIT.failure) {
    super(sentence);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}
