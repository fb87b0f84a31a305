/** The whole gateway with a Vault that is sealed when it starts, comes, changes a password, and goes away again. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { startFakeVault, type FakeVault } from '../support/vault/fake-vault.ts';
import { VaultAdmin } from '../support/vault/vault-admin.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { press, told } from './support/sos.ts';
import { trunkPasswordIn } from './support/trunk-password.ts';

const BACK = '"The secrets manager is back."';
const REFERENCE = 'trunks/sandbox/password';

describe('e2e: secrets', function () {
  this.timeout(30_000);
  let vault: FakeVault;
  let admin: VaultAdmin;
  let secretId: string;

  const gateway = useGateway(async () => {
    vault = await startFakeVault({ clock: systemClock() });
    admin = new VaultAdmin(vault.address, vault.rootToken);
    await admin.setUp();
    await admin.put('trunks/sandbox', { password: 'first-of-vault' });
    secretId = (await admin.secretId()).reveal();
    const roleId = (await admin.roleId()).reveal();
    vault.failure = 503;
    return {
      // The trunk file names a password; Vault has another one than the file.
      trunkPassword: 'of-a-file',
      env: {
        HAMRAHI_SECRETS: 'vault',
        HAMRAHI_VAULT_ADDR: vault.address,
        HAMRAHI_VAULT_AUTH_MOUNT: admin.authMount,
        HAMRAHI_VAULT_ROLE_ID: roleId,
        HAMRAHI_VAULT_SECRET_ID: secretId,
        HAMRAHI_VAULT_MOUNT: admin.mount,
        HAMRAHI_VAULT_PREFIX: admin.prefix,
        HAMRAHI_VAULT_POLL_S: '5',
      },
    };
  });
  after(() => vault.close());

  const log = (): string => readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8');
  const timesSaid = (text: string): number => log().split(text).length - 1;
  const said = (what: RegExp): Promise<true> =>
    eventually(String(what), () => (what.test(log()) ? true : null), 15_000);

  const inAsterisk = (password: string): Promise<true> =>
    eventually(
      'the trunk’s password is in Asterisk',
      async () => ((await trunkPasswordIn(gateway.file.ari)) === password ? true : null),
      15_000,
    );

  it('TEL-6: starts and serves an SOS while Vault is sealed, and reads the password when it is back', async () => {
    expect(log())
      .to.match(/"an alert stands".*/)
      .and.to.contain('ERR_SECRETS_SEALED')
      .and.to.contain('secret-missing');
    const district = await gateway.district({ operators: [{ phone: '00' }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location);
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    expect(log()).to.not.contain('a secret was read');
    vault.failure = null;
    await said(
      /"a secret was read".*trunks\/sandbox\/password|trunks\/sandbox\/password.*"a secret was read"/,
    );
    await said(/"an alert is over".*secret-missing|secret-missing.*"an alert is over"/);
    await inAsterisk('first-of-vault');
    expect(await gateway.metric('hamrahi_secrets_missing', { place: 'vault' })).to.equal(0);
  });

  it('TEL-6: takes a new password without a restart, at once on SIGHUP, and keeps it when Vault goes away', async () => {
    await eventually(
      'it has the first one',
      () => (log().includes('a secret was read') ? true : null),
      15_000,
    );
    const { pid } = gateway.sandbox.controlPlane();
    await admin.put('trunks/sandbox', { password: 'second-of-vault' });
    gateway.sandbox.controlPlane().signal('SIGHUP');
    await said(/"a secret has changed"/);
    await inAsterisk('second-of-vault');
    vault.failure = 'cut';
    await said(/ERR_SECRETS_UNREACHABLE/);
    expect(await gateway.metric('hamrahi_secrets_stale', { place: 'vault' })).to.equal(1);
    const returns = timesSaid(BACK);
    vault.failure = null;
    await eventually('it is back', () => (timesSaid(BACK) > returns ? true : null), 15_000);
    expect(await gateway.metric('hamrahi_secrets_stale', { place: 'vault' })).to.equal(0);
    expect(gateway.sandbox.controlPlane().pid).to.equal(pid);
  });

  it('TEL-6: and says none of it in its log', () => {
    const tokens = vault.requests.flatMap(({ headers }) => headers['x-vault-token'] ?? []);
    expect(tokens.length).to.be.above(3);
    for (const hidden of ['first-of-vault', 'second-of-vault', secretId, ...tokens])
      expect(log()).to.not.contain(hidden);
    expect(log()).to.contain(REFERENCE);
  });

  it('TEL-6: leaves no token behind when it ends', async () => {
    await gateway.sandbox.controlPlane().stop();
    expect(vault.to('auth/token/revoke-self')).to.have.length(1);
    await gateway.sandbox.restartControlPlane();
  });
});
