import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeConfigErrors, loadConfig } from '../../../control-plane/src/config/load-config.ts';
import type { Environment } from '../../../control-plane/src/config/read-variables.ts';
import { POLICY_VARIABLES, VARIABLES } from '../../../control-plane/src/config/variables.ts';
import { DEFAULT_POLICY } from '../../../control-plane/src/domain/session/policy.ts';

const SECRET = 'a-secret-of-more-than-32-characters!';

/** The least that a node of role `all` needs in the sandbox. */
const SANDBOX: Environment = {
  HAMRAHI_ENV: 'sandbox',
  HAMRAHI_PUBLIC_URL: 'http://127.0.0.1:8080/',
  HAMRAHI_SIP_WSS_URL: 'ws://127.0.0.1:8443/sip',
  HAMRAHI_SIP_DOMAIN: 'sos.test',
  HAMRAHI_JWT_ISSUER: 'sandbox',
  HAMRAHI_JWT_HS256_SECRET: SECRET,
  HAMRAHI_ARI_PASSWORD: 'ari-password',
  HAMRAHI_TRUNKS: 'sandbox',
};
const PRODUCTION: Environment = {
  ...SANDBOX,
  HAMRAHI_ENV: undefined,
  HAMRAHI_PUBLIC_URL: 'https://sos.example',
  HAMRAHI_SIP_WSS_URL: 'wss://sos.example/sip',
  HAMRAHI_JWT_HS256_SECRET: undefined,
  HAMRAHI_JWT_JWKS_URL: 'https://issuer.example/jwks',
};
const EDGE: Environment = {
  HAMRAHI_ROLE: 'edge',
  HAMRAHI_CORE_URL: 'ws://10.0.0.1:8079',
  HAMRAHI_EDGE_SECRET: SECRET,
};

/** Names of the variables that are reported. */
function wrongIn(env: Environment): string[] {
  const result = loadConfig(env);
  return result.ok ? [] : result.errors.map(({ variable }) => variable);
}

function configOf(env: Environment) {
  const result = loadConfig(env);
  if (!result.ok) throw new Error(describeConfigErrors(result.errors));
  return result.value;
}

