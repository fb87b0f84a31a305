/** Finds and fills the elements of a page. */

/** The element of this `data-testid`; a page without it is a bug. */
export function element(testId: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-testid="${testId}"]`);
  if (found === null) throw new Error(`the page has no ${testId}`);
  return found;
}

export function inputElement(testId: string): HTMLInputElement | HTMLTextAreaElement {
  return element(testId) as HTMLInputElement | HTMLTextAreaElement;
}

/** Writes only what changed: a live region speaks at every write. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Shows the text, or hides the element when there is none. */
export function setNotice(target: HTMLElement, text: string): void {
  target.hidden = text === '';
  setText(target, text);
}

const METER_FLOOR_DB = -60;

/** Moves a level meter; `null`: no level is known. */
export function setMeter(meter: HTMLElement, levelDb: number | null): void {
  const shown = Math.min(0, Math.max(METER_FLOOR_DB, levelDb ?? METER_FLOOR_DB));
  meter.dataset['levelDb'] = levelDb === null ? '' : Math.max(-200, levelDb).toFixed(1);
  meter.setAttribute('aria-valuenow', shown.toFixed(0));
  const bar = meter.querySelector('span');
  if (bar !== null) bar.style.transform = `scaleX(${(1 - shown / METER_FLOOR_DB).toFixed(3)})`;
}
