/** What one environment variable is: how it is read, and what the reference says of it. */
import { z } from 'zod';
import { Secret } from '../domain/secret.ts';
import { parseListenAddress, type ListenAddress } from './listen-address.ts';

export interface Variable<T, D extends string | null = string | null> {
  readonly description: string;
  /** Completes the sentence "expected …". */
  readonly expects: string;
  /** Text as it would be set; `null`: unset unless somebody sets it. */
  readonly fallback: D;
  /** Never shown; may also be given as a file, by the variable's name with `_FILE`. */
  readonly secret: boolean;
  readonly schema: z.ZodType<T, string>;
}

interface Words<D extends string | null> {
  readonly description: string;
  readonly fallback: D;
}

function parsed<T>(parse: (text: string) => T | null): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: 'not understood' });
    return z.NEVER;
  });
}

export function text<D extends string | null>(
  pattern: RegExp,
  expects: string,
  words: Words<D>,
): Variable<string, D> {
  return { ...words, expects, secret: false, schema: z.string().regex(pattern) };
}

/** Whatever `parse` understands. */
export function parsedBy<T, D extends string | null>(
  parse: (text: string) => T | null,
  expects: string,
  words: Words<D>,
): Variable<T, D> {
  return { ...words, expects, secret: false, schema: parsed(parse) };
}

export function choice<const T extends readonly [string, ...string[]], D extends T[number] | null>(
  options: T,
  words: Words<D>,
): Variable<T[number], D> {
  const schema = parsed<T[number]>((value) => options.find((option) => option === value) ?? null);
  return { ...words, expects: `one of ${options.join(', ')}`, secret: false, schema };
}

export function whole<D extends string | null>(
  min: number,
  max: number,
  words: Words<D>,
): Variable<number, D> {
  const schema = parsed((value) => {
    const number = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : null;
  });
  return { ...words, expects: `a whole number from ${min} to ${max}`, secret: false, schema };
}

export function yesNo<D extends 'yes' | 'no'>(words: Words<D>): Variable<boolean, D> {
  const schema = parsed((value) => (value === 'yes' ? true : value === 'no' ? false : null));
  return { ...words, expects: 'yes or no', secret: false, schema };
}

export function listen<D extends string | null>(words: Words<D>): Variable<ListenAddress, D> {
  return {
    ...words,
    expects: 'host:port, such as 127.0.0.1:8080 or [::1]:8080',
    secret: false,
    schema: parsed(parseListenAddress),
  };
}

function urlOf(protocols: readonly string[], value: string): string | null {
  const url = URL.parse(value);
  return url && protocols.includes(url.protocol.slice(0, -1)) ? value.replace(/\/+$/, '') : null;
}

/** A URL of one of the schemes, without its trailing slash. */
export function url<D extends string | null>(
  protocols: readonly string[],
  words: Words<D>,
): Variable<string, D> {
  return {
    ...words,
    expects: `a URL that begins with ${protocols.map((one) => `${one}://`).join(' or ')}`,
    secret: false,
    schema: parsed((value) => urlOf(protocols, value)),
  };
}

/** Comma-separated, each entry matching the pattern; order is kept. */
export function list<D extends string | null>(
  entry: RegExp,
  expects: string,
  words: Words<D>,
): Variable<readonly string[], D> {
  const schema = parsed<readonly string[]>((value) => {
    const entries = value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    const good = entries.every((one) => entry.test(one)) && new Set(entries).size === entries.length;
    return good && entries.length <= 100 ? entries : null;
  });
  return { ...words, expects: `a comma-separated list of ${expects}, each once`, secret: false, schema };
}

export function secret(
  minCharacters: number,
  description: string,
  accept: (value: string) => boolean = () => true,
  kind = `at least ${minCharacters} characters`,
): Variable<Secret, null> {
  return {
    description,
    fallback: null,
    expects: kind,
    secret: true,
    schema: parsed((value) => (value.length >= minCharacters && accept(value) ? new Secret(value) : null)),
  };
}