describe('config load-config', () => {
  it('makes one object of settings, frozen to its depth', () => {
    const config = configOf({ ...SANDBOX, HAMRAHI_TRUNKS: 'tata, exotel', HAMRAHI_NODE_ID: 'n7' });
    expect(config.core?.trunks.names).to.deep.equal(['tata', 'exotel']);
    expect(config.core?.http.listen).to.deep.equal({ host: '127.0.0.1', port: 8080 });
    expect(config.core?.clients.publicUrl).to.equal('http://127.0.0.1:8080');
    expect(config.core?.engine.ariApp).to.equal('hamrahi');
    expect(config.core?.policy).to.deep.equal(DEFAULT_POLICY);
    expect(config.core?.database).to.deep.equal({ kind: 'embedded', directory: '.run/postgres' });
    expect(config.edge?.core).to.equal(null);
    expect(() => {
      (config.core?.policy as { watchdogMs: number }).watchdogMs = 1;
    }).to.throw(TypeError);
    expect(() => (config.core?.trunks.names as string[]).push('x')).to.throw(TypeError);
  });

  it('reads every time of the policy', () => {
    for (const [key, variable] of Object.entries(POLICY_VARIABLES)) {
      const value = key === 'operatorAbsent' ? 'dial-both' : key === 'citizenRedials' ? '7' : '4321';
      const env = {
        ...SANDBOX,
        [variable]: value,
        ...(key === 'watchdogMs' ? { HAMRAHI_FIRST_RETRY_MS: '99' } : {}),
      };
      expect(String(configOf(env).core?.policy[key as keyof typeof POLICY_VARIABLES])).to.equal(value);
    }
  });

  it('lets no crash test into production', () => {
    const HAMRAHI_FAILPOINT = 'kill:committed:1';
    expect(configOf({ ...SANDBOX, HAMRAHI_FAILPOINT }).failpoint).to.include({ place: 'committed' });
    expect(wrongIn({ ...PRODUCTION, HAMRAHI_FAILPOINT })).to.deep.equal(['HAMRAHI_FAILPOINT']);
    expect(configOf(PRODUCTION).failpoint).to.equal(null);
  });

  it('takes no name for the ARI application that the dialplan would not know again', () => {
    for (const HAMRAHI_ARI_APP of ['hamrahi-2', 'h2_b', '2x'])
      expect(configOf({ ...SANDBOX, HAMRAHI_ARI_APP }).core?.engine.ariApp).to.equal(HAMRAHI_ARI_APP);
    for (const HAMRAHI_ARI_APP of ['h', '_hamrahi', '-hamrahi', 'x'.repeat(61)])
      expect(wrongIn({ ...SANDBOX, HAMRAHI_ARI_APP })).to.deep.equal(['HAMRAHI_ARI_APP']);
  });

  it('gives each role what it needs, and no more', () => {
    const edge = configOf(EDGE);
    expect(edge.core).to.equal(null);
    expect(edge.edge?.core?.urls).to.deep.equal(['ws://10.0.0.1:8079']);
    expect(edge.edge?.core?.secret.reveal()).to.equal(SECRET);
    const core = configOf({
      ...SANDBOX,
      HAMRAHI_ROLE: 'core',
      HAMRAHI_INTERNAL_LISTEN: '127.0.0.1:0',
      HAMRAHI_EDGE_SECRET: SECRET,
    });
    expect(core.edge).to.equal(null);
    expect(core.core?.internal?.listen.port).to.equal(0);
  });

  it('reports everything that is wrong at once: what was expected, what it got', () => {
    const result = loadConfig({
      ...SANDBOX,
      HAMRAHI_HTTP_LISTEN: 'everywhere',
      HAMRAHI_WATCHDOG_MS: '5s',
      HAMRAHI_ROLE: 'boss',
      HAMRAHI_JWT_HS256_SECRET: 'short',
      HAMRAHI_ARI_PASSWORD: undefined,
      HAMRAHI_WACHDOG_MS: 'secret-by-mistake',
    });
    if (result.ok) throw new Error('it was accepted');
    const text = describeConfigErrors(result.errors);
    expect(text).to.contain(
      'HAMRAHI_HTTP_LISTEN: expected host:port, such as 127.0.0.1:8080 or [::1]:8080, got "everywhere"',
    );
    expect(text).to.contain('HAMRAHI_WATCHDOG_MS: expected a whole number from 100 to 60000, got "5s"');
    expect(text).to.contain('HAMRAHI_ROLE: expected one of all, core, edge, got "boss"');
    expect(text).to.contain('HAMRAHI_JWT_HS256_SECRET: expected at least 32 characters\n');
    expect(text).to.contain('did you mean HAMRAHI_WATCHDOG_MS?');
    expect(text).not.to.contain('short').and.not.to.contain('secret-by-mistake');
    expect(result.errors).to.have.length(5);
  });

  it('names what a role lacks', () => {
    expect(wrongIn({})).to.include.members([
      'HAMRAHI_PUBLIC_URL',
      'HAMRAHI_SIP_WSS_URL',
      'HAMRAHI_SIP_DOMAIN',
      'HAMRAHI_JWT_ISSUER',
      'HAMRAHI_ARI_PASSWORD',
      'HAMRAHI_TRUNKS',
      'HAMRAHI_JWT_HS256_SECRET',
    ]);
    expect(wrongIn({ HAMRAHI_ROLE: 'edge' })).to.have.members(['HAMRAHI_CORE_URL', 'HAMRAHI_EDGE_SECRET']);
    expect(wrongIn({ ...SANDBOX, HAMRAHI_ROLE: 'core' })).to.have.members([
      'HAMRAHI_INTERNAL_LISTEN',
      'HAMRAHI_EDGE_SECRET',
    ]);
  });

  const broken: readonly (readonly [string, Environment, string])[] = [
    ['half a TLS pair', { HAMRAHI_TLS_CERT_FILE: '/c.pem' }, 'HAMRAHI_TLS_KEY_FILE'],
    ['a public API without TLS', { HAMRAHI_HTTP_LISTEN: '0.0.0.0:80' }, 'HAMRAHI_HTTP_LISTEN'],
    ['a public edge without TLS', { HAMRAHI_EDGE_LISTEN: '[::]:443' }, 'HAMRAHI_EDGE_LISTEN'],
    [
      'two ways to check tokens',
      { HAMRAHI_JWT_JWKS_URL: 'https://i.example/jwks' },
      'HAMRAHI_JWT_HS256_SECRET',
    ],
    ['no way to check tokens', { HAMRAHI_JWT_HS256_SECRET: '' }, 'HAMRAHI_JWT_HS256_SECRET'],
    ['TURN without its secret', { HAMRAHI_TURN_URLS: 'turn:t.example' }, 'HAMRAHI_TURN_SECRET'],
    ['a retry after the watchdog', { HAMRAHI_FIRST_RETRY_MS: '5000' }, 'HAMRAHI_FIRST_RETRY_MS'],
    ['no trunk at all', { HAMRAHI_TRUNKS: ',' }, 'HAMRAHI_TRUNKS'],
    ['a trunk named twice', { HAMRAHI_TRUNKS: 'a,a' }, 'HAMRAHI_TRUNKS'],
    ['a database of another kind', { DATABASE_URL: 'mysql://x/y' }, 'DATABASE_URL'],
    ['a data key of another length', { HAMRAHI_DATA_KEY: 'c2hvcnQ=' }, 'HAMRAHI_DATA_KEY'],
    [
      'an address in place of a network',
      { HAMRAHI_WEBHOOK_ALLOWED_NETWORKS: '10.0.0.1' },
      'HAMRAHI_WEBHOOK_ALLOWED_NETWORKS',
    ],
    ['a port beyond 65535', { HAMRAHI_HTTP_LISTEN: '127.0.0.1:70000' }, 'HAMRAHI_HTTP_LISTEN'],
  ];
  for (const [what, change, variable] of broken)
    it(`refuses ${what}`, () => expect(wrongIn({ ...SANDBOX, ...change })).to.deep.equal([variable]));

  it('is stricter in production, which is the default', () => {
    expect(wrongIn(PRODUCTION)).to.deep.equal([]);
    expect(wrongIn({ ...SANDBOX, HAMRAHI_ENV: undefined })).to.deep.equal(['HAMRAHI_JWT_HS256_SECRET']);
    const public_ = { HAMRAHI_HTTP_LISTEN: '0.0.0.0:443', HAMRAHI_ALLOW_PLAINTEXT: 'yes' };
    expect(wrongIn({ ...PRODUCTION, ...public_ })).to.deep.equal(['HAMRAHI_METRICS_TOKEN']);
    expect(wrongIn({ ...SANDBOX, ...public_ })).to.deep.equal([]);
    for (const [variable, plain] of [
      ['HAMRAHI_PUBLIC_URL', 'http://sos.example'],
      ['HAMRAHI_SIP_WSS_URL', 'ws://sos.example/sip'],
      ['HAMRAHI_JWT_JWKS_URL', 'http://issuer.example/jwks'],
    ] as const)
      expect(wrongIn({ ...PRODUCTION, [variable]: plain })).to.deep.equal([variable]);
  });

  it('sends webhooks to public addresses over TLS alone, and in a sandbox to the networks that it names', () => {
    const HAMRAHI_DATA_KEY = Buffer.alloc(32, 9).toString('base64');
    const production = configOf({ ...PRODUCTION, HAMRAHI_DATA_KEY }).core?.webhooks;
    expect(production).to.deep.include({ publicAllowed: true, allowHttp: false, allowedNetworks: [] });
    expect(production?.dataKey?.reveal()).to.equal(HAMRAHI_DATA_KEY);
    const HAMRAHI_WEBHOOK_ALLOWED_NETWORKS = '127.0.0.0/8, ::1/128';
    const sandbox = configOf({
      ...SANDBOX,
      HAMRAHI_WEBHOOK_ALLOWED_NETWORKS,
      HAMRAHI_WEBHOOK_ALLOW_HTTP: 'yes',
    });
    expect(sandbox.core?.webhooks).to.deep.include({
      dataKey: null,
      publicAllowed: false,
      allowHttp: true,
      allowedNetworks: ['127.0.0.0/8', '::1/128'],
      kept: { deliveredMs: 7 * 86_400_000, failedMs: 30 * 86_400_000 },
    });
    expect(wrongIn({ ...PRODUCTION, HAMRAHI_WEBHOOK_ALLOW_HTTP: 'yes' })).to.deep.equal([
      'HAMRAHI_WEBHOOK_ALLOW_HTTP',
    ]);
  });

  it('never repeats a secret', () => {
    for (const [name, variable] of Object.entries(VARIABLES)) {
      if (!variable.secret) continue;
      const result = loadConfig({ ...SANDBOX, [name]: 'zz zz' });
      expect(JSON.stringify(result)).not.to.contain('zz zz');
    }
    const config = configOf({ ...SANDBOX, DATABASE_URL: 'postgres://u:hidden@db/x' });
    const text = JSON.stringify(config);
    for (const secret of [SECRET, 'ari-password', 'hidden']) expect(text).not.to.contain(secret);
  });

  describe('where secrets come from', () => {
    const VAULT: Environment = {
      HAMRAHI_SECRETS: 'vault',
      HAMRAHI_VAULT_ADDR: 'https://vault.example:8200/',
      HAMRAHI_VAULT_ROLE_ID: 'role',
      HAMRAHI_VAULT_SECRET_ID_FILE: '/run/credentials/gateway/vault-secret-id',
    };
    const secretsOf = (env: Environment) => configOf({ ...SANDBOX, ...env }).core?.secrets;

    it('TEL-6: is a directory where there is one, else variables, which production takes only when told to', () => {
      expect(secretsOf({})).to.deep.equal({ kind: 'environment', values: {} });
      expect(secretsOf({ CREDENTIALS_DIRECTORY: '/run/credentials/x' })).to.deep.equal({
        kind: 'directory',
        directory: '/run/credentials/x',
        isSystemds: true,
      });
      expect(secretsOf({ CREDENTIALS_DIRECTORY: '/run/c', HAMRAHI_SECRETS_DIR: '/etc/s' })).to.deep.include({
        directory: '/etc/s',
        isSystemds: false,
      });
      const variable = { HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD: 'hidden' };
      const secrets = secretsOf(variable);
      if (secrets?.kind !== 'environment') throw new Error('another kind');
      expect(secrets.values['HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD']?.reveal()).to.equal('hidden');
      expect(JSON.stringify(secrets)).to.not.contain('hidden');
      expect(configOf(PRODUCTION).core?.secrets).to.deep.equal({ kind: 'environment', values: {} });
      expect(wrongIn({ ...PRODUCTION, ...variable })).to.deep.equal(Object.keys(variable));
      expect(wrongIn({ ...PRODUCTION, HAMRAHI_SECRETS: 'environment' })).to.deep.equal(['HAMRAHI_SECRETS']);
      const allowed = { ...PRODUCTION, ...variable, HAMRAHI_ALLOW_ENVIRONMENT_SECRETS: 'yes' };
      expect(wrongIn(allowed)).to.deep.equal([]);
    });

    it('TEL-6: leaves no secret where nobody would look for it', () => {
      const variable = { HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD: 'hidden' };
      expect(wrongIn({ ...SANDBOX, ...variable, HAMRAHI_SECRETS_DIR: '/etc/s' })).to.deep.equal(
        Object.keys(variable),
      );
      expect(wrongIn({ ...SANDBOX, ...variable, ...VAULT })).to.deep.equal(Object.keys(variable));
      expect(wrongIn({ ...EDGE, ...variable }), 'an edge needs none').to.deep.equal([]);
      for (const misspelt of ['HAMRAHI_SECRET_DIR', 'HAMRAHI_SECRET_', 'HAMRAHI_SECRET_trunks_tata'])
        expect(wrongIn({ ...SANDBOX, [misspelt]: 'hidden' })).to.deep.equal([misspelt]);
      expect(wrongIn({ ...SANDBOX, HAMRAHI_SECRETS: 'directory' })).to.deep.equal(['HAMRAHI_SECRETS_DIR']);
    });

    it('TEL-6: reads the settings of Vault, and the secret id only when it logs in', () => {
      const secrets = secretsOf({
        ...VAULT,
        HAMRAHI_VAULT_NAMESPACE: 'police/kar',
        HAMRAHI_VAULT_POLL_S: '30',
      });
      expect(secrets).to.deep.include({
        kind: 'vault',
        address: 'https://vault.example:8200',
        namespace: 'police/kar',
        authMount: 'approle',
        secretId: { kind: 'file', file: VAULT['HAMRAHI_VAULT_SECRET_ID_FILE'], isSystemds: false },
        isWrapped: false,
        mount: 'secret',
        prefix: null,
        caFile: null,
        pollMs: 30_000,
      });
      expect(secretsOf({ ...VAULT, CREDENTIALS_DIRECTORY: '/run/credentials/gateway/' })).to.deep.include({
        secretId: { kind: 'file', file: VAULT['HAMRAHI_VAULT_SECRET_ID_FILE'], isSystemds: true },
      });
      const direct = secretsOf({
        ...VAULT,
        HAMRAHI_VAULT_SECRET_ID_FILE: '',
        HAMRAHI_VAULT_SECRET_ID: 'hidden',
      });
      expect(direct?.kind === 'vault' && direct.secretId.kind).to.equal('value');
      expect(JSON.stringify(direct)).to.not.contain('hidden').and.to.not.contain('"role"');
    });

    it('TEL-6: wants Vault whole, over TLS in production, and not half meant', () => {
      const production = { ...PRODUCTION, ...VAULT };
      expect(wrongIn(production)).to.deep.equal([]);
      const wrong = (change: Environment) => wrongIn({ ...production, ...change });
      expect(wrong({ HAMRAHI_VAULT_ADDR: 'http://vault.example:8200' })).to.deep.equal([
        'HAMRAHI_VAULT_ADDR',
      ]);
      expect(wrong({ HAMRAHI_VAULT_ADDR: 'http://127.0.0.1:8200' }), 'an agent on loopback').to.deep.equal(
        [],
      );
      expect(wrong({ HAMRAHI_VAULT_ADDR: '' })).to.deep.equal(['HAMRAHI_VAULT_ADDR']);
      expect(wrong({ HAMRAHI_SECRETS: '' }), 'an address in vain').to.deep.equal(['HAMRAHI_VAULT_ADDR']);
      expect(wrong({ HAMRAHI_VAULT_ROLE_ID: '' })).to.deep.equal(['HAMRAHI_VAULT_ROLE_ID']);
      expect(wrong({ HAMRAHI_VAULT_SECRET_ID: 'too' })).to.deep.equal(['HAMRAHI_VAULT_SECRET_ID']);
      expect(wrong({ HAMRAHI_VAULT_SECRET_ID_FILE: '' })).to.deep.equal(['HAMRAHI_VAULT_SECRET_ID']);
      for (const path of ['/secret', 'secret/', 'se cret', '../sys', 'a//b'])
        expect(wrong({ HAMRAHI_VAULT_MOUNT: path }), path).to.deep.equal(['HAMRAHI_VAULT_MOUNT']);
    });

    it('TEL-6: lets no library print what it is given, in production or with Vault', () => {
      for (const variable of ['DEBUG', 'NODE_DEBUG']) {
        expect(wrongIn({ ...PRODUCTION, [variable]: 'node-vault' })).to.deep.equal([variable]);
        expect(wrongIn({ ...SANDBOX, ...VAULT, [variable]: '*' })).to.deep.equal([variable]);
        expect(wrongIn({ ...SANDBOX, [variable]: '*' })).to.deep.equal([]);
      }
    });
  });

  describe('secrets in files', () => {
    let directory: string;
    beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))));
    afterEach(() => rmSync(directory, { recursive: true }));

    it('are read, without the line end of an editor', () => {
      const file = join(directory, 'ari');
      writeFileSync(file, 'from-a-file\n');
      const env = { ...SANDBOX, HAMRAHI_ARI_PASSWORD: undefined, HAMRAHI_ARI_PASSWORD_FILE: file };
      expect(configOf(env).core?.engine.ariPassword.reveal()).to.equal('from-a-file');
    });

    it('are refused when missing, doubled, or not of a secret', () => {
      const gone = join(directory, 'gone');
      expect(
        wrongIn({ ...SANDBOX, HAMRAHI_ARI_PASSWORD: '', HAMRAHI_ARI_PASSWORD_FILE: gone }),
      ).to.deep.equal(['HAMRAHI_ARI_PASSWORD_FILE']);
      expect(wrongIn({ ...SANDBOX, HAMRAHI_ARI_PASSWORD_FILE: gone })).to.deep.equal([
        'HAMRAHI_ARI_PASSWORD_FILE',
      ]);
      expect(wrongIn({ ...SANDBOX, HAMRAHI_ROLE_FILE: gone })).to.deep.equal(['HAMRAHI_ROLE_FILE']);
    });
  });
});
