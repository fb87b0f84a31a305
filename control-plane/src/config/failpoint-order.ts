/** `<kill|stop>:<place>[/<detail>]:<passage>[:on-signal]`: where a crash test lets this process die. */

const FORM = /^(kill|stop):([a-z-]+)(?:\/([a-z.-]+))?:([1-9]\d{0,5})(:on-signal)?$/;
const PLACES = [
  'decided',
  'committed',
  'command-due',
  'command-done',
  'engine-told',
  'timer-fired',
  'reconciling',
] as const;

export interface FailpointSetting {
  readonly action: 'kill' | 'stop';
  readonly place: (typeof PLACES)[number];
  /** Name of the event or command; `null`: any. */
  readonly detail: string | null;
  readonly passage: number;
  /** Counted from SIGUSR2 on; otherwise from the start. */
  readonly onSignal: boolean;
}

export function parseFailpoint(text: string): FailpointSetting | null {
  const match = FORM.exec(text);
  const place = PLACES.find((one) => one === match?.[2]);
  if (!match || place === undefined) return null;
  return {
    action: match[1] === 'stop' ? 'stop' : 'kill',
    place,
    detail: match[3] ?? null,
    passage: Number(match[4]),
    onSignal: match[5] !== undefined,
  };
}
