/** Secrets by reference, whatever keeps them. */
import { expect } from 'chai';
import type { SecretSource } from '../../control-plane/src/ports/secret-source.ts';
import type { KeptAlerts } from '../support/kept-alerts.ts';
import type { KeptLog } from '../support/kept-log.ts';

export interface SecretLab {
  readonly source: SecretSource;
  readonly alerts: KeptAlerts;
  readonly log: KeptLog;
  /** Puts values there by their references, beside what is there. */
  readonly put: (values: Readonly<Record<string, string>>) => Promise<void>;
  /** Stops the source, and takes everything away. */
  readonly close: () => Promise<void>;
}

/** Where values may change while somebody reads them. */
export interface ChangingLab extends SecretLab {
  /** As the subject of its alerts. */
  readonly place: string;
  readonly remove: (reference: string) => Promise<void>;
  /** The place as a whole cannot be read, until it can be again. */
  readonly lose: () => Promise<void>;
  readonly restore: () => Promise<void>;
}

const PASSWORD = 'trunks/tata/password';
const USER = 'trunks/tata/user';
const OTHER = 'trunks/jio-2/password';
const VALUES = { [PASSWORD]: 'p4ss-of-tata', [USER]: 'user-of-tata', [OTHER]: 'p4ss-of-jio' };

export function secretSourceContract(name: string, open: () => Promise<SecretLab>): void {
  describe(`SecretSource on ${name}`, () => readingContract(open));
}

export function changingSecretsContract(name: string, open: () => Promise<ChangingLab>): void {
  secretSourceContract(name, open);
  describe(`SecretSource that follows changes, on ${name}`, () => {
    rotationContract(open);
    lossContract(open);
  });
}

/** One lab for each test. */
function useLab<Lab extends SecretLab>(open: () => Promise<Lab>): () => Lab {
  let lab: Lab | null = null;
  beforeEach(async () => (lab = await open()));
  afterEach(async () => {
    await lab?.close();
    lab = null;
  });
  return () => lab!;
}

function readingContract(open: () => Promise<SecretLab>): void {
  const lab = useLab(open);
  const valueOf = (reference: string): string | undefined => lab().source.get(reference)?.reveal();

  it('TEL-6: gives what is there once it has started, and null for what is not', async () => {
    const { source, put, alerts } = lab();
    await put(VALUES);
    await source.start([PASSWORD, USER, OTHER]);
    for (const [reference, value] of Object.entries(VALUES)) expect(valueOf(reference)).to.equal(value);
    expect(source.get('trunks/nobody/password')).to.equal(null);
    expect(alerts.standing).to.deep.equal([]);
  });

  it('TEL-6: a secret that is nowhere is an alert that names it, and keeps nothing from starting', async () => {
    const { source, put, alerts } = lab();
    await put({ [OTHER]: 'p4ss-of-jio' });
    await source.start([PASSWORD, OTHER]);
    expect(source.get(PASSWORD)).to.equal(null);
    expect(valueOf(OTHER)).to.equal('p4ss-of-jio');
    expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
    expect(alerts.raised[0]).to.include({ severity: 'critical' });
  });

  it('takes away the line end of an editor, one, and nothing else', async () => {
    const { source, put } = lab();
    await put({
      [PASSWORD]: 'ends with a line\n',
      [USER]: ' spaces and ; " % $ ü remain ',
      [OTHER]: 'two\n\n',
    });
    await source.start([PASSWORD, USER, OTHER]);
    expect(valueOf(PASSWORD)).to.equal('ends with a line');
    expect(valueOf(USER)).to.equal(' spaces and ; " % $ ü remain ');
    expect(valueOf(OTHER)).to.equal('two\n');
  });

  it('takes an empty one for none', async () => {
    const { source, put, alerts } = lab();
    await put({ [PASSWORD]: '\n', [OTHER]: 'p4ss-of-jio' });
    await source.start([PASSWORD, OTHER]);
    expect(source.get(PASSWORD)).to.equal(null);
    expect(alerts.standing).to.deep.equal([`secret-missing ${PASSWORD}`]);
  });

  it('starts with nothing to read, and may be started again with more and with less', async () => {
    const { source, put, alerts } = lab();
    await put(VALUES);
    await source.start([]);
    expect(source.get(PASSWORD)).to.equal(null);
    await source.start([PASSWORD, 'trunks/nobody/password']);
    expect(valueOf(PASSWORD)).to.equal('p4ss-of-tata');
    expect(alerts.standing).to.deep.equal(['secret-missing trunks/nobody/password']);
    await source.start([OTHER]);
    expect(valueOf(OTHER)).to.equal('p4ss-of-jio');
    expect(source.get(PASSWORD), 'nobody wants it any more').to.equal(null);
    expect(alerts.standing).to.deep.equal([]);
    await source.start([PASSWORD, OTHER]);
    expect(valueOf(PASSWORD)).to.equal('p4ss-of-tata');
  });

  for (const wrong of [
    'password',
    '../etc/passwd',
    'trunks//password',
    'trunks/tata/',
    'Trunks/tata/password',
    'trunks/ta.ta/password',
    'trunks/tata/pass word',
    '',
  ])
    it(`takes "${wrong}" for no reference`, async () => {
      const failure = await lab()
        .source.start([wrong])
        .then(
          () => null,
          (error: unknown) => error,
        );
      expect(failure).to.be.instanceOf(TypeError);
    });

  it('TEL-6: keeps values out of its log, its alerts and its own text', async () => {
    const { source, put, alerts, log } = lab();
    await put({ [PASSWORD]: 'p4ss-of-tata' });
    await source.start([PASSWORD, OTHER]);
    await source.refresh();
    const said = [
      ...log.lines,
      JSON.stringify(alerts.raised),
      JSON.stringify(source),
      String(source.get(PASSWORD)),
    ];
    expect(said.join('\n')).to.not.contain('p4ss-of-tata');
    expect(log.lines.join('\n'), 'but says what it did').to.contain(PASSWORD).and.to.contain(OTHER);
  });

  it('has what it had once it is stopped, and stops twice', async () => {
    const { source, put } = lab();
    await put(VALUES);
    await source.start([PASSWORD]);
    await source.stop();
    await source.stop();
    expect(valueOf(PASSWORD)).to.equal('p4ss-of-tata');
    await source.refresh();
  });
}

