import type { Instant } from '../../domain/ids.ts';
import type { Line } from '../../domain/line/line.ts';
import type { HangupReason, PbxErrorCode, PbxResult } from '../../ports/pbx-driver.ts';
import type { LineDial } from '../../ports/telephony.ts';

/** A line with what is under way for it in this process. */
export interface Live {
  line: Line;
  /** `null`: found in the engine, and nobody has said yet whom it calls. */
  dial: LineDial | null;
  reason: HangupReason | null;
  /** The order to dial waits for this; `null` once it was answered. */
  answer: ((result: PbxResult) => void) | null;
  lastCode: PbxErrorCode;
  /** Every try of this process's time, ended ones too. */
  readonly facts: Map<number, TryFacts>;
  /** What the engine said of tries whose order is under way: told once the order's own answer is there. */
  readonly held: Map<number, (() => void)[]>;
  readonly cancels: Set<() => void>;
  /** Tries of which the carrier never heard: their ends say nothing of its trunk. */
  readonly unsent: Set<number>;
  /** A carrier has given a final answer to one of the tries. */
  spokenTo: boolean;
}

export interface TryFacts {
  readonly trunk: string;
  readonly dialledAt: Instant;
  /** Its end was told, and counted: once. */
  noted: boolean;
}

/** `answer`: who waits for how the order to dial goes; `null`: nobody, the line was found in the engine. */
export function liveLine(line: Line, dial: LineDial | null, answer: Live['answer']): Live {
  return {
    line,
    dial,
    reason: null,
    answer,
    lastCode: 'ERR_PBX_REFUSED',
    facts: new Map(),
    held: new Map(),
    cancels: new Set(),
    unsent: new Set(),
    spokenTo: false,
  };
}
