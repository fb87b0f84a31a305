/**
 * The last net under the log. Telephone numbers and secrets have types that redact themselves; this catches what
 * slipped through as plain text: numbers, tokens, tickets, credentials in URLs.
 */

/** Fields whose value is never written, whatever it looks like. */
const SECRET_FIELD =
  /^(authorization|cookie|password|passwd|secret|token|ticket|credential|bearer|jwt|api_?key)$/i;

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, '[token]'],
  [/\b(?:hv[sbr]\.|whsec_)[\w+/=-]{8,}/g, '[token]'],
  [/\b(Bearer|Basic|Digest)\s+[^\s"',;]+/gi, '$1 [credentials]'],
  [/\b((?:ticket|token|api_key|apikey|access_token|password|secret|credential)=)[^&\s"']+/gi, '$1[secret]'],
  [/:\/\/[^\s/@:"']*:[^\s/@"']*@/g, '://[credentials]@'],
  [/(?:\+|%2B)[1-9]\d{6,}/gi, '[number]'],
  /** Indian mobile numbers in national or trunk form: 98…, 098…, 9198…, 009198…; not inside ids or fractions. */
  [/(?<![\w.-])(?:0091|91|0)?[6-9]\d{9}(?![\w-])/g, '[number]'],
];

/** The text with everything masked that looks like personal data or a credential. */
export function redactText(text: string): string {
  let masked = text;
  for (const [pattern, mask] of MASKS) masked = masked.replace(pattern, mask);
  return masked;
}

/** One field's value, ready to be written. Nested values are written as their (redacted) JSON. */
export function redactField(name: string, value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (SECRET_FIELD.test(name)) return '[secret]';
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) return redactText(value.stack ?? value.message);
  try {
    // Inside an array even what JSON has no word for becomes text.
    const [plain] = JSON.parse(JSON.stringify([value])) as readonly unknown[];
    return redactText(typeof plain === 'string' ? plain : JSON.stringify(plain));
  } catch {
    return '[unprintable]';
  }
}
