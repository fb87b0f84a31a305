/** Every environment variable of the gateway. docs/configuration.md is generated from this table. */
import { DEFAULT_POLICY, type Policy } from '../domain/session/policy.ts';
import { PhoneNumber } from '../domain/numbering/phone-number.ts';
import { parseFailpoint } from './failpoint-order.ts';
import { parseAddress, parseNetworks } from './networks.ts';
import { choice, list, listen, parsedBy, secret, text, url, whole, yesNo } from './variable.ts';

const VAULT_PATH = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+){0,9}$/;

const node = {
  HAMRAHI_ENV: choice(['production', 'sandbox'], {
    description: 'production holds the settings to stricter rules (see below).',
    fallback: 'production',
  }),
  HAMRAHI_ROLE: choice(['all', 'core', 'edge'], {
    description: 'Which part of the program this process is.',
    fallback: 'all',
  }),
  HAMRAHI_NODE_ID: text(/^[a-z0-9][a-z0-9-]{0,30}$/, 'lower-case letters, digits and hyphens', {
    description:
      'Name of this node, different on every node: two of one name would take over from each other.',
    fallback: 'node1',
  }),
  HAMRAHI_LOG_LEVEL: choice(['debug', 'info', 'warn', 'error'], {
    description: 'Least important level that is written.',
    fallback: 'info',
  }),
  HAMRAHI_FAILPOINT: parsedBy(
    parseFailpoint,
    'kill or stop, a place, its passage and perhaps on-signal, such as kill:committed/timer.watchdog:2',
    { description: 'For crash tests: where this process ends or stops itself.', fallback: null },
  ),
  DEBUG: text(/./, 'names of packages', {
    description: 'Has packages print what they are given, numbers and secrets too.',
    fallback: null,
  }),
  NODE_DEBUG: text(/./, "names of Node's modules", {
    description: 'Has Node print what it sends, credentials too.',
    fallback: null,
  }),
};

const listeners = {
  HAMRAHI_HTTP_LISTEN: listen({ description: 'API, panel feed and pages.', fallback: '127.0.0.1:8080' }),
  HAMRAHI_EDGE_LISTEN: listen({
    description: 'SIP over WebSocket for apps and panels.',
    fallback: '127.0.0.1:8443',
  }),
  HAMRAHI_INTERNAL_LISTEN: listen({
    description: 'Where a core node serves its edges; never on a public address.',
    fallback: null,
  }),
  HAMRAHI_TLS_CERT_FILE: text(/./, 'a file name', {
    description: 'PEM certificate chain of the HTTP and edge listeners.',
    fallback: null,
  }),
  HAMRAHI_TLS_KEY_FILE: text(/./, 'a file name', { description: 'Its PEM key.', fallback: null }),
  HAMRAHI_ALLOW_PLAINTEXT: yesNo({
    description: 'Listen beyond loopback without TLS, because something in front of this host ends it.',
    fallback: 'no',
  }),
  HAMRAHI_MAX_CONNECTIONS: whole(10, 100_000, {
    description: 'TCP connections at once, per listener.',
    fallback: '10000',
  }),
  HAMRAHI_METRICS_TOKEN: secret(16, 'Bearer token that /metrics asks for; unset: it asks for none.'),
  HAMRAHI_CORS_ORIGINS: list(/^https?:\/\/[^/\s,]+$/, 'origins such as https://panel.example', {
    description: 'Other origins whose pages may call the API.',
    fallback: '',
  }),
};

const edgeLink = {
  HAMRAHI_CORE_URL: list(/^wss?:\/\/[^\s,/]+(\/[^\s,]*)?$/, 'ws:// or wss:// URLs', {
    description: "The core nodes' internal listeners, for an edge of its own: it finds the one that serves.",
    fallback: null,
  }),
  HAMRAHI_EDGE_SECRET: secret(32, 'Shared by core nodes and their edges.'),
};

