import { expect } from 'chai';
import { loadConfig } from '../../../control-plane/src/config/load-config.ts';
import type { Environment } from '../../../control-plane/src/config/read-variables.ts';

const KEY = `whsec_${Buffer.from('a-key-that-only-the-tests-know').toString('base64')}`;
const SANDBOX: Environment = {
  HAMRAHI_ENV: 'sandbox',
  HAMRAHI_PUBLIC_URL: 'http://127.0.0.1:8080/',
  HAMRAHI_SIP_WSS_URL: 'ws://127.0.0.1:8443/sip',
  HAMRAHI_SIP_DOMAIN: 'sos.test',
  HAMRAHI_JWT_ISSUER: 'sandbox',
  HAMRAHI_JWT_HS256_SECRET: 'a-secret-of-more-than-32-characters!',
  HAMRAHI_ARI_PASSWORD: 'ari-password',
  HAMRAHI_TRUNKS: 'sandbox',
};
const MAIL: Environment = {
  HAMRAHI_SMTP_URL: 'smtps://mail.example',
  HAMRAHI_ALERT_MAIL_FROM: 'gateway@example.in',
  HAMRAHI_ALERT_MAIL_TO: 'oncall@example.in, duty@example.in',
};

/** What is wrong with these settings, by variable; `null`: nothing. */
function wrongIn(env: Environment): readonly string[] | null {
  const result = loadConfig({ ...SANDBOX, ...env });
  return result.ok ? null : result.errors.map(({ variable }) => variable);
}

describe('config: ways to whoever is on call', () => {
  it('TEL-8: reads every channel, and repeats each quarter of an hour by default', () => {
    const result = loadConfig({
      ...SANDBOX,
      ...MAIL,
      HAMRAHI_ALERT_WEBHOOK_URLS: 'https://a.example/hook, http://127.0.0.1:9/x',
      HAMRAHI_ALERT_WEBHOOK_SECRET: KEY,
      HAMRAHI_ALERTMANAGER_URLS: 'https://am.example/prefix',
      HAMRAHI_ALERTMANAGER_TOKEN: 'token-of-the-tests',
    });
    const alerting = result.ok ? result.value.core?.alerting : null;
    expect(alerting?.repeatMs).to.equal(900_000);
    expect(alerting?.webhook?.urls).to.deep.equal(['https://a.example/hook', 'http://127.0.0.1:9/x']);
    expect(alerting?.webhook?.secret.reveal()).to.equal(KEY);
    expect(alerting?.alertmanager.urls).to.deep.equal(['https://am.example/prefix']);
    expect(alerting?.mail?.to).to.deep.equal(['oncall@example.in', 'duty@example.in']);
  });

  it('needs none of them', () => {
    const result = loadConfig(SANDBOX);
    expect(result.ok && result.value.core?.alerting).to.deep.include({ webhook: null, mail: null });
  });

  const wrong: readonly (readonly [string, Environment, string])[] = [
    [
      'webhooks that nothing is signed for',
      { HAMRAHI_ALERT_WEBHOOK_URLS: 'https://a.example/hook' },
      'HAMRAHI_ALERT_WEBHOOK_SECRET',
    ],
    ['a secret for nobody', { HAMRAHI_ALERT_WEBHOOK_SECRET: KEY }, 'HAMRAHI_ALERT_WEBHOOK_SECRET'],
    [
      'a secret that is no key',
      { HAMRAHI_ALERT_WEBHOOK_URLS: 'https://a.example/hook', HAMRAHI_ALERT_WEBHOOK_SECRET: 'whsec_short' },
      'HAMRAHI_ALERT_WEBHOOK_SECRET',
    ],
    ['a URL with a name', { HAMRAHI_ALERTMANAGER_URLS: 'https://u@am.example' }, 'HAMRAHI_ALERTMANAGER_URLS'],
    ['mail to nobody', { ...MAIL, HAMRAHI_ALERT_MAIL_TO: undefined }, 'HAMRAHI_SMTP_URL'],
    ['mail from nobody', { ...MAIL, HAMRAHI_ALERT_MAIL_FROM: undefined }, 'HAMRAHI_SMTP_URL'],
    ['mail without a server', { ...MAIL, HAMRAHI_SMTP_URL: undefined }, 'HAMRAHI_SMTP_URL'],
    [
      'a server that speaks no SMTP',
      { ...MAIL, HAMRAHI_SMTP_URL: 'https://mail.example' },
      'HAMRAHI_SMTP_URL',
    ],
    [
      'an address with a line break',
      { ...MAIL, HAMRAHI_ALERT_MAIL_FROM: 'a@b\nc' },
      'HAMRAHI_ALERT_MAIL_FROM',
    ],
    ['repeating each second', { HAMRAHI_OPS_ALERT_REPEAT_S: '1' }, 'HAMRAHI_OPS_ALERT_REPEAT_S'],
  ];
  for (const [what, env, variable] of wrong)
    it(`refuses ${what}`, () => {
      expect(wrongIn(env)).to.include(variable);
    });

  it('sends nothing in clear beyond this machine in production', () => {
    const hook = (url: string): Environment => ({
      HAMRAHI_ENV: 'production',
      HAMRAHI_ALERT_WEBHOOK_URLS: url,
      HAMRAHI_ALERT_WEBHOOK_SECRET: KEY,
    });
    expect(wrongIn(hook('http://oncall.example/hook'))).to.include('HAMRAHI_ALERT_WEBHOOK_URLS');
    expect(wrongIn(hook('http://127.0.0.1:9/hook'))).to.not.include('HAMRAHI_ALERT_WEBHOOK_URLS');
    expect(wrongIn({ HAMRAHI_ENV: 'production', HAMRAHI_ALERTMANAGER_URLS: 'http://am.example' })).to.include(
      'HAMRAHI_ALERTMANAGER_URLS',
    );
  });

  it('shows no secret in what it says', () => {
    const result = loadConfig({
      ...SANDBOX,
      HAMRAHI_SMTP_URL: 'gopher://someone',
      HAMRAHI_ALERTMANAGER_TOKEN: 'short',
    });
    expect(JSON.stringify(result)).to.not.match(/someone|"short"/);
  });
});
