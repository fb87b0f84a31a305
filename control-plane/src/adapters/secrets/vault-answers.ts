/** What Vault answers, as far as we look; whatever does not fit is no answer. */
import { z } from 'zod';

/** Of a login and a renewal. `lease_duration` 0: for ever. */
export const authAnswer = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    lease_duration: z.int().min(0),
    renewable: z.boolean(),
  }),
});

export const unwrapAnswer = z.object({ data: z.object({ secret_id: z.string().min(1) }) });

export const wrappingAnswer = z.object({ data: z.object({ creation_path: z.string().min(1) }) });

const metadata = z.object({
  version: z.int().min(1),
  deletion_time: z.string().default(''),
  destroyed: z.boolean().default(false),
});

/** KV, version 2. */
export const secretAnswer = z.object({
  data: z.object({ data: z.record(z.string(), z.unknown()), metadata }),
});

/** Of a version that was deleted or destroyed: it comes with 404. */
export const deletedAnswer = z.object({ data: z.object({ data: z.null(), metadata }) });