const clients = {
  HAMRAHI_PUBLIC_URL: url(['https', 'http'], {
    description: 'Where clients reach the API, feed and pages.',
    fallback: null,
  }),
  HAMRAHI_SIP_WSS_URL: url(['wss', 'ws'], {
    description:
      'Where clients reach the edge, with its path: the edge serves /sip, such as wss://sos.example.in/sip.',
    fallback: null,
  }),
  HAMRAHI_SIP_DOMAIN: text(/^[A-Za-z0-9.-]{1,200}$/, 'a host name', {
    description: 'Host part of every SIP address of record.',
    fallback: null,
  }),
  HAMRAHI_STUN_URLS: list(/^stuns?:[^\s,]+$/, 'stun: URLs', {
    description: 'STUN servers for clients.',
    fallback: '',
  }),
  HAMRAHI_TURN_URLS: list(/^turns?:[^\s,]+$/, 'turn: URLs', {
    description: 'TURN servers for clients.',
    fallback: '',
  }),
  HAMRAHI_TURN_SECRET: secret(16, 'Shared with the TURN servers (their `static-auth-secret`).'),
  HAMRAHI_TURN_TTL_S: whole(60, 86_400, {
    description: 'Life of TURN credentials, seconds.',
    fallback: '3600',
  }),
};

const tokens = {
  HAMRAHI_JWT_HS256_SECRET: secret(32, 'Shared secret that tokens are signed with; for the sandbox.'),
  HAMRAHI_JWT_JWKS_URL: url(['https', 'http'], {
    description: "The token issuer's key set (RFC 7517).",
    fallback: null,
  }),
  HAMRAHI_JWT_ISSUER: text(/^\S{1,300}$/, 'text without spaces', {
    description: 'The only accepted `iss`.',
    fallback: null,
  }),
  HAMRAHI_JWT_AUDIENCE: text(/^\S{1,300}$/, 'text without spaces', {
    description: 'The only accepted `aud`.',
    fallback: 'hamrahi-voice-gateway',
  }),
};

const engine = {
  HAMRAHI_ARI_URL: url(['http', 'https'], {
    description: "Asterisk's HTTP server, with its prefix.",
    fallback: 'http://127.0.0.1:8088',
  }),
  HAMRAHI_ARI_USER: text(/^[^\s:]{1,100}$/, 'a name without spaces or colons', {
    description: 'ARI user.',
    fallback: 'hamrahi',
  }),
  HAMRAHI_ARI_PASSWORD: secret(8, 'ARI password.'),
  HAMRAHI_ARI_APP: text(
    /^[A-Za-z0-9][A-Za-z0-9_-]{1,59}$/,
    '2 to 60 letters, digits, underscores and hyphens, not one of these two first',
    {
      description: 'ARI application: the same on every core node that may take over from another.',
      fallback: 'hamrahi',
    },
  ),
  HAMRAHI_ENGINE_SIP_WS_URL: url(['ws', 'wss'], {
    description: "Asterisk's SIP WebSocket as the edge reaches it.",
    fallback: 'ws://127.0.0.1:8088/ws',
  }),
  HAMRAHI_RELAY_ADDRESS: parsedBy(parseAddress, 'an IP address', {
    description: "The edge's address as Asterisk sees it: its endpoints accept nobody else.",
    fallback: '127.0.0.1',
  }),
  HAMRAHI_TRUNKS_DIR: text(/./, 'a directory name', {
    description: 'Directory of the trunk descriptions.',
    fallback: 'sip-trunks',
  }),
  HAMRAHI_TRUNKS_SITE_FILE: text(/./, 'a file name', {
    description:
      "What the site knows of its carriers' accounts: a YAML file, by trunk name, laid over the descriptions. Read anew on SIGHUP and by `POST /v1/trunks/reload`, like them.",
    fallback: null,
  }),
  HAMRAHI_TRUNKS: list(/^[a-z0-9][a-z0-9-]{0,40}$/, 'trunk names', {
    description: 'Trunks in use; of those of one priority, the first named is tried first.',
    fallback: null,
  }),
};

const secrets = {
  HAMRAHI_SECRETS: choice(['directory', 'environment', 'vault'], {
    description:
      'Where the secrets that trunk files name are kept. Unset: the directory if there is one, else the environment (in production: nowhere).',
    fallback: null,
  }),
  HAMRAHI_SECRETS_DIR: text(/./, 'a directory name', {
    description: 'A file for each: trunks/tata/password is in trunks.tata.password.',
    fallback: null,
  }),
  CREDENTIALS_DIRECTORY: text(/^\//, 'an absolute directory name', {
    description: 'The same, set by systemd (LoadCredential=).',
    fallback: null,
  }),
  HAMRAHI_ALLOW_ENVIRONMENT_SECRETS: yesNo({
    description:
      'Take trunks/tata/password from HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD in production, too, where whoever sees the process sees it.',
    fallback: 'no',
  }),
};

