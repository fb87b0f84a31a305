import { expect } from 'chai';
import { GatewayApi, GatewayError } from '../../../control-plane/client/gateway-api.ts';

interface Seen {
  url: string;
  init: RequestInit;
}

function apiThat(answer: () => Promise<Response>): { api: GatewayApi; seen: Seen[] } {
  const seen: Seen[] = [];
  const api = new GatewayApi({
    baseUrl: 'https://sos.test/',
    token: () => 'secret',
    deadlineMs: 50,
    fetch: (url, init) => {
      seen.push({ url: url as string, init: init ?? {} });
      return answer();
    },
  });
  return { api, seen };
}

async function errorOf(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw error;
  return error;
}

describe('control-plane/client/gateway-api', () => {
  it('sends token, key and body, and gives the answer', async () => {
    const { api, seen } = apiThat(() => Promise.resolve(Response.json({ id: 'x' }, { status: 201 })));
    expect(await api.activate({ deviceId: 'phone1' }, 'key-1')).to.deep.equal({ id: 'x' });
    expect(seen[0]!.url).to.equal('https://sos.test/v1/sos');
    expect(seen[0]!.init.headers).to.include({ authorization: 'Bearer secret', 'idempotency-key': 'key-1' });
    expect(seen[0]!.init.body).to.equal('{"deviceId":"phone1"}');
  });

  it("gives the gateway's own error code", async () => {
    const problem = { code: 'ERR_SOS_FOREIGN', detail: 'not yours', status: 403 };
    const { api } = apiThat(() => Promise.resolve(Response.json(problem, { status: 403 })));
    const error = await errorOf(api.get('x'));
    expect(error).to.include({
      code: 'ERR_SOS_FOREIGN',
      status: 403,
      message: 'not yours',
      temporary: false,
    });
  });

  it('knows what may succeed later', async () => {
    for (const [status, temporary] of [
      [401, false],
      [409, false],
      [429, true],
      [503, true],
    ] as const) {
      const { api } = apiThat(() => Promise.resolve(new Response('', { status })));
      expect(await errorOf(api.get('x'))).to.include({ code: `ERR_HTTP_${status}`, temporary });
    }
  });

  it('tells an unreachable gateway from a late one and from one that answers no JSON', async () => {
    const unreachable = apiThat(() => Promise.reject(new TypeError('fetch failed')));
    expect(await errorOf(unreachable.api.get('x'))).to.include({
      code: 'ERR_CLIENT_NETWORK',
      temporary: true,
    });
    const late = apiThat(() => Promise.reject(new DOMException('late', 'TimeoutError')));
    expect(await errorOf(late.api.get('x'))).to.include({ code: 'ERR_CLIENT_DEADLINE', temporary: true });
    const html = apiThat(() => Promise.resolve(new Response('<html>', { status: 200 })));
    expect(await errorOf(html.api.get('x'))).to.include({ code: 'ERR_CLIENT_RESPONSE', temporary: false });
  });

  it('gives every request a deadline', async () => {
    const { api, seen } = apiThat(() => Promise.resolve(Response.json({})));
    await api.get('x');
    expect(seen[0]!.init.signal).to.be.instanceOf(AbortSignal);
  });
});
