import { expect } from 'chai';
import { refusalOf } from '../../../../control-plane/src/adapters/secrets/secret-file.ts';

const OURS = 1000;
const ROOT = 0;

function codeOf(
  mode: number,
  uid: number,
  change: { isSystemds?: boolean; size?: number; isFile?: boolean } = {},
) {
  const { isSystemds = false, size = 8, isFile = true } = change;
  const status = {
    isFile: () => isFile,
    mode: BigInt(0o100000 | mode),
    uid: BigInt(uid),
    size: BigInt(size),
  };
  return refusalOf(status, 'trunks.tata.password', { account: OURS, isSystemds })?.code ?? null;
}

describe('adapters/secrets secret-file', () => {
  it('TEL-6: takes a file of ours or root’s that nobody else may read', () => {
    for (const owner of [OURS, ROOT])
      for (const mode of [0o600, 0o400, 0o700]) expect(codeOf(mode, owner)).to.equal(null);
  });

  it('TEL-6: takes none that group or others may do anything with', () => {
    for (const mode of [0o640, 0o440, 0o604, 0o644, 0o620, 0o601, 0o610, 0o666])
      for (const owner of [OURS, ROOT])
        expect(codeOf(mode, owner), mode.toString(8)).to.equal('ERR_SECRETS_FILE_OPEN');
  });

  it('TEL-6: takes none of somebody else, who could change it', () => {
    for (const isSystemds of [false, true])
      expect(codeOf(0o600, 4242, { isSystemds })).to.equal('ERR_SECRETS_FILE_OWNER');
  });

  it('TEL-6: knows the mask of an ACL in root’s credentials of systemd, and nowhere else', () => {
    expect(codeOf(0o440, ROOT, { isSystemds: true }), 'with ACLs: systemd 257').to.equal(null);
    expect(codeOf(0o400, OURS, { isSystemds: true }), 'without: systemd 252').to.equal(null);
    expect(codeOf(0o440, OURS, { isSystemds: true }), 'systemd makes none so').to.equal(
      'ERR_SECRETS_FILE_OPEN',
    );
    for (const mode of [0o444, 0o460, 0o450, 0o640 | 0o020])
      expect(codeOf(mode, ROOT, { isSystemds: true })).to.equal('ERR_SECRETS_FILE_OPEN');
  });

  it('takes 64 KiB at most, and plain files alone', () => {
    expect(codeOf(0o600, OURS, { size: 65_536 })).to.equal(null);
    expect(codeOf(0o600, OURS, { size: 65_537 })).to.equal('ERR_SECRETS_FILE_SIZE');
    expect(codeOf(0o600, OURS, { isFile: false })).to.equal('ERR_SECRETS_FILE_KIND');
  });

  it('names the file and its mode, for who has to mend it', () => {
    const status = { isFile: () => true, mode: 0o100644n, uid: 0n, size: 8n };
    const refusal = refusalOf(status, 'trunks.tata.password', { account: OURS, isSystemds: false });
    expect(refusal?.reason).to.contain('trunks.tata.password').and.to.contain('0644').and.to.contain('0600');
  });
});