const vault = {
  HAMRAHI_VAULT_ADDR: url(['https', 'http'], { description: 'Vault or OpenBao.', fallback: null }),
  HAMRAHI_VAULT_CA_FILE: text(/./, 'a file name', {
    description:
      'PEM of the authority that signed its certificate; read at each request. Unset: those of Node.',
    fallback: null,
  }),
  HAMRAHI_VAULT_NAMESPACE: text(VAULT_PATH, 'names with slashes between', {
    description: 'Namespace (Enterprise, OpenBao).',
    fallback: null,
  }),
  HAMRAHI_VAULT_AUTH_MOUNT: text(VAULT_PATH, 'names with slashes between', {
    description: 'Where AppRole is mounted, below auth/.',
    fallback: 'approle',
  }),
  HAMRAHI_VAULT_ROLE_ID: secret(1, 'AppRole: role id.'),
  HAMRAHI_VAULT_SECRET_ID: secret(1, 'AppRole: secret id.'),
  HAMRAHI_VAULT_SECRET_ID_FILE: text(/./, 'a file name', {
    description: 'File with the secret id, read at each login: a new one needs no restart.',
    fallback: null,
  }),
  HAMRAHI_VAULT_SECRET_ID_WRAPPED: yesNo({
    description: 'It is a response-wrapping token, opened once.',
    fallback: 'no',
  }),
  HAMRAHI_VAULT_MOUNT: text(VAULT_PATH, 'names with slashes between', {
    description: 'Mount of the KV engine, version 2.',
    fallback: 'secret',
  }),
  HAMRAHI_VAULT_PREFIX: text(VAULT_PATH, 'names with slashes between', {
    description: 'trunks/tata/password is the key password of <prefix>/trunks/tata; unset: no prefix.',
    fallback: null,
  }),
  HAMRAHI_VAULT_POLL_S: whole(5, 3600, {
    description: 'Looks for changed secrets so often, seconds; SIGHUP has it look at once.',
    fallback: '60',
  }),
};

const probes = {
  HAMRAHI_SYNTHETIC_CALL_NUMBER: {
    ...parsedBy((text) => PhoneNumber.parse(text), 'a number in E.164 with its plus sign', {
      description:
        "A telephone of the deployment's own that answers and plays a tone: called over each trunk in turn. Unset: no synthetic calls.",
      fallback: null,
    }),
    secret: true,
  },
  HAMRAHI_SYNTHETIC_CALL_EVERY_S: whole(60, 86_400, {
    description: 'A synthetic call over each trunk so often, seconds.',
    fallback: '300',
  }),
  HAMRAHI_SYNTHETIC_CALL_TONE_HZ: whole(300, 3400, {
    description: 'The tone that it plays, hertz.',
    fallback: '1004',
  }),
  HAMRAHI_SYNTHETIC_CALLS_PER_DAY: whole(1, 10_000, {
    description:
      'What synthetic calls may cost: so many a day over all trunks together. Where that is too few for the interval, they are spread over the day.',
    fallback: '300',
  }),
  HAMRAHI_SYNTHETIC_ZONE: text(/^[A-Za-z0-9_-]{1,64}$/, "a zone's id", {
    description:
      "Zone of the synthetic SOS: its sessions are left out of supervisors' panels, of lists, of the report and of what wakes anybody.",
    fallback: null,
  }),
  HAMRAHI_SYNTHETIC_SOS_EVERY_S: whole(0, 86_400, {
    description:
      'How often the probe presses SOS, seconds: an alert when none was heard for three times as long. 0: nobody waits for one.',
    fallback: '0',
  }),
};

