/** A citizen's state in plain words: short, and true whatever happens next. */
import type { CitizenState } from '../client/citizen-client.ts';
import type { SessionView } from '../client/gateway-api.ts';

export interface CitizenTexts {
  readonly headline: string;
  readonly explanation: string;
  /** Inside the disc while an SOS runs. */
  readonly onAir: string;
}

export function citizenTexts(state: CitizenState, session: SessionView | null): CitizenTexts {
  switch (state.name) {
    case 'idle':
      return {
        headline: 'Need the police?',
        explanation: 'Hold the button for one second. The police will hear what your phone hears.',
        onAir: '',
      };
    case 'connecting':
    case 'armed':
      return { headline: 'Keep holding…', explanation: 'Let go now and nothing is sent.', onAir: '' };
    case 'calling':
      return callingTexts(state.waitingFor, session);
    case 'streaming':
      return session?.heard === true
        ? {
            headline: 'The police hear you',
            explanation: 'Keep your phone with you.',
            onAir: 'Microphone on',
          }
        : {
            headline: 'Your microphone is on',
            explanation: 'An officer is being connected. Keep your phone with you.',
            onAir: 'Microphone on',
          };
    case 'ended':
      return endedTexts(state);
  }
}

type Calling = Extract<CitizenState, { name: 'calling' }>['waitingFor'];

function callingTexts(waitingFor: Calling, session: SessionView | null): CitizenTexts {
  if (session?.phase === 'phone-connected' || waitingFor === 'phone')
    return {
      headline: 'The police are on the phone',
      explanation: 'Speak on the call that you answered.',
      onAir: 'On the phone',
    };
  if (session?.phase === 'phone-fallback-active')
    return session.fallback?.mode === 'operators-only'
      ? {
          headline: 'SOS received',
          explanation: 'An officer is being called. Your phone will not ring.',
          onAir: 'Connecting',
        }
      : {
          headline: 'The police are calling you',
          explanation: 'Your phone will ring. Please answer it.',
          onAir: 'Phone call',
        };
  if (waitingFor === 'gateway')
    return {
      headline: 'Sending your SOS…',
      explanation: 'If there is no network, it is sent again until it arrives.',
      onAir: 'Sending',
    };
  return {
    headline: 'SOS received',
    explanation: 'Your microphone is being connected. If that fails, the police will call your phone.',
    onAir: 'Connecting',
  };
}

function endedTexts(state: Extract<CitizenState, { name: 'ended' }>): CitizenTexts {
  const again = 'Hold the button to send an SOS.';
  switch (state.reason) {
    case 'resolved':
      return { headline: 'The police ended this SOS', explanation: 'Your microphone is off.', onAir: '' };
    case 'released':
      return { headline: 'Nothing was sent', explanation: `You let go early. ${again}`, onAir: '' };
    case 'refused':
      return {
        headline: 'This phone is not accepted',
        explanation: 'Sign in to the app again. In danger, dial 112 now.',
        onAir: '',
      };
    case 'gone':
    case 'stopped':
      return { headline: 'Not connected', explanation: `Your microphone is off. ${again}`, onAir: '' };
  }
}
