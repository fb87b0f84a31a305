/** A button that acts only when it is held: with finger, mouse, or the space bar. */
export interface HoldOptions {
  readonly button: HTMLElement;
  readonly holdMs: number;
  readonly onDown: () => void;
  /** Held long enough; the finger may still be down. */
  readonly onHeld: () => void;
  /** Let go too early. */
  readonly onLetGo: () => void;
}

export function watchHold({ button, holdMs, onDown, onHeld, onLetGo }: HoldOptions): void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const down = (): void => {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      onHeld();
    }, holdMs);
    onDown();
  };
  const up = (): void => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    onLetGo();
  };
  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    down();
  });
  button.addEventListener('pointerup', up);
  button.addEventListener('pointercancel', up);
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  button.addEventListener('keydown', (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (!event.repeat) down();
  });
  button.addEventListener('keyup', up);
  button.addEventListener('blur', up);
}
