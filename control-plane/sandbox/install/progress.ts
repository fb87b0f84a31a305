/** One step's short lines on the terminal: what it does, that it still does it, and how long it took. */
export type Progress = {
  /** A line with the seconds since the step began. */
  say(line: string): void;
  /** Says `line` every ten seconds until the returned function is called. */
  ticking(line: string): () => void;
};

const tickMs = 10_000;

export function startProgress(step: string, write: (line: string) => void = writeLine): Progress {
  const beganMs = performance.now();
  const say = (line: string): void => {
    write(`${step}: ${line} (${Math.round((performance.now() - beganMs) / 1000)} s)`);
  };
  return {
    say,
    ticking(line) {
      const timer = setInterval(() => say(line), tickMs);
      return () => clearInterval(timer);
    },
  };
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
