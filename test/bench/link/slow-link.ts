/**
 * A mobile network between two network namespaces: this process's own, where the gateway runs, and a far one for the
 * phones. Every packet, TCP as UDP, passes a program of ours that delays and drops it. Needs root, iproute2 and
 * /dev/net/tun; perl opens the tunnels, as Node cannot.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { PlannedLoss } from './pass-packets.ts';

export interface SlowLinkOptions {
  /** One way; the round trip is twice as long. */
  readonly delayMs: number;
  /** On top, evenly from nothing to this. Packets keep their order, as LTE delivers them (3GPP TS 36.322). */
  readonly jitterMs: number;
  /** Share of packets that vanish by chance, each way. */
  readonly loss: number;
}

export interface SlowLink {
  /** Starts a program on the far side. */
  spawnFar(command: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess;
  /** Loses these packets as they come, besides what is lost by chance. */
  lose(planned: PlannedLoss): void;
  /** Another share of losses by chance. */
  setLoss(loss: number): void;
  /** How many packets were lost as planned so far. */
  lostAsPlanned(): number;
  stop(): Promise<void>;
}

export const NEAR = '10.77.0.1';
export const FAR = '10.77.0.2';

const PASS = resolve(import.meta.dirname, 'pass-packets.ts');
const TUNNELS = { near: 'sos-near', far: 'sos-far' } as const;

/** TUNSETIFF with IFF_TUN | IFF_NO_PI on two descriptors that the program inherits (linux/if_tun.h). */
const OPEN_TUNNELS = `
$^F = 255;
for my $name (splice @ARGV, 0, 2) {
  open(my $tun, '+<', '/dev/net/tun') or die "tun: $!";
  ioctl($tun, 0x400454ca, pack('a16sx22', $name, 0x1001)) or die "TUNSETIFF: $!";
  push @kept, $tun;
  push @fds, fileno($tun);
}
exec(@ARGV, @fds) or die "exec: $!";
`;

/** To be called in a network namespace of one's own. Throws with what is missing. */
export async function openSlowLink(options: SlowLinkOptions): Promise<SlowLink> {
  if (!existsSync('/dev/net/tun'))
    throw new Error('/dev/net/tun is missing: this needs the kernel’s tun module');
  ip('link', 'set', 'lo', 'up');
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.splice(0).reverse().map(ended));
  };
  try {
    const far = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
    children.push(far);
    const { delayMs, jitterMs, loss } = options;
    const figures = [delayMs, jitterMs, loss].map(String);
    const program = [process.execPath, PASS, ...figures];
    const relay = spawn('perl', ['-e', OPEN_TUNNELS, TUNNELS.near, TUNNELS.far, ...program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
    });
    children.push(relay);
    let lost = 0;
    await new Promise<void>((done, reject) => {
      createInterface({ input: relay.stdout }).on('line', (line) => {
        if (line === 'ready') done();
        else lost += 1;
      });
      relay.once('exit', (code) => reject(new Error(`the link ended with ${String(code)}`)));
    });
    const farPid = String(far.pid);
    ip('link', 'set', TUNNELS.far, 'netns', farPid);
    ip('address', 'add', `${NEAR}/24`, 'dev', TUNNELS.near);
    ip('link', 'set', TUNNELS.near, 'up');
    const farIp = (...args: string[]): void => run('nsenter', ['-t', farPid, '-n', 'ip', ...args]);
    farIp('link', 'set', 'lo', 'up');
    farIp('address', 'add', `${FAR}/24`, 'dev', TUNNELS.far);
    farIp('link', 'set', TUNNELS.far, 'up');
    return {
      spawnFar(command, args, env) {
        const child = spawn('nsenter', ['-t', farPid, '-n', command, ...args], {
          stdio: ['pipe', 'pipe', 'inherit'],
          env: { ...process.env, ...env },
        });
        children.push(child);
        return child;
      },
      lose: (planned) => void relay.stdin.write(`${JSON.stringify(planned)}\n`),
      setLoss: (share) => void relay.stdin.write(`${share}\n`),
      lostAsPlanned: () => lost,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGKILL');
  await exited;
}

function ip(...args: string[]): void {
  run('ip', args);
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, [...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}
