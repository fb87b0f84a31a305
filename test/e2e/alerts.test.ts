/** Whoever is on call hears of it (TEL-8): on real Asterisk, PostgreSQL and carrier, at a real HTTP receiver. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  startAlertReceiver,
  signatureOf,
  type AlertReceiver,
  type ToldAlert,
} from '../support/alert-receiver.ts';
import { openChromium, openWatchedPage, type OpenBrowser } from './support/browser-chromium.ts';
import { PanelPage, takePictures } from './support/browser-pages.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { press } from './support/sos.ts';

const SECRET = `whsec_${Buffer.from('a-key-that-only-the-tests-know').toString('base64')}`;
/** The seed allows two minutes. */
const TOLD_WITHIN_MS = 30_000;
const BACK_MS = 20_000;

describe('e2e: alerts for whoever is on call', function () {
  this.timeout(120_000);
  let receiver: AlertReceiver;
  let chromium: OpenBrowser;
  const gateway = useGateway(async () => {
    receiver = await startAlertReceiver();
    return {
      env: {
        HAMRAHI_ALERT_WEBHOOK_URLS: receiver.url,
        HAMRAHI_ALERT_WEBHOOK_SECRET: SECRET,
        HAMRAHI_NO_OPERATOR_ALERT_MS: '700',
      },
    };
  });
  before('opens the browser', async () => {
    chromium = await openChromium({ toneHz: 1300 });
  });
  after(async () => {
    await chromium.close();
    await receiver.close();
  });

  const is =
    (kind: string, status: string, subject?: string) =>
    (alert: ToldAlert): boolean =>
      alert.labels['kind'] === kind &&
      alert.status === status &&
      (subject === undefined || alert.labels['subject'] === subject);
  const trunkState = (state: string): Promise<number> =>
    gateway.metric('hamrahi_trunk_state', { trunk: 'sandbox', state });
  const cut = (): Promise<void> => gateway.carrier.addFault({ action: { do: 'drop' } });
  const isUp = (): Promise<unknown> =>
    eventually('the trunk is up', async () => ((await trunkState('up')) === 1 ? true : null), BACK_MS);
  const alertsOf = async (state: string): Promise<readonly Record<string, unknown>[]> => {
    const answer = await gateway.send(
      gateway.file.tokens.supervisor.token,
      'GET',
      `/v1/alerts?state=${state}`,
    );
    return answer.body?.['alerts'] as readonly Record<string, unknown>[];
  };

  it('TEL-8: the trunk is cut: told in under 30 s, signed, and shown to a supervisor, who looks after it; a restart calls nobody again; it is back: told, too', async () => {
    await isUp();
    const watched = await openWatchedPage(chromium.browser);
    gateway.keep({ close: () => watched.context.close() });
    const panel = new PanelPage(watched.page);
    const { supervisor } = gateway.file.tokens;
    await panel.open(gateway.file.urls.api, supervisor.token);
    const strip = watched.page.getByTestId('ops-alerts');
    expect(await strip.isHidden()).to.equal(true);

    const cutAt = performance.now();
    await cut();
    const down = await receiver.until('down', is('trunk-down', 'firing', 'sandbox'), TOLD_WITHIN_MS);
    expect(down.message.atMs - cutAt).to.be.below(TOLD_WITHIN_MS);
    expect(down.message.headers['webhook-signature']).to.equal(signatureOf(down.message, SECRET));
    expect(down.alert.annotations['summary']).to.equal('Trunk sandbox is down: it does not answer OPTIONS.');
    expect(await trunkState('down')).to.equal(1);

    const row = watched.page.locator('[data-testid="ops-alert"][data-kind="trunk-down"]');
    await row.waitFor();
    expect(await row.innerText()).to.include('Trunk sandbox is down');
    expect(await takePictures(watched.page, 'panel-supervisor-alert')).to.equal(0);
    await row.getByTestId('ops-alert-acknowledge').click();
    await watched.page.locator('[data-testid="ops-alert"][data-acknowledged="yes"]').waitFor();
    expect(await takePictures(watched.page, 'panel-supervisor-alert-acknowledged')).to.equal(0);
    const [standing] = await alertsOf('standing');
    expect(standing?.['acknowledged']).to.deep.include({ by: supervisor.subject });
    await eventually('it is written down', async () => {
      const rows = await gateway.sql(
        `SELECT 1 FROM ops_alerts WHERE kind = 'trunk-down' AND resolved_at IS NULL AND acknowledged_by IS NOT NULL`,
      );
      return rows.length > 0 ? true : null;
    });
    expect(watched.complaints).to.deep.equal([]);

    await gateway.sandbox.controlPlane().kill();
    await gateway.sandbox.restartControlPlane();
    await eventually(
      'it stands again',
      async () => ((await trunkState('down')) === 1 ? true : null),
      TOLD_WITHIN_MS,
    );
    const [known] = await alertsOf('standing');
    expect(known).to.deep.include({ id: standing?.['id'], acknowledged: standing?.['acknowledged'] });
    const told = receiver.messages.flatMap(({ alerts }) => alerts);
    expect(told.filter(is('trunk-down', 'firing'))).to.have.length(1);

    const backAt = performance.now();
    await gateway.carrier.clearFaults();
    const back = await receiver.until('back', is('trunk-down', 'resolved', 'sandbox'), TOLD_WITHIN_MS);
    expect(back.alert.fingerprint).to.equal(down.alert.fingerprint);
    await eventually('the strip is gone', async () => ((await strip.isHidden()) ? true : null));
    const secondsFrom = (from: number, to: number): string => ((to - from) / 1000).toFixed(1);
    // eslint-disable-next-line no-console -- figures of this run
    console.log(
      `      told ${secondsFrom(cutAt, down.message.atMs)} s after the cut, resolved ${secondsFrom(backAt, back.message.atMs)} s after the return`,
    );
  });

  it('TEL-8: the database is down: told all the same, and over when it is back; written down afterwards', async () => {
    await gateway.sandbox.database.crash();
    try {
      await receiver.until('away', is('database-away', 'firing'), TOLD_WITHIN_MS);
      expect((await alertsOf('standing')).map(({ kind }) => kind)).to.include('database-away');
    } finally {
      await gateway.sandbox.database.restart();
    }
    await receiver.until('back', is('database-away', 'resolved'), TOLD_WITHIN_MS);
    const row = await eventually('its row', async () => {
      const rows = await gateway.sql<{ resolved_at: Date | null }>(
        `SELECT resolved_at FROM ops_alerts WHERE kind = 'database-away'`,
      );
      return rows[0]?.resolved_at ?? null;
    });
    expect(row).to.be.instanceOf(Date);
  });

  it('TEL-8: Asterisk is gone for longer than a restart: told, and over when it is back', async () => {
    const { pid } = gateway.sandbox.engine.asterisk;
    process.kill(pid, 'SIGSTOP');
    try {
      await receiver.until('away', is('engine-away', 'firing'), TOLD_WITHIN_MS);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await receiver.until('back', is('engine-away', 'resolved'), TOLD_WITHIN_MS);
    await isUp();
  });

  it('TEL-8: nobody is free for an SOS: whoever is on call hears of it, too, until it is acknowledged', async () => {
    const district = await gateway.district({ operators: [], supervisor: null });
    const citizen = await gateway.armedCitizen(district.location);
    const id = await press(citizen, district.location);
    const { alert } = await receiver.until('the session', is('session-alert', 'firing', id), 15_000);
    expect(alert.annotations['summary']).to.include('no operator is free');
    expect(alert.labels['severity']).to.equal('critical');
    await gateway.resolve(id);
    await receiver.until('it is over', is('session-alert', 'resolved', id), 15_000);
  });

  it('TEL-6: no log names where alerts are sent, or with which secret', () => {
    const log = readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8');
    expect(log).to.include('an alert stands');
    expect(log).to.not.include(receiver.url);
    expect(log).to.not.include(SECRET);
  });
});
