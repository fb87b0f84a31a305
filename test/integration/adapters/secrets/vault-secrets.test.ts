/** Secrets of a Vault that is away, confused, slow or changed: what was read serves on, and who is on call hears why. */
import { expect } from 'chai';
import type { VaultFailure } from '../../../support/vault/fake-vault.ts';
import { eventually } from '../../../e2e/support/eventually.ts';
import {
  openFakeVaultLab,
  type FakeVaultLab,
  type VaultLabWishes,
} from '../../../support/vault/vault-lab.ts';

const PASSWORD = 'trunks/tata/password';
const USER = 'trunks/tata/user';
const DEADLINE_MS = 3000;

describe('adapters/secrets vault: secrets', () => {
  let lab: FakeVaultLab;
  const open = async (wishes: VaultLabWishes = {}): Promise<FakeVaultLab> => {
    lab = await openFakeVaultLab(wishes);
    await lab.put({ [PASSWORD]: 'p4ss', [USER]: 'user' });
    return lab;
  };
  afterEach(() => lab.close());
  const value = () => lab.source.get(PASSWORD)?.reveal();

  /** A look that ends by its deadline alone. */
  const passSilence = async (ms: number): Promise<void> => {
    const before = lab.vault.requests.length;
    await lab.clock.advance(ms);
    await eventually('Vault was asked', () => (lab.vault.requests.length > before ? true : null));
    await lab.pass(DEADLINE_MS);
  };

  const failures: readonly (readonly [VaultFailure, string])[] = [
    [503, 'ERR_SECRETS_SEALED'],
    [429, 'ERR_SECRETS_BUSY'],
    [500, 'ERR_SECRETS_FAILING'],
    [502, 'ERR_SECRETS_FAILING'],
    [412, 'ERR_SECRETS_FAILING'],
    [472, 'ERR_SECRETS_FAILING'],
    [473, 'ERR_SECRETS_FAILING'],
    [302, 'ERR_SECRETS_UNREACHABLE'],
    ['silent', 'ERR_SECRETS_UNREACHABLE'],
    ['halting', 'ERR_SECRETS_UNREACHABLE'],
    ['cut', 'ERR_SECRETS_UNREACHABLE'],
    ['endless', 'ERR_SECRETS_UNREACHABLE'],
    ['circle', 'ERR_SECRETS_NONSENSE'],
    ['page', 'ERR_SECRETS_NONSENSE'],
    ['other-json', 'ERR_SECRETS_NONSENSE'],
  ];
  for (const [failure, code] of failures) {
    it(`TEL-6: last known values serve while Vault fails by ${failure}, with ${code} in the alert, resolved when it is back`, async () => {
      const { source, vault, alerts, put, pass } = await open();
      await source.start([PASSWORD, USER]);
      vault.failure = failure;
      const fail = failure === 'silent' || failure === 'halting' ? passSilence : pass;
      for (const pause of [60_000, 1000, 2000]) await fail(pause);
      expect(value()).to.equal('p4ss');
      expect(alerts.standing).to.deep.equal(['secrets-stale vault']);
      expect(alerts.raised[0]).to.include({ severity: 'warning' });
      expect(alerts.raised[0]!.summary).to.contain(code);
      vault.failure = null;
      await put({ [PASSWORD]: 'rotated', [USER]: 'user' });
      await pass(4000);
      expect(value()).to.equal('rotated');
      expect(alerts.standing).to.deep.equal([]);
    });
  }

  it('a Vault that restarts wakes nobody up, and one that stays away is asked less and less', async () => {
    const { source, vault, alerts, pass, clock } = await open();
    await source.start([PASSWORD]);
    vault.failure = 503;
    await pass(60_000);
    await pass(1000);
    vault.failure = null;
    await pass(2000);
    expect(alerts.raised).to.deep.equal([]);
    vault.failure = 503;
    for (const pause of [60_000, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      const before = vault.requests.length;
      await clock.advance(pause - 1);
      expect(vault.requests.length, `before ${pause}`).to.equal(before);
      await pass(1);
    }
    expect(alerts.standing).to.deep.equal(['secrets-stale vault']);
  });

  it('finds a new version at the next look, and not before it is due', async () => {
    const { source, put, pass, clock } = await open();
    const told: string[] = [];
    source.onChange((reference) => told.push(reference));
    await source.start([PASSWORD]);
    told.length = 0;
    await put({ [PASSWORD]: 'rotated' });
    await clock.advance(59_999);
    expect(value()).to.equal('p4ss');
    await pass(1);
    expect(value()).to.equal('rotated');
    expect(told).to.deep.equal([PASSWORD]);
  });

  it('reads a secret once for all of its keys', async () => {
    const { source, vault } = await open();
    vault.requests.length = 0;
    await source.start([PASSWORD, USER, 'trunks/tata/realm']);
    expect(vault.requests.map(({ method }) => method)).to.deep.equal(['POST', 'GET']);
  });

  it('TEL-6: tells a deleted version from one that never was, a missing key and what is no text', async () => {
    const { source, admin, alerts } = await open();
    await admin.delete('trunks/tata');
    await admin.put('trunks/jio', { user: 'u', number: 12_345, list: ['p4ss'], empty: '' });
    const keys = ['password', 'number', 'list', 'empty', 'user'].map((key) => `trunks/jio/${key}`);
    await source.start([PASSWORD, 'trunks/vi/password', ...keys]);
    const codeOf = (reference: string): string | undefined =>
      /ERR_SECRETS_\w+/.exec(alerts.raised.find(({ subject }) => subject === reference)?.summary ?? '')?.[0];
    expect(codeOf(PASSWORD)).to.equal('ERR_SECRETS_DELETED');
    expect(codeOf('trunks/vi/password')).to.equal('ERR_SECRETS_ABSENT');
    expect(keys.map(codeOf)).to.deep.equal([
      'ERR_SECRETS_ABSENT',
      'ERR_SECRETS_TEXT',
      'ERR_SECRETS_TEXT',
      'ERR_SECRETS_TEXT',
      undefined,
    ]);
    expect(JSON.stringify(alerts.raised)).to.not.contain('p4ss');
    expect(source.get('trunks/jio/user')?.reveal()).to.equal('u');
  });

  it('one path that is denied keeps no other from being read', async () => {
    const { source, admin, alerts } = await open();
    await admin.allow(`${admin.mount}/data/sos/gateway/trunks/tata`);
    await admin.put('trunks/jio', { password: 'j' });
    await source.start(['trunks/jio/password', PASSWORD]);
    expect(value()).to.equal('p4ss');
    expect(alerts.standing).to.deep.equal(['secret-missing trunks/jio/password']);
  });

  it('a start waits three seconds at most for a Vault that says nothing, and the values come later', async () => {
    const { source, vault, clock, looks, pass } = await open();
    vault.failure = 'silent';
    const before = vault.requests.length;
    const started = source.start([PASSWORD]);
    let isStarted = false;
    void started.then(() => (isStarted = true));
    await eventually('Vault was asked', () => (vault.requests.length > before ? true : null));
    await clock.advance(2999);
    expect(isStarted).to.equal(false);
    await clock.advance(1);
    await started;
    await eventually('the look has ended', () => (looks() === 1 ? true : null));
    vault.failure = null;
    const told: string[] = [];
    source.onChange((reference) => told.push(reference));
    await pass(1000);
    expect(told).to.deep.equal([PASSWORD]);
  });

  it('asks nothing while nothing is wanted', async () => {
    const { source, vault, pass } = await open();
    vault.requests.length = 0;
    await source.start([]);
    await pass(60_000);
    await source.stop();
    expect(vault.requests).to.deep.equal([]);
  });

  it('ends at once in the middle of a request, and leaves no timer behind', async () => {
    const { source, vault, clock } = await open();
    vault.failure = 'silent';
    const before = vault.requests.length;
    const started = source.start([PASSWORD]);
    await eventually('Vault was asked', () => (vault.requests.length > before ? true : null));
    await source.stop();
    await started;
    expect(clock.waiting).to.equal(0);
    expect(vault.requests.length).to.equal(before + 1);
  });

  it('takes no more than a second to give its token back to a Vault that says nothing', async () => {
    const { source, vault, clock } = await open();
    await source.start([PASSWORD]);
    vault.failure = 'silent';
    const stopped = source.stop();
    await eventually('the token is given back', () =>
      vault.to('auth/token/revoke-self').length > 0 ? true : null,
    );
    await clock.advance(1000);
    await stopped;
    expect(clock.waiting).to.equal(0);
  });

  it('many who ask at once share one look', async () => {
    const { source, vault } = await open();
    await source.start([PASSWORD]);
    const before = vault.requests.length;
    await Promise.all(Array.from({ length: 20 }, () => source.refresh()));
    // The one that ran, and one that began after all had asked.
    expect(vault.requests.length - before).to.equal(2);
  });
});
