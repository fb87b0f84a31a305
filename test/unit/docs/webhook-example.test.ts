/** The guide's code opens the guide's own message, and refuses everything else. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { signedHeaders } from '../../../control-plane/src/adapters/webhook/signature.ts';
import { callEvent } from '../../../control-plane/src/contracts/webhook-events.ts';
import { webhookWithSecret } from '../../../control-plane/src/contracts/webhook-api.ts';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import type { MessageId } from '../../../control-plane/src/domain/webhook/webhook-ids.ts';

type Open = (secret: string, headers: Record<string, string>, body: string, now?: number) => unknown;

const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/backend.md'), 'utf8').split(
  '\n## Webhooks\n',
)[1]!;
const block = (language: string): string =>
  new RegExp(`\n\`\`\`${language}\n([\\s\\S]*?)\n\`\`\``).exec(guide)![1]!;

describe('docs: the webhook example of the guide for the backend', () => {
  const created = JSON.parse(block('json')) as { readonly secret: string };
  const [head = '', body = ''] = block('http').split('\n\n');
  const headers = Object.fromEntries(
    head
      .split('\n')
      .slice(1)
      .map((line) => line.split(': ') as [string, string]),
  );
  const sentAt = Number(headers['webhook-timestamp']) * 1000;
  let open: Open;
  before(async () => {
    const source = `data:text/javascript,${encodeURIComponent(block('js'))}`;
    ({ openWebhook: open } = (await import(source)) as { openWebhook: Open });
  });

  it('is an answer and a message of the contract', () => {
    expect(webhookWithSecret.parse(created)).to.deep.equal(created);
    expect(callEvent.parse(JSON.parse(body))).to.deep.equal(JSON.parse(body));
  });

  it('TEL-3: opens what was signed, by the old secret or the new', () => {
    expect(open(created.secret, headers, body, sentAt)).to.deep.equal(JSON.parse(body));
    const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const both = signedHeaders({
      messageId: headers['webhook-id'] as MessageId,
      at: Date.now() as Instant,
      body,
      secrets: [new Secret(other), new Secret(created.secret)],
    });
    for (const secret of [other, created.secret]) {
      expect(open(secret, both, body)).to.deep.equal(JSON.parse(body));
      expect(new Webhook(secret).verify(body, both)).to.deep.equal(JSON.parse(body));
    }
  });

  it('refuses what was altered, what is old, and what is not whole', () => {
    const refused = (change: Record<string, string>, text = body, now = sentAt): void => {
      expect(open(created.secret, { ...headers, ...change }, text, now)).to.equal(null);
    };
    refused({}, body.replace('ringing', 'ended'));
    refused({ 'webhook-id': 'msg_other' });
    refused({ 'webhook-timestamp': String(sentAt / 1000 + 1) });
    refused({ 'webhook-timestamp': 'soon' });
    refused({ 'webhook-signature': '' });
    refused({ 'webhook-signature': headers['webhook-signature']!.replace('v1,', 'v2,') });
    refused({ 'webhook-signature': 'v1,AAAA v1 nonsense' });
    refused({}, body, sentAt + 301_000);
    refused({}, body, sentAt - 301_000);
    expect(open(`whsec_${Buffer.alloc(32, 9).toString('base64')}`, headers, body, sentAt)).to.equal(null);
  });
});
