/** A Vault with a mount and a role of one test, and what reads it; the fake one, or a real one behind a proxy that can be cut. */
import { systemClock } from '../../../control-plane/src/adapters/clock/system-clock.ts';
import {
  VaultSecrets,
  type VaultSecretsOptions,
} from '../../../control-plane/src/adapters/secrets/vault-secrets.ts';
import type { Clock } from '../../../control-plane/src/ports/clock.ts';
import type { ChangingLab } from '../../contract/secret-source.contract.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { startCuttableProxy } from '../cuttable-proxy.ts';
import { keptAlerts } from '../kept-alerts.ts';
import { keptLog } from '../kept-log.ts';
import { manualClock, type ManualClock } from '../manual-clock.ts';
import { silentMetrics } from '../silent-metrics.ts';
import { startFakeVault, type FakeVault, type FakeVaultOptions } from './fake-vault.ts';
import { VaultAdmin, type RoleWishes } from './vault-admin.ts';

export interface VaultLabWishes {
  readonly role?: RoleWishes;
  /** Over the lab's own. */
  readonly options?: Partial<VaultSecretsOptions>;
  readonly vault?: Omit<FakeVaultOptions, 'clock'>;
}

export interface FakeVaultLab extends ChangingLab {
  readonly vault: FakeVault;
  readonly admin: VaultAdmin;
  readonly clock: ManualClock;
  /** Another reader of the same Vault, with the lab's options changed. Stopped with the lab. */
  readonly reader: (change: Partial<VaultSecretsOptions>) => VaultSecrets;
  /** Lets time pass that brings one look, and waits for its end. */
  readonly pass: (ms: number) => Promise<void>;
  /** Looks that have ended. */
  readonly looks: () => number;
}

const LOOK_MS = 5000;

type Base = Omit<ChangingLab, 'lose' | 'restore'>;

export async function openFakeVaultLab(wishes: VaultLabWishes = {}): Promise<FakeVaultLab> {
  const clock = manualClock(Date.now());
  const vault = await startFakeVault({ clock, ...wishes.vault });
  const { namespace } = wishes.vault ?? {};
  const admin = new VaultAdmin(vault.address, vault.rootToken, namespace ?? null);
  const { base, reader, looks } = await openLab(vault.address, admin, clock, wishes);
  return {
    ...base,
    looks,
    pass: async (ms) => {
      const before = looks();
      await clock.advance(ms);
      await eventually('a look has ended', () => (looks() > before ? true : null), LOOK_MS);
    },
    vault,
    admin,
    clock,
    reader,
    lose: () => {
      vault.failure = 503;
      return Promise.resolve();
    },
    restore: () => {
      vault.failure = null;
      return Promise.resolve();
    },
    close: async () => {
      vault.failure = null;
      await base.close();
      await vault.close();
    },
  };
}

export async function openRealVaultLab(address: string, token: string): Promise<ChangingLab> {
  const { hostname, port, protocol } = new URL(address);
  if (protocol !== 'http:')
    throw new Error('VAULT_ADDR has to be plain http (a development server): a proxy stands before it');
  const proxy = await startCuttableProxy({ host: hostname, port: Number(port || 80) });
  const admin = new VaultAdmin(address, token);
  const { base } = await openLab(`http://127.0.0.1:${proxy.port}`, admin, systemClock(), {});
  return {
    ...base,
    lose: () => {
      proxy.refuse(true);
      proxy.cut();
      return Promise.resolve();
    },
    restore: () => {
      proxy.refuse(false);
      return Promise.resolve();
    },
    close: async () => {
      proxy.refuse(false);
      await base.close();
      await admin.tearDown();
      await proxy.stop();
    },
  };
}

async function openLab(address: string, admin: VaultAdmin, clock: Clock, wishes: VaultLabWishes) {
  await admin.setUp(wishes.role);
  const [alerts, log] = [keptAlerts(), keptLog()];
  let looks = 0;
  const options: VaultSecretsOptions = {
    address,
    caFile: null,
    namespace: wishes.vault?.namespace ?? null,
    authMount: admin.authMount,
    roleId: await admin.roleId(),
    secretId: { kind: 'value', value: await admin.secretId() },
    isWrapped: false,
    mount: admin.mount,
    prefix: admin.prefix,
    pollMs: 60_000,
    clock,
    log,
    alerts,
    metrics: { ...silentMetrics, count: (name) => (looks += name === 'hamrahi_secrets_looks_total' ? 1 : 0) },
    ...wishes.options,
  };
  const readers: VaultSecrets[] = [];
  const reader = (change: Partial<VaultSecretsOptions>): VaultSecrets => {
    const made = new VaultSecrets({ ...options, ...change });
    readers.push(made);
    return made;
  };
  const kept = new Map<string, Record<string, string>>();
  const base: Base = {
    source: reader({}),
    alerts,
    log,
    place: 'vault',
    put: async (values) => {
      const touched = new Set<string>();
      for (const [reference, value] of Object.entries(values)) {
        const [path, key] = splitOf(reference);
        kept.set(path, { ...kept.get(path), [key]: value });
        touched.add(path);
      }
      for (const path of touched) await admin.put(path, kept.get(path) ?? {});
    },
    remove: (reference) => admin.delete(splitOf(reference)[0]),
    close: async () => {
      for (const one of readers) await one.stop();
    },
  };
  return { base, reader, looks: () => looks };
}

function splitOf(reference: string): readonly [path: string, key: string] {
  const at = reference.lastIndexOf('/');
  return [reference.slice(0, at), reference.slice(at + 1)];
}
