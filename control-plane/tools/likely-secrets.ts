/**
 * What looks like a secret in a text, whoever's it is: keys, tokens of services that mark theirs, passwords in URLs. The
 * tests look through the repository with it; what is known to be harmless stands in `HARMLESS`, each with its reason.
 */
export interface LikelySecret {
  readonly kind: string;
  readonly line: number;
  readonly text: string;
}

const KINDS: Readonly<Record<string, RegExp>> = {
  'private key': /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/g,
  'webhook secret': /\bwhsec_[A-Za-z0-9+/=]{20,}/g,
  'Vault token': /\b(?:hv[sbr]\.[A-Za-z0-9_-]{24,}|s\.[A-Za-z0-9]{24})\b/g,
  'JSON web token': /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g,
  'password in a URL': /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'`$<{]*:[^\s/@"'`$<{]+@[^\s"'`/]+/g,
  'token of a service':
    /\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|xox[abeprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35}|[rs]k_live_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{36}|glpat-[\w-]{20})/g,
  'long value of a password':
    /\b(?:password|passwd|secret|token|api_?key)["']?\s*[:=]\s*["'`][A-Za-z0-9+_=-]{32,}["'`]/gi,
};

/** By file: texts that begin so are no secret. */
const HARMLESS: Readonly<Record<string, readonly (readonly [start: string, why: string])[]>> = {
  'control-plane/tools/ari-swagger.ts': [['http://user:password@host', 'the form of an argument']],
  'control-plane/tools/generate-ari.ts': [['http://user:password@host', 'the form of an argument']],
  'docs/backend.md': [
    ['whsec_uccon9l3', 'the guide’s example, of no endpoint'],
    ['secret": "whsec_uccon9l3', 'the same'],
  ],
  'test/integration/adapters/http/webhooks.test.ts': [
    ['https://user:pass@receiver.example', 'what is to be refused'],
  ],
  'test/integration/adapters/postgres/transact.test.ts': [
    ['postgres://nobody:none@127.0.0.1:1', 'leads nowhere'],
  ],
  'test/integration/cli/report.test.ts': [['postgres://u:secret@127.0.0.1:9', 'leads nowhere']],
  'test/unit/adapters/log/redaction.test.ts': [
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwcml5YSJ9.', 'signed by nobody'],
    ['postgres://hamrahi:pa55word@db', 'what is to be masked'],
  ],
  'test/unit/adapters/log/winston-log.test.ts': [
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwcml5YSJ9.', 'signed by nobody'],
  ],
  'test/unit/adapters/webhook/signature.test.ts': [
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'the example of Standard Webhooks'],
  ],
  'test/unit/adapters/webhook/url-refusal.test.ts': [
    ['https://user:secret@receiver.example', 'what is to be refused'],
  ],
  'test/unit/config/load-config.test.ts': [['postgres://u:hidden@db', 'what is to be hidden']],
};

const SELF = 'control-plane/tools/likely-secrets.ts';

export function likelySecrets(text: string): readonly LikelySecret[] {
  return Object.entries(KINDS).flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({
      kind,
      line: text.slice(0, match.index).split('\n').length,
      text: match[0],
    })),
  );
}

/** Without those that are known to be none. `path` is that in the repository. */
export function secretsInFile(path: string, text: string): readonly LikelySecret[] {
  // This file names them all.
  const harmless = path === SELF ? Object.values(HARMLESS).flat() : (HARMLESS[path] ?? []);
  return likelySecrets(text).filter((found) => !harmless.some(([start]) => found.text.startsWith(start)));
}

/** Exceptions that nothing needs any more, as `<path>: <start>`. */
export function needlessExceptions(textOf: (path: string) => string): readonly string[] {
  return Object.entries(HARMLESS).flatMap(([path, entries]) => {
    const found = likelySecrets(textOf(path));
    return entries.flatMap(([start]) =>
      found.some(({ text }) => text.startsWith(start)) ? [] : [`${path}: ${start}`],
    );
  });
}
