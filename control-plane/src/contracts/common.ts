/** Shapes that several public messages share. */
import { z } from 'zod';

/** Ids that become part of an address of record: letters, digits and underscore. */
export const subjectId = z
  .string()
  .regex(/^[A-Za-z0-9_]{1,64}$/)
  .meta({ description: 'Letters, digits and underscore, at most 64.' });
/** Text that a human wrote. NUL is the one character that no database column holds. */
export function humanText(maxLength: number, minLength = 0) {
  const text = z.string().min(minLength).max(maxLength);
  return text.refine((value) => !value.includes('\0'), 'NUL is no text');
}
export const sessionId = z.uuid().meta({ id: 'SessionId', description: 'One SOS.' });
export const timestamp = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });
export const e164 = z
  .string()
  .regex(/^\+[1-9]\d{6,14}$/)
  .meta({ description: 'E.164 with plus sign (ITU-T E.164).' });

export const location = z
  .object({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    accuracyM: z.number().nonnegative().optional(),
  })
  .meta({ id: 'Location', description: 'WGS 84 degrees.' });
export type Location = z.infer<typeof location>;

export const role = z.enum(['backend', 'citizen', 'operator', 'supervisor', 'admin']);
export type Role = z.infer<typeof role>;

/** RFC 9457. `code` is stable; `detail` is for humans and may change. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .max(50)
      .optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;
