/** What one entry of the HTTP interface says, and the roles that several share. */
import type { z } from 'zod';
import type { Role } from './common.ts';
import type { ErrorCode } from './error-table.ts';

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI form: `/v1/sos/{id}`. */
  readonly path: string;
  readonly tag: 'sos' | 'calls' | 'client' | 'directory' | 'trunk' | 'webhooks' | 'alert' | 'probe';
  readonly summary: string;
  readonly description?: string;
  /** Who may call it; `public`: no token. */
  readonly roles: readonly Role[] | 'public';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** An activation's body is never a reason to refuse a citizen (see `activateBody`). */
  readonly lenient?: true;
  /** An `Idempotency-Key` must come with it. */
  readonly keyed?: true;
  /** Never refused by a rate limit. */
  readonly unlimited?: true;
  readonly maxBodyBytes?: number;
  /** Bodies by status; `null`: none. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  /** Codes beyond those that every operation shares. */
  readonly errors: readonly ErrorCode[];
}

export const STAFF = ['operator', 'supervisor', 'admin'] as const;
export const KEEPERS = ['backend', 'admin'] as const;
