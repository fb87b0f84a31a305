import { expect } from 'chai';
import type { Role } from '../../../../control-plane/src/contracts/common.ts';
import type { MessageId, WebhookId } from '../../../../control-plane/src/domain/webhook/webhook-ids.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { SealedSecrets } from '../../../../control-plane/src/adapters/webhook/sealed-secrets.ts';
import { WebhookDesk } from '../../../../control-plane/src/app/webhooks/webhook-desk.ts';
import { labParts, startHttpLab, tokenFor, type HttpLab, type LabAnswer } from '../../../support/http-lab.ts';

const URL_ = 'https://receiver.example/hook?token=hush';
const NOBODY = '5f3c1a52-8f0e-4e7b-9d3e-2f6f6a1f0a99';

interface View {
  readonly id: string;
  readonly secret?: string;
  readonly [member: string]: unknown;
}
interface Page {
  readonly deliveries: readonly View[];
  readonly next: string | null;
}

describe('adapters/http webhooks', () => {
  let lab: HttpLab;
  let backend: string;
  beforeEach(async () => {
    lab = await startHttpLab();
    backend = await tokenFor('backend', 'ham_rahi');
  });
  afterEach(() => lab.close());

  const call = (method: string, path: string, body?: unknown): Promise<LabAnswer> =>
    lab.call(method, path, { token: backend, ...(body === undefined ? {} : { body }) });
  const create = async (body: unknown = { url: URL_ }): Promise<View> => {
    const made = await call('POST', '/v1/webhooks', body);
    expect(made.status, made.text).to.equal(201);
    return made.body as View;
  };

  it('TEL-3: creates an endpoint and shows its secret once', async () => {
    const made = await create();
    expect(made).to.deep.include({
      owner: 'backend:ham_rahi',
      url: URL_,
      description: '',
      events: ['*'],
      enabled: true,
      disabledBecause: null,
      previousSecretUntil: null,
    });
    expect(made.secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { secret, ...rest } = made;
    const one = await call('GET', `/v1/webhooks/${made.id}`);
    expect(one.body).to.deep.equal(rest);
    expect((await call('GET', '/v1/webhooks')).body).to.deep.equal({ webhooks: [rest] });
    for (const text of [one.text, lab.log.lines.join('\n')]) expect(text).not.to.include(secret!.slice(6));
    expect(lab.log.lines.join('\n')).to.include('receiver.example');
    expect(lab.log.lines.join('\n'), 'a URL may hold a secret').not.to.include('hush');
    expect(one.headers.get('cache-control')).to.equal('no-store');
  });

  it('replaces, disables, enables and removes it', async () => {
    const { id, secret } = await create();
    const put = (body: unknown) => call('PUT', `/v1/webhooks/${id}`, body);
    const changed = await put({
      url: 'https://other.example/',
      events: ['call.*', 'sos.resolved'],
      enabled: false,
    });
    expect(changed.body).to.deep.include({
      id,
      url: 'https://other.example/',
      events: ['call.*', 'sos.resolved'],
      enabled: false,
      disabledBecause: 'asked',
    });
    expect(changed.text).not.to.include(secret!);
    expect((await put({ url: URL_ })).body).to.deep.include({ enabled: true, disabledBecause: null });
    expect((await call('DELETE', `/v1/webhooks/${id}`)).status).to.equal(204);
    for (const gone of [
      await call('GET', `/v1/webhooks/${id}`),
      await put({ url: URL_ }),
      await call('DELETE', `/v1/webhooks/${id}`),
      await call('POST', `/v1/webhooks/${id}/rotate-secret`, {}),
      await call('POST', `/v1/webhooks/${id}/test`),
      await call('GET', `/v1/webhooks/${id}/deliveries`),
    ])
      expect(gone.code).to.equal('ERR_WEBHOOK_NOT_FOUND');
  });

  it('refuses URLs that nothing may be sent to, whatever their notation', async () => {
    const { id } = await create();
    for (const url of [
      'http://receiver.example/',
      'https://user:pass@receiver.example/',
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://[::ffff:10.0.0.1]/',
      'https://receiver.example/#x',
      'nonsense',
    ]) {
      const answers = [
        await call('POST', '/v1/webhooks', { url }),
        await call('PUT', `/v1/webhooks/${id}`, { url }),
      ];
      for (const answer of answers) {
        expect(answer.status, url).to.equal(400);
        expect(answer.code, url).to.equal('ERR_WEBHOOK_URL');
      }
    }
    expect(((await call('GET', '/v1/webhooks')).body as { webhooks: View[] }).webhooks).to.have.length(1);
  });

  it('refuses what is no endpoint', async () => {
    for (const body of [
      {},
      { url: 7 },
      { url: 'x' },
      { url: `https://receiver.example/${'x'.repeat(2000)}` },
      { url: URL_, events: [] },
      { url: URL_, events: ['call.rings'] },
      { url: URL_, events: ['phone.*'] },
      { url: URL_, events: ['sos.*.more'] },
      { url: URL_, events: ['SOS.*'] },
      { url: URL_, events: Array.from({ length: 51 }, () => '*') },
      { url: URL_, description: 'x'.repeat(201) },
      { url: URL_, description: 'nul \u0000' },
      { url: URL_, enabled: 'yes' },
      [],
    ])
      expect((await call('POST', '/v1/webhooks', body)).code, JSON.stringify(body).slice(0, 80)).to.equal(
        'ERR_HTTP_VALIDATION',
      );
    for (const path of [
      '/v1/webhooks/none',
      `/v1/webhooks/${NOBODY}/deliveries?before=x`,
      `/v1/webhooks/${NOBODY}/deliveries?limit=201`,
      `/v1/webhooks/${NOBODY}/deliveries?state=lost`,
    ])
      expect((await call('GET', path)).code, path).to.equal('ERR_HTTP_VALIDATION');
  });

  it('keeps a URL as it was judged', async () => {
    const { url } = await create({ url: 'HTTPS://Receiver.Example:443/\u0000\ud800?q=ü' });
    expect(url).to.equal('https://receiver.example/%00%EF%BF%BD?q=%C3%BC');
  });

  it('takes fifty and no more', async () => {
    for (let n = 0; n < 50; n += 1) await create();
    expect((await call('POST', '/v1/webhooks', { url: URL_ })).code).to.equal('ERR_WEBHOOK_LIMIT');
  });

  it('rotates a secret, the old one signing for a day unless told otherwise', async () => {
    const { id, secret } = await create();
    const rotate = async (body: unknown) => call('POST', `/v1/webhooks/${id}/rotate-secret`, body);
    const rotated = await rotate({});
    expect(rotated.status).to.equal(200);
    const view = rotated.body as View;
    expect(view.secret)
      .to.match(/^whsec_/)
      .and.not.equal(secret);
    const validMs = Date.parse(String(view['previousSecretUntil'])) - Date.now();
    expect(validMs).to.be.within(86_390_000, 86_400_000);
    const short = (await rotate({ previousValidS: 60 })).body as View;
    expect(Date.parse(String(short['previousSecretUntil'])) - Date.now()).to.be.within(50_000, 60_000);
    expect((await rotate({ previousValidS: -1 })).code).to.equal('ERR_HTTP_VALIDATION');
    expect((await rotate({ previousValidS: 8 * 86_400 })).code).to.equal('ERR_HTTP_VALIDATION');
    expect(lab.log.lines.join('\n')).not.to.include(view.secret!.slice(6));
  });

  it('says that it cannot keep a secret without a key', async () => {
    const parts = labParts();
    const webhooks = new WebhookDesk({
      endpoints: parts.stored.webhookEndpoints,
      secrets: new SealedSecrets(null),
      sender: { refusal: () => null },
      newId: () => NOBODY,
      clock: parts.clock,
      log: parts.log,
      nudge: () => undefined,
      changed: () => undefined,
    });
    const keyless = await startHttpLab({ webhooks }, parts);
    const made = await keyless.call('POST', '/v1/webhooks', { token: backend, body: { url: URL_ } });
    expect(made.status).to.equal(501);
    expect(made.code).to.equal('ERR_WEBHOOK_NO_DATA_KEY');
    expect((await keyless.call('GET', '/v1/webhooks', { token: backend })).body).to.deep.equal({
      webhooks: [],
    });
    await keyless.close();
  });

  it('tests an endpoint, lists what was sent, and sends again', async () => {
    const { id } = await create({ url: URL_, events: ['call.*'] });
    for (let n = 0; n < 3; n += 1) {
      const tested = await call('POST', `/v1/webhooks/${id}/test`);
      expect(tested.status).to.equal(202);
      expect(tested.body).to.deep.include({ type: 'webhook.test', state: 'pending', attempts: 0 });
    }
    const page = async (query: string) =>
      (await call('GET', `/v1/webhooks/${id}/deliveries${query}`)).body as Page;
    const first = await page('?limit=2');
    expect(first.deliveries).to.have.length(2);
    const second = await page(`?limit=2&before=${first.next}`);
    expect(second).to.have.property('next', null);
    const ids = [...first.deliveries, ...second.deliveries].map((one) => one.id);
    expect(new Set(ids).size).to.equal(3);
    expect((await page('?state=delivered')).deliveries).to.deep.equal([]);
    expect((await page('?type=webhook.test&state=pending')).deliveries).to.have.length(3);

    await finish(id as WebhookId);
    const [delivered] = (await page('?state=delivered')).deliveries;
    expect(delivered).to.deep.include({
      attempts: 1,
      lastStatus: 204,
      lastReason: null,
      nextAttemptAt: null,
    });
    const again = await call('POST', `/v1/webhooks/${id}/deliveries/${delivered!.id}/redeliver`);
    expect(again.status).to.equal(202);
    expect(again.body).to.deep.include({ id: delivered!.id, state: 'pending', attempts: 0 });
    const unknown = `/v1/webhooks/${id}/deliveries/msg_${NOBODY}/redeliver`;
    expect((await call('POST', unknown)).code).to.equal('ERR_WEBHOOK_DELIVERY_NOT_FOUND');
    expect((await call('POST', `/v1/webhooks/${id}/deliveries/x/redeliver`)).code).to.equal(
      'ERR_HTTP_VALIDATION',
    );

    await call('PUT', `/v1/webhooks/${id}`, { url: URL_, enabled: false });
    expect((await call('POST', `/v1/webhooks/${id}/test`)).code).to.equal('ERR_WEBHOOK_DISABLED');
    const off = `/v1/webhooks/${id}/deliveries/${delivered!.id}/redeliver`;
    expect((await call('POST', off)).code).to.equal('ERR_WEBHOOK_DISABLED');
  });

  /** As a dispatcher does whose receiver takes everything. */
  async function finish(webhookId: WebhookId): Promise<void> {
    const { deliveryQueue } = lab.stored;
    const now = lab.clock.now();
    const room = { first: 10, again: 10 };
    const order = {
      owner: 'test',
      now,
      until: (now + 1000) as Instant,
      room,
      busy: new Map<WebhookId, never>(),
    };
    const claimed = await deliveryQueue.claim(order);
    expect(claimed.map((one) => one.messageId satisfies MessageId)).to.have.length(3);
    await deliveryQueue.record(
      claimed.map(({ claim, messageId, url }) => {
        const end = { status: 204, reason: null, isGone: false, then: { state: 'delivered' as const } };
        return { claim, webhookId, messageId, url, at: now, ...end };
      }),
    );
  }

  it('RTC-10: is each backend’s own: of another’s nobody learns, and an admin has all', async () => {
    const { id } = await create();
    const billing = await tokenFor('backend', 'billing');
    const admin = await tokenFor('admin', 'root');
    const tested = await call('POST', `/v1/webhooks/${id}/test`);
    const message = (tested.body as View).id;
    const paths: readonly (readonly [string, string, unknown?])[] = [
      ['GET', `/v1/webhooks/${id}`],
      ['PUT', `/v1/webhooks/${id}`, { url: 'https://thief.example/' }],
      ['POST', `/v1/webhooks/${id}/rotate-secret`, {}],
      ['POST', `/v1/webhooks/${id}/test`],
      ['GET', `/v1/webhooks/${id}/deliveries`],
      ['POST', `/v1/webhooks/${id}/deliveries/${message}/redeliver`],
      ['DELETE', `/v1/webhooks/${id}`],
    ];
    const before = (await call('GET', `/v1/webhooks/${id}`)).text;
    for (const [method, path, body] of paths) {
      const answer = await lab.call(method, path, {
        token: billing,
        ...(body === undefined ? {} : { body }),
      });
      expect([answer.status, answer.code], `${method} ${path}`).to.deep.equal([404, 'ERR_WEBHOOK_NOT_FOUND']);
    }
    expect((await call('GET', `/v1/webhooks/${id}`)).text).to.equal(before);
    const listed = async (token: string) =>
      ((await lab.call('GET', '/v1/webhooks', { token })).body as { webhooks: View[] }).webhooks;
    expect(await listed(billing)).to.deep.equal([]);
    expect((await listed(admin)).map((one) => one['owner'])).to.deep.equal(['backend:ham_rahi']);
    for (const [method, path, body] of paths) {
      const answer = await lab.call(method, path, { token: admin, ...(body === undefined ? {} : { body }) });
      expect(answer.status, `${method} ${path}`).to.be.within(200, 204);
    }
    await lab.call('POST', '/v1/webhooks', { token: admin, body: { url: URL_ } });
    expect(await listed(backend), 'nor does a backend have an admin’s').to.deep.equal([]);
  });

  it('RTC-10: is for backends and admins alone', async () => {
    const { id } = await create();
    const paths: readonly (readonly [string, string])[] = [
      ['POST', '/v1/webhooks'],
      ['GET', '/v1/webhooks'],
      ['GET', `/v1/webhooks/${id}`],
      ['PUT', `/v1/webhooks/${id}`],
      ['DELETE', `/v1/webhooks/${id}`],
      ['POST', `/v1/webhooks/${id}/rotate-secret`],
      ['POST', `/v1/webhooks/${id}/test`],
      ['GET', `/v1/webhooks/${id}/deliveries`],
      ['POST', `/v1/webhooks/${id}/deliveries/msg_${NOBODY}/redeliver`],
    ];
    for (const role of ['citizen', 'operator', 'supervisor'] satisfies Role[]) {
      const token = await tokenFor(role, 'somebody');
      for (const [method, path] of paths)
        expect((await lab.call(method, path, { token })).code, `${role} ${method} ${path}`).to.equal(
          'ERR_AUTH_ROLE',
        );
    }
    for (const [method, path] of paths)
      expect((await lab.call(method, path)).code).to.equal('ERR_AUTH_MISSING');
    const admin = await tokenFor('admin', 'root');
    expect((await lab.call('GET', '/v1/webhooks', { token: admin })).status).to.equal(200);
  });
});