const database = {
  DATABASE_URL: secret(
    1,
    'PostgreSQL; unset: the embedded one is started or adopted.',
    (value) => /^postgres(ql)?:\/\/\S+$/.test(value),
    'a postgres:// URL',
  ),
  HAMRAHI_POSTGRES_DATA_DIR: text(/./, 'a directory name', {
    description: 'Data of the embedded PostgreSQL.',
    fallback: '.run/postgres',
  }),
  HAMRAHI_JOURNAL_DIR: text(/./, 'a directory name', {
    description:
      'Where this node journals what it decides while the database is away: on a disk of its own if it can be, and as protected as the database.',
    fallback: '.run/journal',
  }),
  HAMRAHI_JOURNAL_MAX_MB: whole(8, 10_000, {
    description: 'Bound of the journal; at the bound the node acts on, and says that it writes no more.',
    fallback: '256',
  }),
  HAMRAHI_JOURNAL_MAX_AGE_MS: whole(60_000, 7 * 86_400_000, {
    description:
      'What a node journaled longer ago than this, and finds at its start, begins no session any more: it is set aside for people to look at.',
    fallback: '3600000',
  }),
};

const records = {
  HAMRAHI_AUDIT_KEY: secret(
    1,
    'Ed25519 private key (PKCS #8, PEM) that heads over the log are signed with; unset: none are made. `hamrahi audit new-key` makes one.',
    (value) => value.includes('PRIVATE KEY'),
    'a private key in PEM',
  ),
  HAMRAHI_AUDIT_ANCHOR_FILE: text(/./, 'a file name', {
    description: 'Heads are appended to it; best on a mount that who rules the database cannot write.',
    fallback: null,
  }),
  HAMRAHI_AUDIT_INTERVAL_S: whole(1, 3600, {
    description: 'A head at least so often when something has changed, seconds.',
    fallback: '60',
  }),
  HAMRAHI_PERSONAL_KEPT_DAYS: kept('Positions and claims of ended sessions'),
  HAMRAHI_EVENTS_KEPT_DAYS: kept('Events of ended sessions, once they are in the ledger and under a head'),
  HAMRAHI_LEDGER_KEPT_DAYS: kept('Milestones and verdicts of ended sessions'),
};

const webhooks = {
  HAMRAHI_DATA_KEY: secret(
    1,
    'Key that the secrets of webhooks are kept under in the database; unset: no webhook can be created. `openssl rand -base64 32` makes one.',
    (value) => /^[A-Za-z0-9+/]{43}=$/.test(value),
    '32 bytes in base64',
  ),
  HAMRAHI_WEBHOOK_ALLOWED_NETWORKS: parsedBy(
    parseNetworks,
    'a comma-separated list of networks such as 10.1.2.0/24 or fd00::/8',
    {
      description:
        'Where webhooks may go besides public addresses: loopback, private and other special ones are refused otherwise. In the sandbox: where they may go at all.',
      fallback: '',
    },
  ),
  HAMRAHI_WEBHOOK_ALLOW_HTTP: yesNo({ description: 'Webhooks without TLS too.', fallback: 'no' }),
  HAMRAHI_WEBHOOK_DELIVERED_KEPT_DAYS: whole(1, 365, {
    description: 'Log of what was delivered: days kept.',
    fallback: '7',
  }),
  HAMRAHI_WEBHOOK_FAILED_KEPT_DAYS: whole(1, 365, {
    description: 'Log of what could not be delivered, to be sent again by hand: days kept.',
    fallback: '30',
  }),
};

function kept(what: string, fallback = '0') {
  return whole(0, 36_500, { description: `${what}: days kept; 0: for good.`, fallback });
}

