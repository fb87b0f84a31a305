/** A disk of a few megabytes that can be filled to its last byte; only root may mount one. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverAccount } from '../../control-plane/src/adapters/postgres/embedded-account.ts';
import { silentLog } from '../support/silent-log.ts';

export interface SmallDisk {
  /** Owned by the account of the embedded PostgreSQL. */
  readonly directory: string;
  fill(): void;
  free(): void;
  remove(): Promise<void>;
}

/** `null` where it cannot be mounted. */
export async function smallDisk(sizeMb: number): Promise<SmallDisk | null> {
  const account = await serverAccount(silentLog);
  if (account === undefined) return null;
  const mountPoint = mkdtempSync(join(tmpdir(), 'hamrahi-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=755`, 'hamrahi-chaos', mountPoint], {
      stdio: 'ignore',
    });
  } catch {
    rmdirSync(mountPoint);
    return null;
  }
  chownSync(mountPoint, account.uid, account.gid);
  chmodSync(mountPoint, 0o700);
  const filler = join(mountPoint, 'filler');
  return {
    directory: mountPoint,
    fill: () => {
      const file = openSync(filler, 'w');
      try {
        for (let chunk = Buffer.alloc(1 << 20); chunk.length > 0;) {
          try {
            writeSync(file, chunk);
          } catch {
            chunk = chunk.subarray(0, chunk.length >> 1);
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove: () => {
      execFileSync('umount', ['-l', mountPoint], { stdio: 'ignore' });
      rmdirSync(mountPoint);
      return Promise.resolve();
    },
  };
}
