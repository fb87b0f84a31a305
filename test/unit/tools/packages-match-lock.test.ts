import { expect } from 'chai';
import { difference } from '../../../control-plane/tools/packages-match-lock.ts';

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/express': { version: '5.3.0' },
    'node_modules/esbuild': { version: '0.28.2' },
    'node_modules/@esbuild/win32-x64': { version: '0.28.2', optional: true },
  },
};

const without = (name: string) => ({
  packages: Object.fromEntries(Object.entries(lock.packages).filter(([path]) => path !== name)),
});

describe('tools/packages-match-lock', () => {
  it('finds no difference in what npm records after a complete install', () => {
    expect(difference(lock, lock)).to.equal(undefined);
    expect(difference(lock, without(''))).to.equal(undefined);
  });

  it("allows packages for other machines' sake to be absent", () => {
    expect(difference(lock, without('node_modules/@esbuild/win32-x64'))).to.equal(undefined);
  });

  it('names a missing package', () => {
    expect(difference(lock, without('node_modules/express'))).to.equal('node_modules/express is missing');
  });

  it('names a package of another version', () => {
    const installed = { packages: { ...lock.packages, 'node_modules/express': { version: '5.2.9' } } };
    expect(difference(lock, installed)).to.equal('node_modules/express has another version');
  });

  it('names a package that the lock does not know', () => {
    expect(difference(without('node_modules/express'), lock)).to.equal(
      'node_modules/express is not in the lock',
    );
  });
});
