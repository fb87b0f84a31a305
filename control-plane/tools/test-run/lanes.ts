/** A queue that a few lanes work off: whenever there is room, the first job that fits begins. */

export type Job<End> = {
  /** How many lanes it takes; all of them when there are fewer. Those that take several come first, or they wait long. */
  width: number;
  run: () => Promise<End>;
};

/** The ends, in the order of the jobs. Rejects as soon as one job does; those that run are left to themselves. */
export function runInLanes<End>(jobs: readonly Job<End>[], lanes: number): Promise<End[]> {
  const ends: End[] = [];
  const waiting = new Map(jobs.entries());
  let free = lanes;
  let running = 0;
  return new Promise((resolve, reject) => {
    const begin = (place: number, job: Job<End>, width: number): void => {
      waiting.delete(place);
      free -= width;
      running += 1;
      job.run().then((end) => {
        ends[place] = end;
        free += width;
        running -= 1;
        goOn();
      }, reject);
    };
    const goOn = (): void => {
      for (const [place, job] of waiting) {
        const width = Math.min(job.width, lanes);
        if (width <= free) begin(place, job, width);
      }
      if (running === 0) resolve(ends);
    };
    goOn();
  });
}
