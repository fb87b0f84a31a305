/** Every source of secrets keeps one contract: files, variables, a Vault of our own making, and a real one where there is one. */
import { openDirectoryLab } from '../support/secrets/directory-lab.ts';
import { openEnvironmentLab } from '../support/secrets/environment-lab.ts';
import { openFakeVaultLab, openRealVaultLab } from '../support/vault/vault-lab.ts';
import { changingSecretsContract, secretSourceContract, type ChangingLab } from './secret-source.contract.ts';

const { VAULT_ADDR: address, VAULT_TOKEN: token } = process.env;

const changing: readonly (readonly [string, () => Promise<ChangingLab>])[] = [
  ['a directory', () => Promise.resolve(openDirectoryLab())],
  ['a Vault over HTTP', () => openFakeVaultLab()],
  ...(address && token ? [['a real Vault', () => openRealVaultLab(address, token)] as const] : []),
];

describe('contract: secrets', () => {
  before(() => {
    if (address && token) return;
    process.stderr.write(
      '    NOT RUN: secrets on a real Vault. Set VAULT_ADDR (http) and VAULT_TOKEN of one that may be changed, such as vault server -dev.\n',
    );
  });
  secretSourceContract('variables', () => Promise.resolve(openEnvironmentLab()));
  for (const [name, open] of changing) changingSecretsContract(name, open);
});
