/** The sandbox hands secrets over as files of their own, as systemd does on servers: an environment shows in /proc. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the trunk's password lies for the gateway. */
export const TRUNK_SECRET = 'trunks/sandbox/password';

export function secretsDirectory(runDir: string): string {
  const folder = join(runDir, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** `<NAME>_FILE` for each variable, with the file written. */
export function secretFiles(
  runDir: string,
  secrets: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const folder = secretsDirectory(runDir);
  const files = Object.entries(secrets).map(([name, secret]) => {
    const file = join(folder, name.toLowerCase());
    writeFileSync(file, secret, { mode: 0o600 });
    return [`${name}_FILE`, file] as const;
  });
  return Object.fromEntries(files);
}

/** The settings by which the gateway finds the trunk's password; none where there is none. */
export function trunkSecretSettings(
  runDir: string,
  password: string | undefined,
): Readonly<Record<string, string>> {
  if (password === undefined) return {};
  const folder = secretsDirectory(runDir);
  writeFileSync(join(folder, TRUNK_SECRET.replaceAll('/', '.')), `${password}\n`, { mode: 0o600 });
  return { HAMRAHI_SECRETS: 'directory', HAMRAHI_SECRETS_DIR: folder };
}
