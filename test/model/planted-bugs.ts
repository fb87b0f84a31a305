/** One bug per rule, each a small patch of the domain's sources. The model test has to find every one of them. */
export interface PlantedBug {
  readonly name: string;
  readonly rule: string;
  /** In control-plane/src/domain/session. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly text: string;
  readonly becomes: string;
}

const never = 'if (false as boolean) {';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a press postpones the deadline',
    rule: 'FB-1',
    file: 'begin.ts',
    text: '  if (restarts) restart(draft);',
    becomes:
      '  if (restarts) restart(draft);\n  else if (session.watchdogAt !== null) draft.startWatchdog(session.policy.watchdogMs);',
  },
  {
    name: 'the deadline passes and nothing is dialled',
    rule: 'FB-2',
    file: 'timers-due.ts',
    text: '      stream.watchdogDue(draft);',
    becomes: '      draft.change({ watchdogAt: null });',
  },
  {
    name: 'both phones are up and never joined',
    rule: 'FB-3',
    file: 'fallback.ts',
    text: '  if (operator) bridgePhones(draft, leg.id, operator.id);\n  else draft.order',
    becomes: '  draft.order',
  },
  {
    name: 'a signalling error is written down as a timeout',
    rule: 'FB-4',
    file: 'stream.ts',
    text: "else if (failure) startFallback(draft, 'signalling-error',",
    becomes: "else if (failure) startFallback(draft, 'timeout',",
  },
  {
    name: 'nobody is alerted when she does not answer',
    rule: 'FB-6',
    file: 'operator-chain.ts',
    text: "  else draft.raise('citizen-unanswered');",
    becomes: '',
  },
  {
    name: 'a call is missing from the history of an alert',
    rule: 'FB-6',
    file: 'draft.ts',
    text: '    this.changeFallback({ attempts: [...attempts, attempt].slice(-MAX_ATTEMPTS_TOLD) });',
    becomes: '',
  },
  {
    name: 'the chain ends and nobody is alerted',
    rule: 'FB-7',
    file: 'operator-chain.ts',
    text: "  draft.raise('operators-unreachable');",
    becomes: '',
  },
  {
    name: 'a duty phone rings without an end',
    rule: 'FB-7',
    file: 'operator-chain.ts',
    text: "\n  draft.setTimer('operator-ring', policy.operatorRingMs);",
    becomes: '',
  },
  {
    name: 'an answer that crossed its CANCEL stays up',
    rule: 'FB-8',
    file: 'leg-changed.ts',
    text: "    draft.order({ type: 'pbx.hangup', legId: leg.id, reason: 'cancelled' });\n    return draft.seal();",
    becomes: '    return draft.seal();',
  },
  {
    name: 'the stream wins against a connected call',
    rule: 'FB-8',
    file: 'confirm-active.ts',
    text: "  if (draft.phase === 'active' || draft.phase === 'phone-connected') return;",
    becomes: "  if (draft.phase === 'active') return;",
  },
  {
    name: 'the stream wins and the fallback stays on the record',
    rule: 'FB-8',
    file: 'confirm-active.ts',
    text: '      draft.change({ fallback: null });',
    becomes: '',
  },
  {
    name: 'the stream wins and the feed does not retract',
    rule: 'FB-8',
    file: 'confirm-active.ts',
    text: "      draft.publish('phone-fallback-retracted', {});",
    becomes: '',
  },
  {
    name: 'the stream wins and her phone rings on',
    rule: 'FB-8',
    file: 'phone-calls.ts',
    text: "  draft.hangupAll('citizen-phone', reason);",
    becomes: '',
  },
  {
    name: 'WebRTC stays once the phones are joined',
    rule: 'FB-9',
    file: 'fallback.ts',
    text: "  draft.hangupAll('citizen-app', 'phone-won');",
    becomes: '',
  },
  {
    name: 'the hand-over has no end when the bridge is not reported',
    rule: 'FB-9',
    file: 'operator-chain.ts',
    text: "  draft.setTimer('hand-over', draft.facts.policy.handOverMs);",
    becomes: '',
  },
  {
    name: 'a second automatic retry',
    rule: 'RTC-7',
    file: 'stream.ts',
    text: '  draft.changeStream({ retryUsed: true });',
    becomes: '',
  },
  {
    name: 'the operator may speak to her',
    rule: 'RTC-3',
    file: 'stream.ts',
    text: "    draft.join(bridge, leg.id, 'listens');",
    becomes: "    draft.join(bridge, leg.id, 'both');",
  },
  {
    name: 'a resolved session leaves its legs up',
    rule: 'RTC-9',
    file: 'end.ts',
    text: "  for (const kind of LEG_KINDS) draft.hangupAll(kind, 'session-ended');",
    becomes: '',
  },
  {
    name: 'a timer outlives the session',
    rule: 'RTC-9',
    file: 'end.ts',
    text: '  draft.clearTimers(...LIVE_TIMERS);',
    becomes: '',
  },
  {
    name: 'her phone rings although her stream is good',
    rule: 'decision 8',
    file: 'fallback.ts',
    text: "  const streamIsGood = reason === 'operator-absent' && policy.operatorAbsent === 'dial-operator';",
    becomes: '  const streamIsGood = false as boolean;',
  },
  {
    name: 'her phone rings although she wished for silence',
    rule: 'decision 8',
    file: 'fallback.ts',
    text: "  return profile.phone === 'verified' && !profile.silent && !hungUp;",
    becomes: "  return profile.phone === 'verified' && !hungUp;",
  },
  {
    name: 'she is rung by itself after she hung up',
    rule: 'ADR 0007',
    file: 'fallback.ts',
    text: "  return profile.phone === 'verified' && !profile.silent && !hungUp;",
    becomes: "  return profile.phone === 'verified' && !profile.silent;",
  },
  {
    name: 'a stream that returns is heard by nobody, and no deadline runs',
    rule: 'decision 8',
    file: 'stream.ts',
    text: "  if (draft.phase === 'degraded' && draft.facts.watchdogAt === null)\n    draft.startWatchdog(draft.facts.policy.watchdogMs);",
    becomes: '',
  },
  {
    name: 'the stream for whose sake her phone was silent is lost, and it stays silent',
    rule: 'media-lost',
    file: 'stream.ts',
    text: "  if (fallback?.mode === 'operators-only' && mayRing(draft)) draft.startWatchdog(policy.mediaLostMs);",
    becomes: '',
  },
  {
    name: 'the stream was kept, and the call that dies does not give it back',
    rule: 'decision 13',
    file: 'fallback.ts',
    text: '  if (takenUpByStream(draft)) return;',
    becomes: '',
  },
  {
    name: 'a voicemail counts as an operator',
    rule: 'decision 16',
    file: 'operator-chain.ts',
    text: '  if (!leg.accepted) {',
    becomes: `  ${never}`,
  },
  {
    name: 'she is called before the call before has gone',
    rule: 'decision 17',
    file: 'fallback.ts',
    text: '  if (isClearing(draft, party)) {',
    becomes: `  ${never}`,
  },
  {
    name: 'an operator is called before the call before has gone',
    rule: 'decision 17',
    file: 'operator-chain.ts',
    text: '  if (isClearing(draft, callee)) {',
    becomes: `  ${never}`,
  },
  {
    name: 'a long session is hung up',
    rule: 'decision 35',
    file: 'timers-due.ts',
    text: "      draft.raise('long-session');",
    becomes: "      draft.raise('long-session');\n      draft.hangupAll('citizen-app', 'normal');",
  },
  {
    name: 'no voice, every alert acknowledged, and nothing will ever happen',
    rule: 'silence',
    file: 'draft.ts',
    text: '    const isNeeded = stands || (!this.hasVoice && watchdogAt === null);',
    becomes: '    const isNeeded = stands;',
  },
  {
    name: 'heard counts before she streams',
    rule: 'decision 7',
    file: 'confirm-active.ts',
    text: '  if (streamingSince === null || heardBy === null || heardSince !== null) return;',
    becomes: '  if (heardBy === null || heardSince !== null) return;',
  },
];
