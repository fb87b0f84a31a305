import { expect } from 'chai';
import { BEHAVIOURS } from '../../../../control-plane/sandbox/carrier/behaviours.ts';
import { renderDialplan } from '../../../../control-plane/sandbox/carrier/dialplan.ts';

const lines = renderDialplan('127.0.0.2:30000').split('\n');

/** The applications of an extension, in order. */
function applicationsOf(name: string): string[] {
  const first = lines.indexOf(lines.find((line) => line.startsWith(`exten => ${name},1,`))!);
  const rest = lines.slice(first + 1);
  const own = rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith(' same => n,')),
  );
  return [
    lines[first]!.slice(`exten => ${name},1,`.length),
    ...own.map((line) => line.slice(' same => n,'.length)),
  ];
}

describe('sandbox/carrier/dialplan', () => {
  it('has an extension for each row that replies, and one for all other digits', () => {
    const named = lines.flatMap((line) => /^exten => (\d\d|_XX),1,/.exec(line)?.[1] ?? []);
    const expected = BEHAVIOURS.filter(({ name }) => name !== 'no-reply').map(({ digits }) => digits);
    expect(named).to.deep.equal([...expected, '_XX']);
    expect(applicationsOf('_XX')).to.deep.equal(applicationsOf('00'));
  });

  it('waits between the steps so that each falls at its time from the INVITE', () => {
    for (const { digits, name, steps } of BEHAVIOURS.filter((behaviour) => behaviour.steps.length > 0)) {
      const waitedMs = applicationsOf(digits)
        .flatMap((application) => /^Wait\(([\d.]+)\)$/.exec(application)?.[1] ?? [])
        .map((seconds) => Number(seconds) * 1_000)
        .filter((ms) => ms < 3_600_000)
        .reduce((sum, ms) => sum + ms, 0);
      const last = steps.findLast((step) => step.do !== 'hang-up')!;
      const pressesAfterMs = (last.do === 'answer' ? last.presses?.afterMs : undefined) ?? 0;
      expect(waitedMs, name).to.be.closeTo(last.atMs + pressesAfterMs, 0.001);
    }
  });

  it('presses its key after the answer, before it plays anything', () => {
    const applications = applicationsOf('06');
    const answer = applications.indexOf('Answer(0,i)');
    expect(applications.slice(answer, answer + 3)).to.deep.equal(['Answer(0,i)', 'Wait(1.5)', 'SendDTMF(1)']);
  });

  it('rings for an hour at the most', () => {
    expect(applicationsOf('20')).to.deep.equal(['Wait(0.2)', 'Ringing()', 'Wait(3600)']);
  });

  it('ends the phone that hangs up by a limit counted from its answer', () => {
    expect(applicationsOf('03').slice(2, 7)).to.deep.equal([
      'Wait(0.8)',
      'Answer(0,i)',
      'Set(TIMEOUT(absolute)=3)',
      'Playtones(${PHONE_HZ})',
      'AudioSocket(${CALL_HASH:0:8}-${CALL_HASH:8:4}-${CALL_HASH:12:4}-${CALL_HASH:16:4}-${CALL_HASH:20:12},127.0.0.2:30000)',
    ]);
  });

  it('names a tone for each of the ten digits', () => {
    for (const digit of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(lines.filter((line) => line.startsWith(`TONE_${digit}=`))).to.have.length(1);
  });
});
