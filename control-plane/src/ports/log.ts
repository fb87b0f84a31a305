/** Log lines and numbers for operators of the gateway. Personal data never goes in: its types redact themselves. */

export type LogFields = Readonly<
  Record<string, string | number | boolean | null | undefined | { toJSON(): string }>
>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

export interface Metrics {
  /** Monotonic counter; names are `hamrahi_<area>_<what>_total`. Label values come from closed lists. */
  count(name: string, labels?: Readonly<Record<string, string>>): void;
  /** Milliseconds into a histogram named `hamrahi_<area>_<what>_ms`. */
  observe(name: string, valueMs: number, labels?: Readonly<Record<string, string>>): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}
