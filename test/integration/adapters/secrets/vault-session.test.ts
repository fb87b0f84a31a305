/** Our token at Vault: by AppRole, renewed in time, taken anew; and what goes over the wire for it. */
import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import {
  openFakeVaultLab,
  type FakeVaultLab,
  type VaultLabWishes,
} from '../../../support/vault/vault-lab.ts';

const PASSWORD = 'trunks/tata/password';
const HOUR_MS = 3_600_000;

describe('adapters/secrets vault: session', () => {
  let lab: FakeVaultLab;
  const open = async (wishes: VaultLabWishes = {}): Promise<FakeVaultLab> => {
    lab = await openFakeVaultLab(wishes);
    await lab.put({ [PASSWORD]: 'p4ss' });
    return lab;
  };
  afterEach(() => lab.close());

  const logins = () => lab.vault.to(`auth/${lab.admin.authMount}/login`);
  const renewals = () => lab.vault.to('auth/token/renew-self');
  const value = () => lab.source.get(PASSWORD)?.reveal();

  it('TEL-6: logs in, reads, renews and gives the token back with the requests of the interface, and no others', async () => {
    const { source, vault, admin, pass } = await open({ vault: { namespace: 'police/kar' } });
    vault.requests.length = 0;
    await source.start([PASSWORD]);
    await pass(60_000);
    // Beyond two thirds of an hour.
    for (let minutes = 1; minutes < 40; minutes += 1) await pass(60_000);
    await source.stop();

    const login = logins()[0]!;
    expect(login).to.include({ method: 'POST', path: `/v1/auth/${admin.authMount}/login` });
    const body = JSON.parse(login.body) as Record<string, unknown>;
    expect(body).to.have.all.keys('role_id', 'secret_id');
    expect(login.headers).to.not.have.property('x-vault-token');
    const read = vault.requests[1]!;
    expect(read).to.include({
      method: 'GET',
      path: `/v1/${admin.mount}/data/sos/gateway/trunks/tata`,
      body: '',
    });
    const token = read.headers['x-vault-token'];
    expect(token).to.match(/^hvs\./);
    expect(logins()).to.have.length(1);
    expect(renewals()).to.have.length(1);
    expect(renewals()[0]).to.include({ method: 'POST', body: '{"increment":"3600s"}' });
    expect(renewals()[0]!.headers['x-vault-token']).to.equal(token);
    const last = vault.requests.at(-1)!;
    expect(last).to.include({ method: 'POST', path: '/v1/auth/token/revoke-self' });
    for (const { headers, method } of vault.requests) {
      expect(headers).to.include({ 'x-vault-namespace': 'police/kar', 'x-vault-request': 'true' });
      expect(headers['content-type']).to.equal(method === 'GET' ? undefined : 'application/json');
      expect(headers, 'nothing of the library').to.not.have.property('authorization');
    }
  });

  it('renews at two thirds of the life, not before, and again at two thirds of what that gave', async () => {
    const { source, clock, pass } = await open({ options: { pollMs: 10 * HOUR_MS } });
    await source.start([PASSWORD]);
    await clock.advance(HOUR_MS * (2 / 3) - 1);
    expect(renewals()).to.have.length(0);
    await pass(1);
    expect(renewals()).to.have.length(1);
    await clock.advance(HOUR_MS * (2 / 3) - 1);
    expect(renewals()).to.have.length(1);
    await pass(1);
    expect(renewals()).to.have.length(2);
    expect(logins()).to.have.length(1);
  });

  it('takes a new token before the role’s longest life ends the old one', async () => {
    const { source, alerts, pass } = await open({
      role: { token_ttl: 3600, token_max_ttl: 7200 },
      options: { pollMs: 10 * HOUR_MS },
    });
    await source.start([PASSWORD]);
    await pass(HOUR_MS * (2 / 3));
    await pass(HOUR_MS * (2 / 3));
    // 40 min are left of two hours: at two thirds of them a renewal gives less than half an hour.
    await pass(HOUR_MS * (2 / 3) * (2 / 3));
    expect(logins()).to.have.length(2);
    expect(alerts.raised).to.deep.equal([]);
  });

  it('takes a new token where the old one cannot be renewed', async () => {
    const { source, alerts, pass } = await open({
      role: { token_type: 'batch' },
      options: { pollMs: 10 * HOUR_MS },
    });
    await source.start([PASSWORD]);
    await pass(HOUR_MS * (2 / 3));
    expect(renewals()).to.have.length(0);
    expect(logins()).to.have.length(2);
    expect(alerts.raised).to.deep.equal([]);
  });

  it('logs in anew when its token was revoked, and nobody is woken up', async () => {
    const { source, vault, admin, put, alerts, pass } = await open();
    await source.start([PASSWORD]);
    for (let minutes = 0; minutes < 6; minutes += 1) await pass(60_000);
    await admin.revoke(String(vault.requests.at(-1)!.headers['x-vault-token']));
    await put({ [PASSWORD]: 'rotated' });
    await pass(60_000);
    expect(value()).to.equal('rotated');
    expect(logins()).to.have.length(2);
    expect(alerts.raised).to.deep.equal([]);
  });

  it('logs in anew when a renewal is denied', async () => {
    const { source, vault, admin, alerts, pass } = await open({ options: { pollMs: 10 * HOUR_MS } });
    await source.start([PASSWORD]);
    await admin.revoke(String(vault.requests.at(-1)!.headers['x-vault-token']));
    await pass(HOUR_MS * (2 / 3));
    expect(logins()).to.have.length(2);
    expect(alerts.raised).to.deep.equal([]);
  });

  it('goes on with its token while a renewal finds nobody, and renews when Vault is back', async () => {
    const { source, vault, alerts, pass } = await open({ options: { pollMs: 10 * HOUR_MS } });
    await source.start([PASSWORD]);
    vault.failure = 500;
    vault.failing = /renew-self/;
    await pass(HOUR_MS * (2 / 3));
    await pass(1000);
    expect(alerts.standing).to.deep.equal([]);
    await pass(2000);
    expect(alerts.standing).to.deep.equal(['secrets-stale vault']);
    vault.failure = null;
    await pass(4000);
    expect(renewals()).to.have.length(4);
    expect(logins()).to.have.length(1);
    expect(alerts.standing).to.deep.equal([]);
  });

  it('does not log in again and again for what its policy denies', async () => {
    const { source, admin, alerts, pass } = await open();
    await admin.allow(`${admin.mount}/data/elsewhere/*`);
    await source.start([PASSWORD]);
    for (let minutes = 0; minutes < 4; minutes += 1) await pass(60_000);
    expect(logins()).to.have.length(1);
    expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
    expect(alerts.raised[0]!.summary).to.contain('ERR_SECRETS_DENIED');
    await admin.allow(`${admin.mount}/data/sos/gateway/*`);
    await pass(60_000);
    expect(value()).to.equal('p4ss');
    expect(alerts.standing).to.deep.equal([]);
  });

  it('TEL-6: a secret id that is wrong is told at once, and not tried until Vault locks the role', async () => {
    const { reader, admin, alerts, pass } = await open();
    const source = reader({ secretId: { kind: 'value', value: new Secret('not-a-secret-id') } });
    await source.start([PASSWORD]);
    expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
    expect(alerts.raised[0]!.summary).to.contain('ERR_SECRETS_LOGIN');
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]) await pass(pause);
    expect(lab.vault.to(`auth/${admin.authMount}/login`)).to.have.length(1);
    await pass(60_000);
    expect(logins()).to.have.length(2);
    await source.refresh();
    expect(logins(), 'somebody asked').to.have.length(3);
  });

  it('TEL-6: an AppRole secret id that has expired is an alert while the token still serves, and secrets go on', async () => {
    const { source, put, alerts, pass } = await open({
      role: { secret_id_ttl: 600, token_type: 'batch' },
      options: { pollMs: 10 * HOUR_MS },
    });
    await source.start([PASSWORD]);
    await put({ [PASSWORD]: 'rotated' });
    await pass(HOUR_MS * (2 / 3));
    expect(value(), 'read with the old token').to.equal('rotated');
    expect(alerts.standing).to.deep.equal(['secrets-stale vault']);
    expect(alerts.raised[0]!.summary).to.contain('ERR_SECRETS_LOGIN').and.to.contain('expired');
    for (let times = 0; times < 12; times += 1) await pass(1000 * 2 ** times);
    expect(value(), 'in memory').to.equal('rotated');
    expect(alerts.standing).to.deep.equal(['secrets-stale vault']);
  });

  describe('secret id in a file', () => {
    let folder: string;
    let file: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'secret-id-'));
      file = join(folder, 'secret-id');
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const write = (secretId: Secret, mode = 0o600): void =>
      writeFileSync(file, `${secretId.reveal()}\n`, { mode });
    const fromFile = {
      kind: 'file',
      get file() {
        return file;
      },
      isSystemds: false,
    } as const;

    it('is read anew, so that a new one serves without a restart', async () => {
      const { reader, admin, alerts, pass } = await open();
      const first = await admin.secretId();
      write(first);
      await admin.destroySecretId(first);
      const source = reader({ secretId: fromFile });
      await source.start([PASSWORD]);
      expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
      write(await admin.secretId());
      await pass(1000);
      expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss');
      expect(alerts.standing).to.deep.equal([]);
    });

    it('is not taken when others may read it, or when it is not there', async () => {
      const { reader, admin, alerts } = await open();
      write(await admin.secretId());
      chmodSync(file, 0o644);
      const source = reader({ secretId: fromFile });
      await source.start([PASSWORD]);
      expect(alerts.raised.at(-1)!.summary).to.contain('secret-id').and.to.contain('ERR_SECRETS_FILE_OPEN');
      rmSync(file);
      await source.refresh();
      expect(alerts.raised.at(-1)!.summary).to.contain('ERR_SECRETS_ABSENT');
      expect(logins()).to.have.length(0);
      write(await admin.secretId());
      await source.refresh();
      expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss');
    });

    const wrapped = { secretId: fromFile, isWrapped: true } as const;

    it('TEL-6: is opened once where it is wrapped, by its token in the header alone, and serves later logins', async () => {
      const { reader, admin, vault, alerts, pass } = await open({
        role: { token_type: 'batch' },
        options: { pollMs: 10 * HOUR_MS },
      });
      const token = await admin.wrappedSecretId();
      write(token);
      const source = reader(wrapped);
      await source.start([PASSWORD]);
      expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss');
      await pass(HOUR_MS * (2 / 3));
      expect(logins()).to.have.length(2);
      const [lookup] = vault.to('sys/wrapping/lookup');
      expect(lookup).to.include({ method: 'POST', body: JSON.stringify({ token: token.reveal() }) });
      expect(lookup!.headers).to.not.have.property('x-vault-token');
      const unwraps = vault.to('sys/wrapping/unwrap');
      expect(unwraps).to.have.length(1);
      expect(unwraps[0]).to.include({ method: 'POST', body: '' });
      expect(unwraps[0]!.headers['x-vault-token']).to.equal(token.reveal());
      expect(alerts.raised).to.deep.equal([]);
    });

    it('TEL-6: that somebody opened before us is a security alert, until a new one is there', async () => {
      const { reader, admin, vault, alerts, pass } = await open();
      const token = await admin.wrappedSecretId();
      write(token);
      await admin.unwrap(token);
      vault.requests.length = 0;
      const source = reader(wrapped);
      await source.start([PASSWORD]);
      for (const pause of [1000, 2000, 4000]) await pass(pause);
      expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`, 'secret-unwrap vault']);
      expect(alerts.raised.filter(({ kind }) => kind === 'secret-unwrap')).to.have.length(1);
      expect(alerts.raised.find(({ kind }) => kind === 'secret-unwrap')).to.include({ severity: 'critical' });
      expect(
        vault.requests.map(({ path }) => path),
        'asked once',
      ).to.deep.equal(['/v1/sys/wrapping/lookup']);
      write(await admin.wrappedSecretId());
      await pass(8000);
      expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss');
      expect(alerts.standing).to.deep.equal([]);
    });

    it('TEL-6: that has expired, or wraps something else, is a security alert and is not opened', async () => {
      const { reader, admin, vault, clock, alerts } = await open();
      write(await admin.wrappedSecretId(60));
      await clock.advance(60_000);
      const source = reader(wrapped);
      await source.start([PASSWORD]);
      expect(alerts.standing).to.include('secret-unwrap vault');
      alerts.raised.length = 0;
      write(await admin.wrappedSecretId(60, 'sys/wrapping/wrap'));
      await source.refresh();
      expect(alerts.raised.map(({ kind }) => kind)).to.include('secret-unwrap');
      expect(vault.to('sys/wrapping/unwrap')).to.have.length(0);
      expect(logins()).to.have.length(0);
    });

    it('is no security alert while Vault cannot be asked', async () => {
      const { reader, admin, vault, alerts, pass } = await open();
      write(await admin.wrappedSecretId());
      vault.failure = 503;
      const source = reader(wrapped);
      await source.start([PASSWORD]);
      expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
      vault.failure = null;
      await pass(1000);
      expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss');
      expect(alerts.standing).to.deep.equal([]);
    });
  });
});
