/** Why the embedded PostgreSQL cannot run on this machine; the message says what to do about it. */
export type EmbeddedPostgresErrorCode =
  | 'ERR_EMBEDDED_POSTGRES_PACKAGE'
  | 'ERR_EMBEDDED_POSTGRES_ACCOUNT'
  | 'ERR_EMBEDDED_POSTGRES_PLACE'
  | 'ERR_EMBEDDED_POSTGRES_PASSWORD'
  | 'ERR_EMBEDDED_POSTGRES_INIT'
  | 'ERR_EMBEDDED_POSTGRES_BUSY'
  | 'ERR_EMBEDDED_POSTGRES_START'
  | 'ERR_EMBEDDED_POSTGRES_STOP';

export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string) {
    super(message);
    this.name = 'EmbeddedPostgresError';
    this.code = code;
  }
}
