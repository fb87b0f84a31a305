/**
 * Whether a trunk is up, by what is known of it: the words of OPTIONS and of its registration, and how calls went.
 * One missed OPTIONS is a doubt, and so is one call that the carrier did not take; a call that rings or is answered
 * outranks every word that was said before it. Nothing here keeps an SOS from trying the trunk.
 */
import type { Instant } from '../ids.ts';

export type TrunkState = 'up' | 'doubtful' | 'down';
/** Who speaks against it. */
export type TrunkGround = 'options' | 'registration' | 'calls';

/**
 * `good`: the carrier took it to somebody. `bad`: it did not answer, or took it not at all. `refused`: it took this one not,
 * and may mean whom it was for: a doubt, however often. `full`: it has no room.
 */
export type CallEvidence = 'good' | 'bad' | 'refused' | 'full';

interface Word {
  readonly good: boolean;
  readonly since: Instant;
}

export interface TrunkEvidence {
  readonly state: TrunkState;
  readonly options: Word | null;
  readonly registration: Word | null;
  readonly goodCallAt: Instant | null;
  /** In a row, and when the last one was. */
  readonly badCalls: number;
  readonly badCallAt: Instant | null;
  readonly fullCalls: number;
  readonly fullCallAt: Instant | null;
  /** It was down by its calls alone, and nothing has shown since that it is not: the next bad call brings it down. */
  readonly onProbation: boolean;
  /** Since when nothing speaks against it; `null`: something does, or it is up. */
  readonly steadySince: Instant | null;
}

export interface EvidenceTimes {
  /** OPTIONS unanswered for so long: down. More than one interval, so that a second one was missed too. */
  readonly confirmMs: number;
  /** Nothing speaks against it for so long: up again. */
  readonly recoverMs: number;
}

const BAD_CALLS = 3;
/** A doubt by one or two calls lasts so long. */
const DOUBT_MS = 60_000;
/** A registration that was refused, or not answered, for so long: down. */
const UNREGISTERED_MS = 60_000;
/** A call that rang outranks an older word against the trunk for so long. */
const BELIEVED_MS = 300_000;
/** Down by calls alone, and none was tried for so long: it may be tried again before what is down. */
const REST_MS = 300_000;

export const NO_EVIDENCE: TrunkEvidence = {
  state: 'up',
  options: null,
  registration: null,
  goodCallAt: null,
  badCalls: 0,
  badCallAt: null,
  fullCalls: 0,
  fullCallAt: null,
  onProbation: false,
  steadySince: null,
};

/** The times of a trunk that is asked by OPTIONS every `intervalS` (0: never) and waits `timeoutS` for the answer. */
export function evidenceTimes(intervalS: number, timeoutS: number): EvidenceTimes {
  const roundMs = (intervalS + timeoutS) * 1000;
  return {
    confirmMs: Math.min(roundMs + 1000, 45_000),
    recoverMs: Math.min(Math.max(roundMs, 3000), 15_000),
  };
}

export function noteCall(evidence: TrunkEvidence, call: CallEvidence, at: Instant): TrunkEvidence {
  switch (call) {
    case 'good':
      return {
        ...NO_EVIDENCE,
        options: evidence.options,
        registration: evidence.registration,
        goodCallAt: at,
      };
    case 'bad': {
      const badCalls = evidence.onProbation ? BAD_CALLS : evidence.badCalls + 1;
      return { ...evidence, badCalls, badCallAt: at, fullCalls: 0, onProbation: false };
    }
    case 'refused':
      return {
        ...evidence,
        badCalls: Math.max(evidence.badCalls, Math.min(evidence.badCalls + 1, BAD_CALLS - 1)),
        badCallAt: at,
      };
    case 'full':
      return { ...evidence, fullCalls: evidence.fullCalls + 1, fullCallAt: at };
  }
}

/** A word that was said before is no news. `null`: nobody can tell any more. */
export function noteWord(
  evidence: TrunkEvidence,
  from: 'options' | 'registration',
  good: boolean | null,
  at: Instant,
): TrunkEvidence {
  if (good === null) return { ...evidence, [from]: null };
  if (evidence[from]?.good === good) return evidence;
  const heard = { ...evidence, [from]: { good, since: at } };
  if (!good) return heard;
  // It has come back: what calls have said before is old, and one more bad one confirms it.
  return { ...heard, badCalls: Math.min(heard.badCalls, BAD_CALLS - 1), onProbation: false };
}

/** The evidence with the state that follows from it at `now`. */
export function judge(evidence: TrunkEvidence, times: EvidenceTimes, now: Instant): TrunkEvidence {
  const rested = rest(evidence, now);
  const complaint = complaintAt(rested, times, now);
  if (complaint !== null) return { ...rested, state: complaint, steadySince: null };
  if (rested.state === 'up') return rested;
  const steadySince = rested.steadySince ?? now;
  const isUp = now - steadySince >= times.recoverMs;
  return { ...rested, state: isUp ? 'up' : 'doubtful', steadySince: isUp ? null : steadySince };
}

/** Nobody has called by it for a while, as it is down: it gets another chance, and a doubt. */
function rest(evidence: TrunkEvidence, now: Instant): TrunkEvidence {
  const { badCalls, badCallAt } = evidence;
  if (badCalls < BAD_CALLS || badCallAt === null || now - badCallAt < REST_MS) return evidence;
  return { ...evidence, badCalls: BAD_CALLS - 1, onProbation: true };
}

/** What speaks against it so much that it is down; empty: nothing does. */
export function groundsForDown(
  evidence: TrunkEvidence,
  times: EvidenceTimes,
  now: Instant,
): readonly TrunkGround[] {
  const { options, registration, goodCallAt, badCalls } = evidence;
  const unansweredMs = againstForMs(options, goodCallAt, now);
  const unregisteredMs = againstForMs(registration, goodCallAt, now);
  const grounds: TrunkGround[] = [];
  if (unansweredMs !== null && unansweredMs >= times.confirmMs) grounds.push('options');
  if (unregisteredMs !== null && unregisteredMs >= UNREGISTERED_MS) grounds.push('registration');
  if (badCalls >= BAD_CALLS) grounds.push('calls');
  return grounds;
}

function complaintAt(
  evidence: TrunkEvidence,
  times: EvidenceTimes,
  now: Instant,
): 'down' | 'doubtful' | null {
  if (groundsForDown(evidence, times, now).length > 0) return 'down';
  const { options, registration, goodCallAt, badCalls, badCallAt, fullCalls, fullCallAt } = evidence;
  const isRecent = (at: Instant | null): boolean => at !== null && now - at < DOUBT_MS;
  const isDoubtful =
    againstForMs(options, goodCallAt, now) !== null ||
    againstForMs(registration, goodCallAt, now) !== null ||
    evidence.onProbation ||
    (badCalls > 0 && isRecent(badCallAt)) ||
    (fullCalls >= BAD_CALLS && isRecent(fullCallAt));
  return isDoubtful ? 'doubtful' : null;
}

/** For how long a word has spoken against the trunk; `null`: it does not, or a call that rang since outranks it. */
function againstForMs(word: Word | null, goodCallAt: Instant | null, now: Instant): number | null {
  if (word === null || word.good) return null;
  const counts = goodCallAt !== null && goodCallAt > word.since ? goodCallAt + BELIEVED_MS : word.since;
  return now < counts ? null : now - counts;
}
