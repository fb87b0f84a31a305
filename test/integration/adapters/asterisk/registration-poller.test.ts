import { expect } from 'chai';
import { RegistrationPoller } from '../../../../control-plane/src/adapters/asterisk/registration-poller.ts';
import { AsteriskDriver } from '../../../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { eventually } from '../../../e2e/support/eventually.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { memorySecrets } from '../../../support/memory-secrets.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { trunkList } from '../../../support/trunk-list.ts';
import { startPlainRegistrar } from '../../../support/plain-registrar.ts';

describe('adapters/asterisk/registration-poller: on a real Asterisk', function () {
  this.timeout(60_000);

  it('TEL-8: hears that a registration stands, that it is refused, and nobody without the password does', async () => {
    const registrar = await startPlainRegistrar('127.0.0.2');
    const trunk: Trunk = {
      ...sandboxTrunk(registrar.port),
      name: 'ims',
      auth: {
        kind: 'registration',
        username: '04012345678',
        secret: 'trunks/ims/password',
        registrar: `127.0.0.2:${registrar.port}`,
        domain: 'ims.invalid',
        expirySeconds: 60,
      },
    };
    const engine = await startTestEngine({ trunks: [trunk] });
    const { user, password } = engine.settings.ari;
    const { book } = await trunkList([trunk]);
    // Registrations live in the engine's memory: the driver puts them there.
    const driver = new AsteriskDriver({
      url: `${engine.httpUrl}/ari`,
      user,
      password,
      app: 'hamrahi',
      trunks: book,
      accounts: { trunks: book, secrets: memorySecrets({ 'trunks/ims/password': 'carrier-password' }) },
      endpointFields: () => ({ aor: [], endpoint: [] }),
      clock: systemClock(),
      log: keptLog(),
      metrics: silentMetrics,
    });
    await driver.start(5_000);
    const told: (boolean | null)[] = [];
    const poller = new RegistrationPoller({
      url: engine.httpUrl,
      user,
      password,
      trunks: () => [trunk],
      told: (name, isRegistered) => {
        expect(name).to.equal('ims');
        told.push(isRegistered);
      },
      clock: systemClock(),
      log: keptLog(),
      metrics: silentMetrics,
      everyMs: 200,
    });
    try {
      poller.start();
      await eventually('registered', () => (told.at(-1) === true ? true : null), 10_000);
      registrar.answer = '403 Forbidden';
      await eventually('refused', () => (told.at(-1) === false ? true : null), 30_000);
      const without = await fetch(`${engine.httpUrl}/metrics`);
      expect(without.status).to.equal(401);
      expect(await without.text()).to.not.include('04012345678');
    } finally {
      poller.stop();
      await driver.stop();
      await engine.stop();
      await registrar.close();
    }
  });
});