function rotationContract(open: () => Promise<ChangingLab>): void {
  const lab = useLab(open);
  const valueOf = (reference: string): string | undefined => lab().source.get(reference)?.reveal();

  it('TEL-6: a new value is found without a restart, and told once to each who listens', async () => {
    const { source, put } = lab();
    await put(VALUES);
    await source.start([PASSWORD, USER, OTHER]);
    const told: string[] = [];
    source.onChange((reference) => told.push(reference));
    source.onChange((reference) => told.push(`again ${reference}`));
    await source.refresh();
    expect(told, 'nothing has changed').to.deep.equal([]);
    await put({ [PASSWORD]: 'rotated', [USER]: 'user-of-tata' });
    await source.refresh();
    expect(valueOf(PASSWORD)).to.equal('rotated');
    expect(valueOf(USER)).to.equal('user-of-tata');
    expect(told).to.deep.equal([PASSWORD, `again ${PASSWORD}`]);
    await source.refresh();
    expect(told).to.have.length(2);
  });

  it('tells of the first of two that changed together when both have', async () => {
    const { source, put } = lab();
    await put(VALUES);
    await source.start([PASSWORD, USER]);
    const seen: string[] = [];
    source.onChange(() => seen.push(`${valueOf(USER)} ${valueOf(PASSWORD)}`));
    await put({ [PASSWORD]: 'rotated', [USER]: 'another-user' });
    await source.refresh();
    expect(seen).to.deep.equal(['another-user rotated', 'another-user rotated']);
  });

  it('tells of a value that comes at last, and its alert is over', async () => {
    const { source, put, alerts } = lab();
    await put({ [OTHER]: 'p4ss-of-jio' });
    await source.start([PASSWORD, OTHER]);
    const told: string[] = [];
    source.onChange((reference) => told.push(reference));
    await put({ [PASSWORD]: 'at last' });
    await source.refresh();
    expect(valueOf(PASSWORD)).to.equal('at last');
    expect(told).to.deep.equal([PASSWORD]);
    expect(alerts.standing).to.deep.equal([]);
  });

  it('tells nobody who has stopped listening, and everybody else when one fails', async () => {
    const { source, put, log } = lab();
    await put(VALUES);
    await source.start([PASSWORD]);
    const told: string[] = [];
    source.onChange(() => told.push('first'))();
    source.onChange(() => {
      throw new Error('p4ss-in-a-message');
    });
    source.onChange(() => told.push('last'));
    await put({ [PASSWORD]: 'rotated', [USER]: 'user-of-tata' });
    await source.refresh();
    expect(told).to.deep.equal(['last']);
    expect(log.lines.join('\n')).to.not.contain('p4ss-in-a-message');
  });
}

function lossContract(open: () => Promise<ChangingLab>): void {
  const lab = useLab(open);
  const valueOf = (reference: string): string | undefined => lab().source.get(reference)?.reveal();
  /** As often as it takes until who is on call hears of it. */
  const look = async (): Promise<void> => {
    for (let times = 0; times < 4; times += 1) await lab().source.refresh();
  };

  it('TEL-6: what was read serves on while the place is away, with an alert until it is back', async () => {
    const { source, put, lose, restore, alerts, place } = lab();
    await put(VALUES);
    await source.start([PASSWORD, OTHER]);
    await lose();
    await look();
    expect(valueOf(PASSWORD)).to.equal('p4ss-of-tata');
    expect(valueOf(OTHER)).to.equal('p4ss-of-jio');
    expect(alerts.standing).to.deep.equal([`secrets-stale ${place}`]);
    await restore();
    await source.refresh();
    expect(alerts.standing).to.deep.equal([]);
  });

  it('TEL-6: starts while the place is away, and follows when it comes', async () => {
    const { source, put, lose, restore, alerts } = lab();
    await put(VALUES);
    await lose();
    await source.start([PASSWORD, OTHER]);
    expect(source.get(PASSWORD)).to.equal(null);
    expect(alerts.standing).to.deep.equal([`secret-missing ${OTHER}`, `secret-missing ${PASSWORD}`]);
    const told: string[] = [];
    source.onChange((reference) => told.push(reference));
    await restore();
    await source.refresh();
    expect(valueOf(PASSWORD)).to.equal('p4ss-of-tata');
    expect(told).to.have.members([PASSWORD, OTHER]);
    expect(alerts.standing).to.deep.equal([]);
  });

  it('TEL-6: one that was taken away serves on, with an alert until it is there again', async () => {
    const { source, put, remove, alerts } = lab();
    await put(VALUES);
    await source.start([PASSWORD, OTHER]);
    const told: string[] = [];
    source.onChange((reference) => told.push(reference));
    await remove(OTHER);
    await source.refresh();
    expect(valueOf(OTHER)).to.equal('p4ss-of-jio');
    expect(alerts.standing).to.deep.equal([`secrets-stale ${OTHER}`]);
    expect(told).to.deep.equal([]);
    await put({ [OTHER]: 'p4ss-of-jio' });
    await source.refresh();
    expect(alerts.standing).to.deep.equal([]);
    expect(told, 'the same value').to.deep.equal([]);
  });
}
