/** What one run of the probe has found: a line for each thing that was looked at. */
import { DeadlineError } from '../../../client/deadline.ts';
import { GatewayError } from '../../../client/gateway-api.ts';

/** Closed, because they are label values of metrics. */
export type CheckName =
  | 'gateway'
  | 'shift'
  | 'zone'
  | 'device'
  | 'press'
  | 'offer'
  | 'told'
  | 'streaming'
  | 'heard'
  | 'tone'
  | 'one-way'
  | 'watchdog'
  | 'invite'
  | 'fallback-told'
  | 'her-phone'
  | 'duty-phone'
  | 'bridged'
  | 'end';

export interface Check {
  readonly name: CheckName;
  /** `null`: no requirement says anything of it. */
  readonly requirement: string | null;
  readonly ok: boolean;
  /** `null`: it did not come about, or is no matter of time. */
  readonly valueMs: number | null;
  readonly limitMs: number | null;
  /** Why not. */
  readonly why: string | null;
}

export const CHECK_WORDS: Readonly<Record<CheckName, string>> = {
  gateway: 'the gateway answers',
  shift: 'the operator is on shift',
  zone: 'the SOS would go to the synthetic zone',
  device: "the citizen's device is registered",
  press: 'the SOS is accepted',
  offer: 'offer at her device',
  told: 'panel told',
  streaming: 'her packets reach the gateway',
  heard: 'the panel counts her packets',
  tone: "her tone recognised at the operator's end",
  'one-way': 'no audio towards her',
  watchdog: 'watchdog after the activation',
  invite: 'watchdog → INVITE for her phone',
  'fallback-told': 'initiation → panel told',
  'her-phone': 'her phone answered',
  'duty-phone': 'duty phone answered',
  bridged: 'both phones bridged',
  end: 'resolved, and every call is gone',
};

export class Findings {
  readonly checks: Check[] = [];

  get ok(): boolean {
    return this.checks.length > 0 && this.checks.every((check) => check.ok);
  }

  /** `null`: it did not happen. */
  within(
    name: CheckName,
    requirement: string | null,
    limitMs: number,
    valueMs: number | null,
    why: string | null = null,
  ): void {
    const ok = valueMs !== null && valueMs <= limitMs;
    const reason = ok ? null : (why ?? (valueMs === null ? 'it did not happen' : 'too late'));
    this.checks.push({ name, requirement, ok, valueMs, limitMs, why: reason });
  }

  holds(name: CheckName, requirement: string | null, ok: boolean, why: string): void {
    this.checks.push({ name, requirement, ok, valueMs: null, limitMs: null, why: ok ? null : why });
  }

  /** Does a step with a time of its own. `null`: it failed, and the run can go no further. */
  async step<Value>(name: CheckName, limitMs: number, work: () => Promise<Value>): Promise<Value | null> {
    const from = performance.now();
    try {
      const value = await work();
      this.within(name, null, limitMs, performance.now() - from);
      return value;
    } catch (error) {
      this.within(name, null, limitMs, null, inWords(error));
      return null;
    }
  }
}

export function inWords(error: unknown): string {
  if (error instanceof GatewayError) return `${error.message} (${error.code})`;
  if (error instanceof DeadlineError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

const WORDS_WIDTH = 44;

/** For a terminal or a journal. */
export function checkLine({ name, requirement, ok, valueMs, limitMs, why }: Check): string {
  const value = valueMs === null ? '' : `${valueMs.toFixed(1)} ms`;
  const limit = limitMs === null || valueMs === null ? '' : `of ${limitMs} ms`;
  const reason = why === null ? '' : `: ${why}`;
  const times = value === '' ? '' : ` ${value.padStart(10)} ${limit}`;
  const words = `${CHECK_WORDS[name]}${reason}`;
  return `${ok ? 'ok  ' : 'FAIL'}  ${(requirement ?? '').padEnd(6)} ${words.padEnd(WORDS_WIDTH)}${times}`.trimEnd();
}
