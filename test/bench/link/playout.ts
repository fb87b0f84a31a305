/** A listener's buffer: every frame is played at its time, and what has not come by then is concealed. */

export interface Arrival {
  /** Place in the speech. */
  readonly frame: number;
  /** Milliseconds, of any clock. */
  readonly at: number;
}

export interface Playout {
  /** In order; `false`: not there in time. */
  readonly inTime: readonly boolean[];
  readonly lost: number;
  readonly late: number;
}

const FRAME_MS = 20;

/** From the first arrival on, `frames` of them, each played `bufferMs` after the earliest moment of its kind. */
export function playOut(arrivals: readonly Arrival[], frames: number, bufferMs: number): Playout {
  const [first] = arrivals;
  if (first === undefined)
    return { inTime: Array.from({ length: frames }, () => false), lost: frames, late: 0 };
  const at = new Map<number, number>();
  for (const arrival of arrivals) if (!at.has(arrival.frame)) at.set(arrival.frame, arrival.at);
  // the fastest packet sets the clock, as a buffer that adapts would find it
  const offset = Math.min(...arrivals.map(({ frame, at: when }) => when - frame * FRAME_MS));
  let [lost, late] = [0, 0];
  const inTime = Array.from({ length: frames }, (_, index) => {
    const came = at.get(first.frame + index);
    if (came === undefined) lost += 1;
    else if (came > offset + (first.frame + index) * FRAME_MS + bufferMs) late += 1;
    else return true;
    return false;
  });
  return { inTime, lost, late };
}
