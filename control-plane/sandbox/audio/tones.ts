/**
 * The pure tones by which the sandbox's ends are told apart. All lie inside the telephone band (300–3400 Hz)
 * and at least 20 Hz from each other, which a 40 ms window still separates.
 *
 * Phones of the carrier simulator play one of eight tones: the third digit from the end of their number
 * chooses it (8 and 9 wrap around to the first two). No tone of the eight is another's harmonic.
 */
export const PHONE_TONES_HZ = [620, 700, 780, 860, 940, 1020, 1100, 1180] as const;

/** Eight tones for clients (citizens and operators over WebRTC): above those of the phones. */
export const CLIENT_TONES_HZ = [1300, 1400, 1500, 1600, 1700, 1800, 1900, 2000] as const;

/** What a listening phone looks for: every tone of ours, and the two most usual test tones besides. */
export const LISTEN_TONES_HZ: readonly number[] = [440, 1000, ...PHONE_TONES_HZ, ...CLIENT_TONES_HZ];

/** The tone that the phone of this number plays; `number` ends in at least three digits. */
export function phoneToneHz(number: string): number {
  const digit = Number(number.at(-3));
  const tone = PHONE_TONES_HZ[digit % PHONE_TONES_HZ.length];
  if (tone === undefined) throw new RangeError('a phone number ends in at least three digits');
  return tone;
}
