import { expect } from 'chai';
import { explainAptFailure } from '../../../../control-plane/sandbox/install/apt-failure.ts';

const codeOf = (output: string, timedOut = false): string =>
  explainAptFailure('installing', { exitCode: timedOut ? null : 100, timedOut, output }, '/log').failure.code;

describe('sandbox/install/apt-failure', () => {
  for (const [output, code] of [
    [
      "Err:1 http://m.example forky InRelease\n  Temporary failure resolving 'm.example'",
      'ERR_INSTALL_MIRROR_UNREACHABLE',
    ],
    ['Could not connect to m.example:80 (192.0.2.1), connection timed out', 'ERR_INSTALL_MIRROR_UNREACHABLE'],
    [
      "E: The repository 'http://m.example forky Release' does not have a Release file.",
      'ERR_INSTALL_MIRROR_REFUSED',
    ],
    ['Err:1 http://m.example/pool/a.deb\n  404  Not Found [IP: 192.0.2.1 80]', 'ERR_INSTALL_MIRROR_REFUSED'],
    ['Certificate verification failed: The certificate is NOT trusted.', 'ERR_INSTALL_MIRROR_REFUSED'],
    ['dpkg: error: cannot copy extracted data: No space left on device', 'ERR_INSTALL_NO_SPACE'],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", 'ERR_INSTALL_NO_SPACE'],
    [
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)',
      'ERR_INSTALL_APT_BUSY',
    ],
    ['something new', 'ERR_INSTALL_COMMAND'],
  ] as const) {
    it(`calls "${output.split('\n').at(-1)?.trim() ?? ''}" ${code}`, () => {
      expect(codeOf(output)).to.equal(code);
    });
  }

  it('names the deadline before anything that was said', () => {
    expect(codeOf('No space left on device', true)).to.equal('ERR_INSTALL_DEADLINE');
  });

  it('repeats the last words of what it does not know, and where the rest is', () => {
    const { failure } = explainAptFailure(
      'installing',
      { exitCode: 1, timedOut: false, output: 'a\nb\nc\nd\n' },
      '/log',
    );
    expect(failure.what).to.equal('installing failed: b | c | d');
    expect(failure.next).to.include('/log');
  });
});
