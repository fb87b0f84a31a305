/** Turns what apt or mmdebstrap said before it gave up into one sentence and a next step. */
import { failed, type InstallFailure } from './failure.ts';
import type { CommandEnd } from './run-command.ts';

const recognised: readonly { pattern: RegExp; failure: InstallFailure }[] = [
  {
    pattern: /No space left on device|not enough free space|You don't have enough free space/i,
    failure: {
      code: 'ERR_INSTALL_NO_SPACE',
      what: 'the disk is full.',
      next: 'Free some space (about 1.5 GB are needed) and run make again.',
    },
  },
  {
    pattern: /Could not get lock|Unable to (?:lock|acquire the dpkg)/,
    failure: {
      code: 'ERR_INSTALL_APT_BUSY',
      what: 'another apt or dpkg has been at work for two minutes.',
      next: 'Let it end (or see why it hangs), then run make again.',
    },
  },
  {
    pattern:
      /Temporary failure|Could not resolve|Could not connect|Cannot initiate|Connection (?:timed out|failed|refused)|Network is unreachable/i,
    failure: {
      code: 'ERR_INSTALL_MIRROR_UNREACHABLE',
      what: "the Debian mirror of this machine's apt sources cannot be reached.",
      next: 'Check the network, the proxy of apt and its sources in /etc/apt, then run make again.',
    },
  },
  {
    pattern: /certificate (?:verification|verify) failed|certificate is NOT trusted/i,
    failure: {
      code: 'ERR_INSTALL_MIRROR_REFUSED',
      what: "the Debian mirror's TLS certificate is not trusted by this machine.",
      next: 'Install ca-certificates with the authority that signs it, then run make again.',
    },
  },
  {
    pattern: /does not have a Release file|40[0-9] +[A-Z]|NO_PUBKEY|not signed|Unable to locate package/i,
    failure: {
      code: 'ERR_INSTALL_MIRROR_REFUSED',
      what: "the Debian mirror of this machine's apt sources does not carry or no longer vouches for it.",
      next: 'Check the sources in /etc/apt (a complete Debian mirror is needed), then run make again.',
    },
  },
];

export function explainAptFailure(
  doing: string,
  end: CommandEnd,
  logFile: string,
): { ok: false; failure: InstallFailure } {
  if (end.timedOut) {
    return failed(
      'ERR_INSTALL_DEADLINE',
      `${doing} took too long and was ended.`,
      `See ${logFile}, then run make again.`,
    );
  }
  const known = recognised.find(({ pattern }) => pattern.test(end.output))?.failure;
  if (known !== undefined) return failed(known.code, `${doing} failed: ${known.what}`, known.next);
  const lastWords = end.output.trim().split('\n').slice(-3).join(' | ');
  return failed('ERR_INSTALL_COMMAND', `${doing} failed: ${lastWords}`, `The whole output is in ${logFile}.`);
}
