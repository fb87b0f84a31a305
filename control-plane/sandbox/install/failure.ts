/**
 * What an installation step can end with. A failure that the machine or its network explains is a value: a stable
 * code for scripts, what is wrong, and what to do next, each one sentence for the person at the terminal.
 */
export type InstallErrorCode =
  | 'ERR_INSTALL_NOT_ROOT'
  | 'ERR_INSTALL_NO_SPACE'
  | 'ERR_INSTALL_NOT_DEBIAN'
  | 'ERR_INSTALL_NO_MIRROR'
  | 'ERR_INSTALL_MIRROR_UNREACHABLE'
  | 'ERR_INSTALL_MIRROR_REFUSED'
  | 'ERR_INSTALL_APT_BUSY'
  | 'ERR_INSTALL_BUSY'
  | 'ERR_INSTALL_DEADLINE'
  | 'ERR_INSTALL_COMMAND';

export type InstallFailure = { code: InstallErrorCode; what: string; next: string };

export type InstallResult<T> = { ok: true; value: T } | { ok: false; failure: InstallFailure };

export const installed = <T>(value: T): InstallResult<T> => ({ ok: true, value });

export const failed = (
  code: InstallErrorCode,
  what: string,
  next: string,
): { ok: false; failure: InstallFailure } => ({
  ok: false,
  failure: { code, what, next },
});
