/** A number from its column; the column's own check has made sure that it is E.164. */
import { PhoneNumber } from '../../domain/numbering/phone-number.ts';

export function storedPhone(text: string | null): PhoneNumber | null {
  if (text === null) return null;
  const phone = PhoneNumber.parse(text);
  if (!phone) throw new Error('a stored number is not E.164');
  return phone;
}

export function storedNumbers(texts: readonly string[]): readonly PhoneNumber[] {
  return texts.flatMap((text) => storedPhone(text) ?? []);
}
