import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  readMeasured,
  renderRequirements,
  REQUIREMENTS_PATH,
} from '../../../control-plane/tools/requirements-document.ts';
import { REQUIREMENTS } from '../../../control-plane/tools/requirements.ts';
import { testTitles, titlesIn } from '../../../control-plane/tools/test-titles.ts';

const titles = testTitles(resolve(import.meta.dirname, '../../..'));
const requirements = REQUIREMENTS.flatMap((group) => group.requirements);

describe('tools/requirements-document', () => {
  it('has written docs/requirements.md from requirements, test titles and measurements as they are now', async () => {
    expect(readFileSync(REQUIREMENTS_PATH, 'utf8')).to.equal(
      await renderRequirements(titles),
      'write it anew: node control-plane/tools/requirements-document.ts',
    );
  });

  it('finds a test for everything that is said to be built, and for every RTC and FB id', () => {
    const tested = new Set(titles.flatMap(({ ids }) => ids));
    const claimed = requirements.filter(({ id, state }) => state === 'built' || /^(RTC|FB)-/.test(id));
    expect(claimed.filter(({ id }) => !tested.has(id)).map(({ id }) => id)).to.deep.equal([]);
    expect(claimed).to.have.length.above(20);
  });

  it('knows every id that a test title names, once', () => {
    const known = requirements.map(({ id }) => id);
    expect(new Set(known).size).to.equal(known.length);
    const unknown = titles.flatMap(({ ids }) => ids).filter((id) => !known.includes(id));
    expect(unknown).to.deep.equal([]);
  });

  it('shows every verdict of the demo and every row of the bench but its floor', async () => {
    const measured = readMeasured();
    const text = await renderRequirements([], measured);
    for (const { name } of measured.bench.filter((row) => !row.name.startsWith('floor')))
      expect(text).to.include(`bench: ${name} `);
    for (const { id } of measured.demo.flatMap(({ verdicts }) => verdicts))
      expect(text).to.match(new RegExp(`^\\| ${id} .*demo: `, 'm'));
  });

  it('says so when a limit was not met', async () => {
    const verdict = { id: 'RTC-1', limitMs: 500, valueMs: 612, ok: false };
    const demo = [{ name: 'stream', verdicts: [verdict] }];
    const text = await renderRequirements([], { date: '', machine: '', demo, bench: [] });
    expect(text).to.include('demo: 612 of 500 ms, NOT MET');
  });
});

describe('tools/test-titles', () => {
  it('reads plain and filled-in titles, and nothing that is no test', () => {
    const source =
      "it('RTC-1 dials', x); it(`FB-7: ${status} is ${what}!`, x); // it('RTC-2 no')\nunit('RTC-3 no', x);";
    expect(titlesIn(source)).to.deep.equal(['RTC-1 dials', 'FB-7: … is …!']);
  });

  it('takes one, several, and no ids from the beginning', () => {
    const idsOf = (start: string) => titles.find(({ title }) => title.startsWith(start))?.ids;
    expect(idsOf('sends the offer within 500 ms, is active')).to.deep.equal(['RTC-1', 'RTC-2', 'RTC-6']);
    expect(idsOf('calls operators in roster order')).to.deep.equal(['FB-3', 'FB-7']);
    expect(titles.every(({ ids, title }) => ids.length > 0 && !/^[A-Z]+-\d/.test(title))).to.equal(true);
  });
});
