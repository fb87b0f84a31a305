/** How a probe's options are written, and what is said of one that is wrong. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { location, type Location } from '../../contracts/common.ts';
import { zoneId } from '../../contracts/directory-api.ts';
import { parseListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { isAorPart } from '../../domain/ids.ts';
import { CommandFailure, EXIT } from '../command-failure.ts';

/** Nobody lives farther from any coast: 48.88° S, 123.39° W. No zone of people holds it. */
export const NOWHERE: Location = { latitude: -48.88, longitude: -123.39 };
export const SYNTHETIC = 'synthetic';

const MIN_EVERY_MS = 10_000;
const MAX_EVERY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const MAX_TOKEN_CHARS = 16_384;

export function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new InvalidArgumentError('It is a URL that begins with https:// or http://.');
  return text.replace(/\/+$/, '');
}

/** Milliseconds. */
export function parseEvery(text: string): number {
  const match = /^(\d{1,6})([smh])$/.exec(text);
  const ms = match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : Number.NaN;
  if (!(ms >= MIN_EVERY_MS && ms <= MAX_EVERY_MS))
    throw new InvalidArgumentError('It is a time from 10s to 24h, such as 60s or 5m.');
  return ms;
}

export function parseListen(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (!address) throw new InvalidArgumentError('It is host:port, such as 127.0.0.1:9464.');
  return address;
}

export function parseTone(text: string): number {
  const hz = /^\d{3,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(hz >= 300 && hz <= 3400)) throw new InvalidArgumentError('It is a whole number from 300 to 3400.');
  return hz;
}

export function parsePlace(text: string): Location {
  const [latitude, longitude, ...rest] = text.split(',').map(Number);
  const parsed = location.safeParse({ latitude, longitude });
  if (rest.length > 0 || !parsed.success)
    throw new InvalidArgumentError('It is latitude,longitude in degrees, such as -48.88,-123.39.');
  return parsed.data;
}

export function parseZone(text: string): string {
  if (!zoneId.safeParse(text).success)
    throw new InvalidArgumentError('It is letters, digits, underscore and hyphen, at most 64.');
  return text;
}

export function parseName(text: string): string {
  if (!isAorPart(text)) throw new InvalidArgumentError('It is letters, digits and underscore, at most 64.');
  return text;
}

/** Read anew for each run: whoever issues tokens replaces the file. */
export function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    throw new CommandFailure(`The token cannot be read: ${file}`, EXIT.usage);
  }
  if (!/^[\w.~+/=-]+$/.test(text) || text.length > MAX_TOKEN_CHARS)
    throw new CommandFailure(`There is no token in ${file}`, EXIT.usage);
  return text;
}
