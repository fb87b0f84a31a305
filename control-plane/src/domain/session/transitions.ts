/** Which phase may follow which. The reducer is tested against this table, and the diagram in docs/ is drawn from it. */
import type { Phase } from './session.ts';

export interface Transition {
  readonly from: Phase;
  readonly to: Phase;
  readonly why: string;
}

export const TRANSITIONS: readonly Transition[] = [
  { from: 'arming', to: 'connecting', why: 'activated' },
  { from: 'arming', to: 'released', why: 'early release, or never activated' },
  { from: 'connecting', to: 'active', why: 'streaming and heard' },
  { from: 'connecting', to: 'degraded', why: '3 s, or a signalling error: one retry' },
  { from: 'connecting', to: 'phone-fallback-active', why: 'watchdog, or two signalling errors' },
  { from: 'connecting', to: 'resolved', why: 'resolved' },
  { from: 'degraded', to: 'active', why: 'streaming and heard' },
  { from: 'degraded', to: 'connecting', why: 'pressed again after a failed round' },
  { from: 'degraded', to: 'phone-fallback-active', why: 'watchdog, two signalling errors, redial' },
  { from: 'degraded', to: 'resolved', why: 'resolved' },
  { from: 'active', to: 'degraded', why: 'packets or the operator lost' },
  { from: 'active', to: 'resolved', why: 'resolved' },
  { from: 'phone-fallback-active', to: 'active', why: 'the stream won, or a duty phone joined it' },
  { from: 'phone-fallback-active', to: 'phone-connected', why: 'her phone answered' },
  { from: 'phone-fallback-active', to: 'degraded', why: 'nobody answered, redial included' },
  { from: 'phone-fallback-active', to: 'resolved', why: 'resolved' },
  { from: 'phone-connected', to: 'phone-fallback-active', why: 'redial, or the network lost the call' },
  { from: 'phone-connected', to: 'active', why: 'the call ended, and the stream was still there' },
  { from: 'phone-connected', to: 'degraded', why: 'she hung up' },
  { from: 'phone-connected', to: 'resolved', why: 'resolved' },
];

export function isLegal(from: Phase, to: Phase): boolean {
  return from === to || TRANSITIONS.some((one) => one.from === from && one.to === to);
}