const HTTP_URL = /^https?:\/\/[^\s,@]+[^\s,@/]$/;
const MAIL_ADDRESS = /^[^\s,@<>"]{1,64}@[A-Za-z0-9.-]{1,190}$/;

const alerting = {
  HAMRAHI_ALERT_WEBHOOK_URLS: list(HTTP_URL, 'https:// URLs without a name or password', {
    description:
      "Who is told of alerts, by a signed POST in the format of Alertmanager's webhooks; each URL by itself.",
    fallback: '',
  }),
  HAMRAHI_ALERT_WEBHOOK_SECRET: secret(
    1,
    'What these are signed with (Standard Webhooks): `whsec_` and base64 of 24 to 64 bytes.',
    isSigningSecret,
    'whsec_ and base64 of 24 to 64 bytes',
  ),
  HAMRAHI_ALERTMANAGER_URLS: list(HTTP_URL, 'https:// URLs without a name or password', {
    description: 'Alertmanagers that are given the alerts (API v2), all of them; with their prefix.',
    fallback: '',
  }),
  HAMRAHI_ALERTMANAGER_TOKEN: secret(8, 'Bearer token that they ask for; unset: they ask for none.'),
  HAMRAHI_SMTP_URL: secret(
    1,
    'Mail server for alerts: `smtps://<user>:<password>@host`, or `smtp://` with STARTTLS, which is insisted on beyond loopback.',
    isSmtpUrl,
    'an smtp:// or smtps:// URL',
  ),
  HAMRAHI_ALERT_MAIL_FROM: text(MAIL_ADDRESS, 'a mail address', {
    description: 'Sender of mails about alerts.',
    fallback: null,
  }),
  HAMRAHI_ALERT_MAIL_TO: list(MAIL_ADDRESS, 'mail addresses', {
    description: 'Who gets them.',
    fallback: '',
  }),
  HAMRAHI_OPS_ALERT_REPEAT_S: whole(60, 86_400, {
    description: 'An alert that stands and that nobody has acknowledged is told again this often, seconds.',
    fallback: '900',
  }),
};

function isSigningSecret(value: string): boolean {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value);
  const bytes = match?.[1] === undefined ? 0 : Buffer.from(match[1], 'base64').length;
  return bytes >= 24 && bytes <= 64;
}

function isSmtpUrl(value: string): boolean {
  const url = URL.parse(value);
  return (url?.protocol === 'smtp:' || url?.protocol === 'smtps:') && url.hostname !== '';
}

const limits = {
  HAMRAHI_RATE_LIMIT_CITIZEN_PER_MIN: whole(10, 1_000_000, {
    description: 'API requests of one citizen; activations are never refused.',
    fallback: '120',
  }),
  HAMRAHI_RATE_LIMIT_STAFF_PER_MIN: whole(10, 1_000_000, {
    description: 'API requests of one operator, supervisor or admin.',
    fallback: '600',
  }),
  HAMRAHI_RATE_LIMIT_BACKEND_PER_MIN: whole(10, 10_000_000, {
    description: 'API requests of one backend.',
    fallback: '30000',
  }),
  HAMRAHI_MAX_FEEDS: whole(1, 50_000, { description: 'Panel feed connections at once.', fallback: '2000' }),
  HAMRAHI_MAX_FEEDS_PER_IDENTITY: whole(1, 1000, {
    description: 'Panel feed connections of one identity at once.',
    fallback: '10',
  }),
};

const calls = {
  HAMRAHI_CALLS_PER_S: whole(1, 1000, {
    description: 'Calls a second that one token may place by the API; twice as many at once.',
    fallback: '20',
  }),
  HAMRAHI_CALLS_MAX_OPEN: whole(0, 10_000, {
    description: 'Calls of the API at once; 0: none. What trunks reserve for SOS is kept free besides.',
    fallback: '100',
  }),
  HAMRAHI_CALLS_ALLOWED_COUNTRIES: list(/^[A-Z]{2}$/, 'country codes (ISO 3166-1)', {
    description: 'Whose mobiles and landlines the API may call.',
    fallback: 'IN',
  }),
  HAMRAHI_CALLS_ALLOWED_NUMBERS: list(/^\+[1-9]\d{6,14}$/, 'E.164 numbers', {
    description:
      'Numbers that the API may call whatever their country or kind, such as test lines; never an emergency number.',
    fallback: '',
  }),
  HAMRAHI_CALLS_PERSONAL_KEPT_DAYS: kept('Numbers and metadata of calls that are over', '90'),
};

function ms(key: Exclude<keyof Policy, 'operatorAbsent'>, min: number, max: number, description: string) {
  return whole(min, max, { description, fallback: String(DEFAULT_POLICY[key]) });
}

