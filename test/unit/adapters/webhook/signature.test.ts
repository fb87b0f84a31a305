import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { signedHeaders } from '../../../../control-plane/src/adapters/webhook/signature.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import type { MessageId } from '../../../../control-plane/src/domain/webhook/webhook-ids.ts';

const SECRET = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
const OTHER = new Secret(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
const messageId = 'msg_p5jXN8AQM9LWM0D4loKWxJek' as MessageId;

describe('adapters/webhook: signatures', () => {
  it("TEL-3: are those of Standard Webhooks' own example", () => {
    const headers = signedHeaders({
      messageId,
      at: 1_614_265_330_999.9 as Instant,
      body: '{"test": 2432232314}',
      secrets: [SECRET],
    });
    expect(headers).to.deep.equal({
      'webhook-id': messageId,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('are one for each secret, and either of them opens', () => {
    const body = '{"type":"call.ringing","data":{"name":"प्रिया"}}';
    const headers = signedHeaders({ messageId, at: Date.now() as Instant, body, secrets: [OTHER, SECRET] });
    expect(headers['webhook-signature']!.split(' ')).to.have.length(2);
    for (const secret of [SECRET, OTHER])
      expect(new Webhook(secret.reveal()).verify(body, headers)).to.deep.equal(JSON.parse(body));
    expect(() => new Webhook(SECRET.reveal()).verify(`${body} `, headers)).to.throw('No matching signature');
    const stranger = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    expect(() => new Webhook(stranger).verify(body, headers)).to.throw('No matching signature');
  });
});
