/** What an ARI request came to. Failures are values; their codes are the port's. */
import type { PbxErrorCode, PbxResult } from '../../ports/pbx-driver.ts';

export interface AriFailure {
  readonly ok: false;
  readonly code: PbxErrorCode;
  /** Asterisk's answer, or null when there was none. */
  readonly httpStatus: number | null;
  /** Method, path template and status: never an id's value, a number or a body. */
  readonly detail: string;
}

export type AriResult<T> = { readonly ok: true; readonly value: T } | AriFailure;

/**
 * | HTTP | code | said by Asterisk when |
 * | --- | --- | --- |
 * | 404 | ERR_PBX_NOT_FOUND | no such channel, bridge, playback, object; or a channel without RTP yet |
 * | 409, 412, 422 | ERR_PBX_CONFLICT | the id exists; the channel is not (or not yet) in the application |
 * | 429, 503 | ERR_PBX_OVERLOAD | too many calls |
 * | any other | ERR_PBX_REFUSED | a wrong request; 500 "Allocation failed": no contact, no such endpoint |
 *
 * Without an answer: ERR_PBX_DISCONNECTED (not attached, or lost while waiting), ERR_PBX_REPLACED (another
 * connection took the application), ERR_PBX_TIMEOUT (deadline), ERR_PBX_OVERLOAD (too many requests in flight).
 */
export function codeOfHttpStatus(status: number): PbxErrorCode {
  switch (status) {
    case 404:
      return 'ERR_PBX_NOT_FOUND';
    case 409:
    case 412:
    case 422:
      return 'ERR_PBX_CONFLICT';
    case 429:
    case 503:
      return 'ERR_PBX_OVERLOAD';
    default:
      return 'ERR_PBX_REFUSED';
  }
}

/** As the port answers an order that yields nothing. */
export function withoutValue(result: AriResult<unknown>): PbxResult {
  return result.ok ? { ok: true, value: undefined } : { ok: false, code: result.code, detail: result.detail };
}
