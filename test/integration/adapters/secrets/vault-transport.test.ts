/** The way to Vault: certificates, redirects, and an environment that would have it otherwise. */
import { expect } from 'chai';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeCertificate } from '../../../../control-plane/sandbox/certificate.ts';
import { runProgram } from '../../../support/run-program.ts';
import {
  openFakeVaultLab,
  type FakeVaultLab,
  type VaultLabWishes,
} from '../../../support/vault/vault-lab.ts';

const PASSWORD = 'trunks/tata/password';
const ROOT = resolve(import.meta.dirname, '../../../..');

describe('adapters/secrets vault: transport', () => {
  let folder: string;
  let lab: FakeVaultLab | null = null;
  const open = async (wishes: VaultLabWishes = {}): Promise<FakeVaultLab> => {
    lab = await openFakeVaultLab(wishes);
    await lab.put({ [PASSWORD]: 'p4ss-of-tata' });
    return lab;
  };
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'vault-transport-'))));
  afterEach(async () => {
    await lab?.close();
    lab = null;
    rmSync(folder, { recursive: true });
  });

  describe('TLS', () => {
    const trustedBy = async (
      test: (caFile: string, vault: VaultLabWishes) => Promise<void>,
    ): Promise<void> => {
      const { certFile, keyFile } = await makeCertificate(folder, '127.0.0.1');
      const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
      // Who administers the test's Vault trusts it, and we must not for all that.
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        await test(certFile, { vault: { tls } });
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      }
    };

    it('TEL-6: trusts the given authority alone, whatever the environment says', () =>
      trustedBy(async (caFile, wishes) => {
        const { reader, alerts } = await open(wishes);
        process.env['VAULT_SKIP_VERIFY'] = 'true';
        try {
          const strict = reader({ caFile: null });
          await strict.start([PASSWORD]);
          expect(strict.get(PASSWORD)).to.equal(null);
          expect(alerts.raised[0]!.summary)
            .to.contain('ERR_SECRETS_UNREACHABLE')
            .and.to.match(/SELF_SIGNED/);
        } finally {
          delete process.env['VAULT_SKIP_VERIFY'];
        }
        const trusting = reader({ caFile });
        await trusting.start([PASSWORD]);
        expect(trusting.get(PASSWORD)?.reveal()).to.equal('p4ss-of-tata');
      }));

    it('reads the authority anew, so that another one needs no restart', () =>
      trustedBy(async (certFile, wishes) => {
        const { reader, alerts, pass } = await open(wishes);
        const caFile = join(folder, 'ca.pem');
        const source = reader({ caFile });
        await source.start([PASSWORD]);
        expect(alerts.raised[0]!.summary).to.contain('certificate authority').and.to.contain('ENOENT');
        writeFileSync(caFile, 'no certificate');
        await pass(1000);
        expect(source.get(PASSWORD)).to.equal(null);
        writeFileSync(caFile, readFileSync(certFile));
        await pass(2000);
        expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss-of-tata');
      }));
  });

  describe('redirects', () => {
    let standby: Server;
    let to: string;
    beforeEach(async () => {
      standby = createServer((request, response) => {
        response.writeHead(307, { location: `${to}${request.url ?? ''}` }).end();
      }).listen(0, '127.0.0.1');
      await once(standby, 'listening');
    });
    afterEach(() => standby.close());
    const addressOf = (server: Server): string =>
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    it('a standby sends us on to the active node', async () => {
      const { reader, vault, alerts } = await open();
      to = vault.address;
      const source = reader({ address: addressOf(standby) });
      await source.start([PASSWORD]);
      expect(source.get(PASSWORD)?.reveal()).to.equal('p4ss-of-tata');
      expect(alerts.standing).to.deep.equal([]);
    });

    it('nobody sends our token in a circle, or to another scheme', async () => {
      const { reader, alerts } = await open();
      to = addressOf(standby);
      const source = reader({ address: addressOf(standby) });
      await source.start([PASSWORD]);
      expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
      to = 'https://127.0.0.1:1';
      await source.refresh();
      expect(alerts.raised.at(-1)!.summary).to.contain('it redirects to where we do not follow');
    });
  });

  describe('in a process of its own', () => {
    /** Reads the password with these variables set. */
    const readOnce = async (env: Readonly<Record<string, string>>) => {
      const { vault, admin } = await open();
      const [roleId, secretId] = [await admin.roleId(), await admin.secretId()];
      const { mount, prefix, authMount } = admin;
      const text = {
        address: vault.address,
        mount,
        prefix,
        authMount,
        roleId: roleId.reveal(),
        secretId: secretId.reveal(),
      };
      const settings = join(folder, 'settings.json');
      writeFileSync(settings, JSON.stringify(text), { mode: 0o600 });
      vault.requests.length = 0;
      const program = join(ROOT, 'test/support/vault/read-once.ts');
      const end = await runProgram(process.execPath, [program, settings, PASSWORD], {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], ...env },
      });
      expect(end.output).to.contain('read 12 characters');
      expect(end.exitCode).to.equal(0);
      return { ...end, vault, secrets: [roleId.reveal(), secretId.reveal()] };
    };

    it('TEL-6: takes nothing from the environment of other Vault clients', async () => {
      const nowhere = 'http://127.0.0.1:1';
      const { vault } = await readOnce({
        VAULT_ADDR: nowhere,
        VAULT_TOKEN: 'hvs.of-somebody-else',
        VAULT_NAMESPACE: 'elsewhere',
        VAULT_PREFIX: '/elsewhere',
        HTTP_PROXY: nowhere,
        http_proxy: nowhere,
      });
      expect(vault.requests).to.have.length(3);
      for (const { path, headers } of vault.requests) {
        expect(path).to.match(/^\/v1\/(auth|kv-)/);
        expect(headers).to.not.have.property('x-vault-namespace');
        expect(headers['x-vault-token']).to.not.equal('hvs.of-somebody-else');
      }
    });

    it('TEL-6: prints nothing of what it sends or gets, where libraries are told to print everything', async () => {
      const { output, vault, secrets } = await readOnce({ DEBUG: '*' });
      const token = String(vault.requests.at(-1)!.headers['x-vault-token']);
      for (const hidden of ['p4ss-of-tata', token, ...secrets]) expect(output).to.not.contain(hidden);
    });
  });
});
