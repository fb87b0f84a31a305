/**
 * docs/requirements.md: what is asked, how far it is built, which tests hold it, what was measured. Made from
 * requirements.ts, the titles of the tests, and docs/measured.json. A test holds the file to them; write it anew with
 * `node control-plane/tools/requirements-document.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Measured } from './record-measurements.ts';
import { REQUIREMENTS, type Requirement, type RequirementGroup } from './requirements.ts';
import { testTitles, type TestTitle } from './test-titles.ts';

const TOP = resolve(import.meta.dirname, '../..');
export const REQUIREMENTS_PATH = join(TOP, 'docs/requirements.md');

/** Which requirement a row of the bench speaks for. */
const BENCHED: Readonly<Record<string, string>> = {
  'activation → offer at the client': 'RTC-1',
  'activation → streaming': 'RTC-2',
  'activation → heard': 'RTC-2',
  'activation → panel event': 'RTC-6',
  'commit → panel event': 'RTC-6',
  'watchdog due → INVITE at the carrier': 'FB-2',
  'API request → INVITE at the carrier': 'TEL-4',
  'API request → 180 seen (sent at 200 ms)': 'TEL-4',
  '20 calls/s for 30 s: request → INVITE': 'TEL-4',
  'API request → webhook call.ringing': 'TEL-3',
  'change → webhook, 100 calls in flight': 'TEL-3',
  'change → webhook, 100 calls end at once': 'TEL-3',
  'first trunk 503 → second rings': 'TEL-7',
  'first trunk refuses TCP → second rings': 'TEL-7',
  'first trunk silent → second rings': 'TEL-7',
  'every trunk silent → the leg has ended': 'TEL-7',
};

const STATES: Readonly<Record<Requirement['state'], string>> = {
  built: 'built',
  part: 'in part',
  open: 'not yet',
};

export function readMeasured(): Measured {
  return JSON.parse(readFileSync(join(TOP, 'docs/measured.json'), 'utf8')) as Measured;
}

export async function renderRequirements(
  titles: readonly TestTitle[] = testTitles(TOP),
  measured: Measured = readMeasured(),
): Promise<string> {
  const text = [
    '# Requirements, tests, measurements',
    '<!-- Made by `control-plane/tools/requirements-document.ts` (make generate); do not edit. -->',
    `The ids are those that test titles and commits begin with. _In part_ and _not yet_ say what is missing. Times were measured on ${measured.date}, ${measured.machine}: the _demo_ is one run of \`make demo\`, the _bench_ is \`make bench\`. \`make measure\` measures anew and writes this file.`,
    ...REQUIREMENTS.map((group) => groupText(group, titles, measured)),
    '## Which tests hold them',
    ...REQUIREMENTS.flatMap(({ requirements }) => requirements).flatMap(({ id }) => testsOf(id, titles)),
  ].join('\n\n');
  return format(text, { ...(await resolveConfig(REQUIREMENTS_PATH)), parser: 'markdown' });
}

function groupText(group: RequirementGroup, titles: readonly TestTitle[], measured: Measured): string {
  const rows = group.requirements.map((one) => {
    const missing = one.missing === undefined ? '' : `: ${one.missing}`;
    const tests = titles.filter(({ ids }) => ids.includes(one.id)).length;
    const cells = [
      tests === 0 ? one.id : `[${one.id}](#${one.id.toLowerCase()})`,
      one.what,
      `${STATES[one.state]}${missing}`,
      tests === 0 ? '' : String(tests),
      measuredOf(one.id, measured).join('; '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `## ${group.title}\n`,
    '| id | what must hold | state | tests | measured |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function measuredOf(id: string, { demo, bench }: Measured): readonly string[] {
  const verdicts = demo.flatMap(({ verdicts }) => verdicts).filter((one) => one.id === id);
  const rows = bench.filter(({ name }) => BENCHED[name] === id);
  return [
    ...verdicts.map(({ limitMs, valueMs, ok }) => {
      const what = limitMs === null || valueMs === null ? 'checked' : `${rounded(valueMs)} of ${limitMs} ms`;
      return `demo: ${what}${ok ? '' : ', NOT MET'}`;
    }),
    ...rows.map(
      ({ name, runs, p50, p95, p99, bar, ok }) =>
        `bench: ${name} p50 ${rounded(p50)}, p95 ${rounded(p95)}, p99 ${rounded(p99)} ms (${runs} runs${bar === '' ? '' : `; our own bar, ${bar}: ${ok ? 'met' : 'MISSED'}`})`,
    ),
  ];
}

function rounded(valueMs: number): string {
  return valueMs < 10 ? valueMs.toFixed(1) : valueMs.toFixed(0);
}

function testsOf(id: string, titles: readonly TestTitle[]): readonly string[] {
  const own = titles.filter(({ ids }) => ids.includes(id));
  if (own.length === 0) return [];
  const files = [...new Set(own.map(({ file }) => file))].map((file) => {
    const lines = [...new Set(own.filter((one) => one.file === file).map(({ title }) => title))];
    return [`- \`${file}\``, ...lines.map((title) => `  - ${escaped(title)}`)].join('\n');
  });
  return [`### ${id}`, files.join('\n')];
}

function escaped(title: string): string {
  return title.replaceAll(/\s+/g, ' ').replaceAll(/[*_<>`]/g, '\\$&');
}

if (import.meta.main) writeFileSync(REQUIREMENTS_PATH, await renderRequirements());
