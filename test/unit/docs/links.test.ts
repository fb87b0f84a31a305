/** Every relative link of every document leads to a file that is in the repository, and to a heading that is there. */
import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const top = resolve(import.meta.dirname, '../../..');

function documents(): readonly string[] {
  const folders = ['docs', 'asterisk', 'freeswitch', 'ansible', 'sip-trunks', 'control-plane', 'test'];
  const below = folders.flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => join(top, folder, name)),
  );
  return [join(top, 'README.md'), join(top, 'CHANGELOG.md'), ...below];
}

/** Without code, in which brackets mean other things. */
function prose(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '');
}

function linksIn(file: string): readonly string[] {
  const links = [...prose(file).matchAll(/\]\(<?([^()\s<>]+)>?(?:\s+"[^"]*")?\)/g)].map(([, to]) => to ?? '');
  return links.filter((to) => !/^[a-z][a-z+.-]*:/i.test(to));
}

/** As GitHub makes anchors: lower case, no punctuation, hyphens for spaces. */
function anchorsIn(file: string): readonly string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#{1,6} +(.+)$/gm);
  return [...headings].map(([, text]) =>
    (text ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

function problemOf(file: string, link: string): string | null {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : resolve(dirname(file), decodeURIComponent(path));
  if (relative(top, target).startsWith('..')) return 'leads out of the repository';
  if (!existsSync(target)) return 'leads nowhere';
  if (anchor === undefined || statSync(target).isDirectory()) return null;
  return anchorsIn(target).includes(anchor) ? null : 'names a heading that is not there';
}

describe('docs: links', () => {
  it('lead to files and headings that are there', () => {
    const checked = documents().flatMap((file) => linksIn(file).map((link) => ({ file, link })));
    const broken = checked.flatMap(({ file, link }) => {
      const problem = problemOf(file, link);
      return problem === null ? [] : [`${relative(top, file)}: ${link} ${problem}`];
    });
    expect(broken).to.deep.equal([]);
    expect(checked, 'links found').to.have.length.above(40);
  });

  it('would be found broken: a missing file, a missing heading, a way out', () => {
    const readme = join(top, 'README.md');
    expect(problemOf(readme, 'docs/no-such-file.md')).to.equal('leads nowhere');
    expect(problemOf(readme, 'docs/glossary.md#no-such-heading')).to.equal(
      'names a heading that is not there',
    );
    expect(problemOf(readme, '../elsewhere.md')).to.equal('leads out of the repository');
  });

  it('make every decision found: each ADR has its own number and stands in the index', () => {
    const folder = join(top, 'docs/adr');
    const files = readdirSync(folder).filter((name) => /^\d{4}-.*\.md$/.test(name));
    const index = linksIn(join(folder, 'README.md'));
    expect(files.filter((name) => !index.includes(name))).to.deep.equal([]);
    expect(new Set(files.map((name) => name.slice(0, 4))).size).to.equal(files.length);
  });
});
