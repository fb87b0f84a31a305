/** The log: one JSON object per line with time, level, message and fields; on standard output unless told otherwise. */
import type { Writable } from 'node:stream';
import winston from 'winston';
import type { Log, LogFields } from '../../ports/log.ts';
import { redactField } from './redaction.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Characters of one field or message: a flood of text must not fill the disk. */
const MAX_FIELD_CHARACTERS = 4000;

const redact = winston.format((info) => {
  for (const [name, value] of Object.entries(info)) {
    if (name === 'level' || name === 'timestamp') continue;
    const safe = redactField(name, value);
    info[name] =
      typeof safe === 'string' && safe.length > MAX_FIELD_CHARACTERS
        ? `${safe.slice(0, MAX_FIELD_CHARACTERS)}…`
        : safe;
  }
  return info;
});

export function createLog(level: LogLevel, stream: Writable = process.stdout): Log {
  // winston's declarations call its stream transport an interface, though it is the class.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const transport: winston.transport = new winston.transports.Stream({ stream });
  const logger = winston.createLogger({
    level,
    format: winston.format.combine(winston.format.timestamp(), redact(), winston.format.json()),
    transports: [transport],
  });
  return new WinstonLog(logger, {});
}

class WinstonLog implements Log {
  readonly #logger: winston.Logger;
  readonly #fields: LogFields;

  constructor(logger: winston.Logger, fields: LogFields) {
    this.#logger = logger;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }
  child(fields: LogFields): Log {
    return new WinstonLog(this.#logger, { ...this.#fields, ...fields });
  }

  /** `level` and `message` belong to the line itself: a field of that name cannot displace them. */
  #write(level: LogLevel, message: string, fields?: LogFields): void {
    this.#logger.log({ ...this.#fields, ...fields, level, message });
  }
}