/** The variable of each time and choice of a session. */
export const POLICY_VARIABLES = {
  watchdogMs: 'HAMRAHI_WATCHDOG_MS',
  firstRetryMs: 'HAMRAHI_FIRST_RETRY_MS',
  mediaLostMs: 'HAMRAHI_MEDIA_LOST_MS',
  noOperatorAlertMs: 'HAMRAHI_NO_OPERATOR_ALERT_MS',
  citizenRingMs: 'HAMRAHI_CITIZEN_RING_MS',
  operatorRingMs: 'HAMRAHI_OPERATOR_RING_MS',
  operatorAcceptMs: 'HAMRAHI_OPERATOR_ACCEPT_MS',
  citizenRedialAfterMs: 'HAMRAHI_CITIZEN_REDIAL_AFTER_MS',
  citizenRedials: 'HAMRAHI_CITIZEN_REDIALS',
  operatorReofferMs: 'HAMRAHI_OPERATOR_REOFFER_MS',
  maxSessionMs: 'HAMRAHI_MAX_SESSION_MS',
  alertRepeatMs: 'HAMRAHI_ALERT_REPEAT_MS',
  handOverMs: 'HAMRAHI_HAND_OVER_MS',
  armingMs: 'HAMRAHI_ARMING_MS',
  operatorAbsent: 'HAMRAHI_OPERATOR_ABSENT',
} as const satisfies Record<keyof Policy, string>;

const policy = {
  HAMRAHI_WATCHDOG_MS: ms('watchdogMs', 100, 60_000, 'From the activation to the phone fallback.'),
  HAMRAHI_FIRST_RETRY_MS: ms('firstRetryMs', 50, 60_000, 'From the activation to the retry of the stream.'),
  HAMRAHI_MEDIA_LOST_MS: ms('mediaLostMs', 200, 60_000, 'Without packets: retry; as long again: fallback.'),
  HAMRAHI_NO_OPERATOR_ALERT_MS: ms('noOperatorAlertMs', 100, 600_000, 'Nobody free: supervisor alert.'),
  HAMRAHI_CITIZEN_RING_MS: ms('citizenRingMs', 500, 180_000, "Ringing of the citizen's phone."),
  HAMRAHI_OPERATOR_RING_MS: ms('operatorRingMs', 500, 180_000, 'Ringing of each duty phone.'),
  HAMRAHI_OPERATOR_ACCEPT_MS: ms(
    'operatorAcceptMs',
    500,
    60_000,
    'A duty phone that must press 1: time for it.',
  ),
  HAMRAHI_CITIZEN_REDIAL_AFTER_MS: ms(
    'citizenRedialAfterMs',
    100,
    600_000,
    'Unanswered: call her again after this.',
  ),
  HAMRAHI_CITIZEN_REDIALS: ms('citizenRedials', 0, 10, 'How often she is called again by itself.'),
  HAMRAHI_OPERATOR_REOFFER_MS: ms(
    'operatorReofferMs',
    100,
    60_000,
    'A panel that is gone may come back for this long.',
  ),
  HAMRAHI_MAX_SESSION_MS: ms(
    'maxSessionMs',
    1000,
    86_400_000,
    'Alert on a session this old; never hangs up.',
  ),
  HAMRAHI_ALERT_REPEAT_MS: ms('alertRepeatMs', 1000, 3_600_000, 'An alert stands: told again this often.'),
  HAMRAHI_HAND_OVER_MS: ms(
    'handOverMs',
    500,
    60_000,
    'Both phones joined: WebRTC goes after this at the latest.',
  ),
  HAMRAHI_ARMING_MS: ms('armingMs', 1000, 86_400_000, 'A warm-up that is never activated ends.'),
  HAMRAHI_OPERATOR_ABSENT: choice(['dial-operator', 'dial-both'], {
    description: 'Streaming but unheard at the deadline: whether her own phone rings too.',
    fallback: DEFAULT_POLICY.operatorAbsent,
  }),
};

/** Groups in the order of the reference. */
export const VARIABLE_GROUPS = {
  Node: node,
  Listeners: listeners,
  'Core and edge': edgeLink,
  Clients: clients,
  Tokens: tokens,
  'Engine and trunks': engine,
  Probes: probes,
  Secrets: secrets,
  Vault: vault,
  Database: database,
  Alerts: alerting,
  Records: records,
  Webhooks: webhooks,
  Limits: limits,
  Calls: calls,
  'Times and choices of a session': policy,
} as const;

export const VARIABLES = {
  ...node,
  ...listeners,
  ...edgeLink,
  ...clients,
  ...tokens,
  ...engine,
  ...probes,
  ...secrets,
  ...vault,
  ...database,
  ...alerting,
  ...records,
  ...webhooks,
  ...limits,
  ...calls,
  ...policy,
} as const;
