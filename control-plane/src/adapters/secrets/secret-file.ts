/**
 * One secret in one file. It has to be a plain file of ours or root's that nobody else may read: 0600 or 0400. systemd's
 * credentials (`$CREDENTIALS_DIRECTORY`) come in two forms, under User= and DynamicUser= alike. Where their file system has
 * no ACLs (systemd 252, ramfs) the file is the account's own, 0400. Where it has (systemd 257, tmpfs) it stays root's, 0400,
 * with an ACL entry that lets the account read; its mode then shows the ACL's mask where a group's rights stand, 0440,
 * though no group may read. So in that directory, and only there, root's 0440 is taken.
 */
import { constants, type BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Finding, SecretFault } from './held-secrets.ts';
import { MAX_SECRET_BYTES, secretOf } from './secret-text.ts';

export interface FileRules {
  /** Ours, by its number. */
  readonly account: number;
  /** It lies in systemd's directory of credentials. */
  readonly isSystemds: boolean;
}

type Status = Pick<BigIntStats, 'isFile' | 'mode' | 'uid' | 'size'>;

const ROOT = 0;
const GROUP_READS = 0o040n;
/** A file that is written while it is read is read anew. */
const TRIES = 3;

const fault = (code: SecretFault['code'], reason: string): SecretFault => ({ code, reason });

/** Never waits for a writer, as opening a pipe would. `name` is for the human who reads what is wrong. */
export async function readSecretFile(path: string, name: string, rules: FileRules): Promise<Finding> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return { fault: openFault(error, name) };
  }
  try {
    return await readOpen(file, name, rules);
  } catch (error) {
    return {
      fault: fault('ERR_SECRETS_FILE_UNREADABLE', `the file ${name} cannot be read (${codeOf(error)})`),
    };
  } finally {
    await file.close();
  }
}

async function readOpen(file: FileHandle, name: string, rules: FileRules): Promise<Finding> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await file.stat({ bigint: true });
    const refused = refusalOf(before, name, rules);
    if (refused) return { fault: refused };
    const text = await readText(file);
    if (markOf(before) !== markOf(await file.stat({ bigint: true }))) continue;
    const value = text === null ? null : secretOf(text);
    if (value) return { value };
    return { fault: fault('ERR_SECRETS_FILE_TEXT', `the file ${name} is empty or holds no text`) };
  }
  return { fault: fault('ERR_SECRETS_FILE_UNREADABLE', `the file ${name} changes all the time`) };
}

/** Why a file of this kind, owner, mode and size is not taken. */
export function refusalOf(status: Status, name: string, rules: FileRules): SecretFault | null {
  const { account, isSystemds } = rules;
  if (!status.isFile()) return fault('ERR_SECRETS_FILE_KIND', `${name} is no plain file`);
  const owner = Number(status.uid);
  if (owner !== account && owner !== ROOT)
    return fault('ERR_SECRETS_FILE_OWNER', `the file ${name} is neither ours nor root's`);
  const ofOthers = status.mode & 0o077n;
  const isAclMask = isSystemds && owner === ROOT && ofOthers === GROUP_READS;
  if (ofOthers !== 0n && !isAclMask)
    return fault(
      'ERR_SECRETS_FILE_OPEN',
      `the file ${name} is open to others than its owner (mode ${octal(status.mode)}; 0600 or 0400 it should be)`,
    );
  if (status.size > MAX_SECRET_BYTES)
    return fault('ERR_SECRETS_FILE_SIZE', `the file ${name} is larger than 64 KiB`);
  return null;
}

/** A directory in which others may put files is no place for secrets. */
export async function directoryRefusal(directory: string, account: number): Promise<SecretFault | null> {
  let status: BigIntStats;
  try {
    status = await stat(directory, { bigint: true });
  } catch (error) {
    return fault('ERR_SECRETS_DIRECTORY', `the directory of secrets cannot be read (${codeOf(error)})`);
  }
  if (!status.isDirectory())
    return fault('ERR_SECRETS_DIRECTORY', 'what should be the directory of secrets is none');
  if (![account, ROOT].includes(Number(status.uid)))
    return fault('ERR_SECRETS_DIRECTORY', "the directory of secrets is neither ours nor root's");
  if ((status.mode & 0o022n) !== 0n)
    return fault(
      'ERR_SECRETS_DIRECTORY',
      `others may write into the directory of secrets (mode ${octal(status.mode)})`,
    );
  return null;
}

async function readText(file: FileHandle): Promise<string | null> {
  const buffer = Buffer.alloc(MAX_SECRET_BYTES);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch {
    return null;
  } finally {
    buffer.fill(0);
  }
}

function markOf(status: BigIntStats): string {
  return [status.size, status.mtimeNs, status.ctimeNs].join(' ');
}

function openFault(error: unknown, name: string): SecretFault {
  const code = codeOf(error);
  if (code === 'ENOENT') return fault('ERR_SECRETS_ABSENT', `there is no file ${name}`);
  if (code === 'ELOOP' || code === 'ENXIO') return fault('ERR_SECRETS_FILE_KIND', `${name} is no plain file`);
  return fault('ERR_SECRETS_FILE_UNREADABLE', `the file ${name} cannot be read (${code})`);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function octal(mode: bigint): string {
  return (mode & 0o7777n).toString(8).padStart(4, '0');
}
