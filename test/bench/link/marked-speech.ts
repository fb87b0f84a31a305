/** The speech of speech.ts with a mark in each packet, so that the other end knows which of them it has. */
import { withRoom, writeMark } from '../../support/plain/marked-voice.ts';
import { spokenPackets } from './speech.ts';

export const SPEAKER = 1;

export async function markedSpeech(seconds: number): Promise<readonly Buffer[]> {
  return (await spokenPackets(seconds)).map((packet, number) => {
    const marked = withRoom(packet);
    writeMark(marked, { speaker: SPEAKER, number, sentAt: Number.NaN });
    return marked;
  });
}
