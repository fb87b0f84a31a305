/** A queue that a few lanes work off: what is first in it begins as soon as there is room for it. */

export type Job<End> = {
  /** How many lanes it takes; all of them when there are fewer. */
  width: number;
  /** Never rejects for a reason that the other jobs could not have, too. */
  run: () => Promise<End>;
};

/** The ends, in the order of the jobs. Rejects as soon as one job does; those that run are left to themselves. */
export function runInLanes<End>(jobs: readonly Job<End>[], lanes: number): Promise<End[]> {
  const ends: End[] = [];
  let free = lanes;
  let next = 0;
  let running = 0;
  return new Promise((resolve, reject) => {
    const goOn = (): void => {
      for (let job = jobs[next]; job !== undefined; job = jobs[next]) {
        const width = Math.min(job.width, lanes);
        if (width > free) break;
        const place = next;
        [free, next, running] = [free - width, next + 1, running + 1];
        job.run().then((end) => {
          ends[place] = end;
          [free, running] = [free + width, running - 1];
          goOn();
        }, reject);
      }
      if (running === 0) resolve(ends);
    };
    goOn();
  });
}
