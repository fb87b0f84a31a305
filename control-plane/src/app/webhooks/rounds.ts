/** Work that is done once at a time, and once more when it is wanted meanwhile. */
export class Rounds {
  readonly #work: () => Promise<void>;
  #isWanted = false;
  #running: Promise<void> | null = null;

  /** `work` rejects never; what it failed at is wanted again by somebody. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  want(): void {
    this.#isWanted = true;
    this.#running ??= this.#run();
  }

  /** What is wanted from now on is not waited for. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#work();
    }
    // In the same turn as the last look: what is wanted next finds it free.
    this.#running = null;
  }
}
