import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import {
  RegistrationPoller,
  registrationStatuses,
} from '../../../../control-plane/src/adapters/asterisk/registration-poller.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const registering = (name: string, username: string): Trunk => ({
  ...PLAIN_TRUNK,
  name,
  auth: {
    kind: 'registration',
    username,
    secret: `trunks/${name}/password`,
    registrar: '192.0.2.10:5060',
    domain: 'ims.invalid',
    expirySeconds: 300,
  },
});

const line = (user: string, value: string): string =>
  `asterisk_pjsip_outbound_registration_status{eid="02:fc:00:00:00:01",username="sip:${user}@ims.invalid",` +
  `domain="sip:192.0.2.10:5060;transport=udp",channel_type="PJSIP"} ${value}`;

describe('adapters/asterisk/registration-poller', () => {
  it('reads the state of each registration among other metrics', () => {
    const text = [
      '# HELP x',
      'asterisk_endpoints_count{eid="x"} 2',
      line('a', '1'),
      line('b"\\c', '2'),
      '',
    ].join('\n');
    expect([...registrationStatuses(text).values()]).to.deep.equal(['1', '2']);
    expect(registrationStatuses('').size).to.equal(0);
    expect(registrationStatuses('asterisk_pjsip_outbound_registration_status{').size).to.equal(1);
  });

  async function lab(trunks: readonly Trunk[]) {
    const engine = { status: 200, text: '', asked: [] as (string | undefined)[] };
    const server = createServer((request, response) => {
      engine.asked.push(request.headers.authorization);
      response.writeHead(engine.status).end(engine.text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const [clock, log] = [manualClock(), keptLog()];
    const told: (readonly [string, boolean | null])[] = [];
    let heard: () => void = () => undefined;
    const poller = new RegistrationPoller({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      user: 'control-plane',
      password: new Secret('ari-password'),
      trunks: () => trunks,
      told: (trunk, isRegistered) => told.push([trunk, isRegistered]),
      clock,
      log,
      metrics: { ...silentMetrics, count: () => heard() },
    });
    /** One reading, to its end. */
    const reading = async (begin: () => unknown): Promise<void> => {
      const done = new Promise<void>((resolve) => (heard = resolve));
      await begin();
      await done;
      await clock.advance(0);
    };
    const close = (): void => {
      poller.stop();
      server.close();
      server.closeAllConnections();
    };
    return { engine, poller, clock, log, told, reading, close };
  }

  it('TEL-8: tells what stands, what was refused, and that nothing is known yet; each ten seconds', async () => {
    const { engine, poller, clock, told, reading, close } = await lab([
      registering('tata', '04012345678'),
      registering('jio', 'j'),
      registering('vi', 'v'),
      PLAIN_TRUNK,
    ]);
    try {
      engine.text = [line('04012345678', '1'), line('j', '2'), line('other', '1')].join('\n');
      await reading(() => poller.start());
      expect(told.splice(0)).to.deep.equal([
        ['tata', true],
        ['jio', false],
        ['vi', null],
      ]);
      expect(engine.asked).to.deep.equal([
        `Basic ${Buffer.from('control-plane:ari-password').toString('base64')}`,
      ]);
      engine.text = line('04012345678', '2');
      await reading(() => clock.advance(10_000));
      expect(told[0]).to.deep.equal(['tata', false]);
    } finally {
      close();
    }
  });

  it('three readings that fail: nothing is known any more, said once, without an address or a number', async () => {
    const { engine, poller, clock, log, told, reading, close } = await lab([
      registering('tata', '04012345678'),
    ]);
    try {
      engine.status = 401;
      await reading(() => poller.start());
      await reading(() => clock.advance(10_000));
      expect(told).to.deep.equal([]);
      await reading(() => clock.advance(10_000));
      await reading(() => clock.advance(10_000));
      expect(told).to.deep.equal([['tata', null]]);
      expect(log.lines).to.have.length(1);
      expect(log.lines[0])
        .to.include('the engine answered 401')
        .and.not.match(/127\.0|0401234/);
    } finally {
      close();
    }
  });

  it('asks nothing where no trunk registers', async () => {
    const { engine, poller, clock, close } = await lab([PLAIN_TRUNK]);
    poller.start();
    await clock.advance(60_000);
    expect(engine.asked).to.deep.equal([]);
    close();
  });
});
