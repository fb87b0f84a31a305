/** The titles of all tests that begin with ids of requirements, read from the sources: nothing is run for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface TestTitle {
  /** Path in the repository. */
  readonly file: string;
  readonly ids: readonly string[];
  /** Without its ids; what a template fills in is an ellipsis. */
  readonly title: string;
}

const ID = '(?:RTC|FB|TEL|IN|VA)-\\d+';
const IDS_FIRST = new RegExp(`^(${ID}(?:,? ${ID})*)[:,]? +(.+)$`, 's');

/** In the order of files and of the tests in them. */
export function testTitles(top: string): readonly TestTitle[] {
  return readdirSync(join(top, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(test|contract)\.ts$/.test(name))
    .sort()
    .flatMap((name) => {
      const file = `test/${name}`;
      return titlesIn(readFileSync(join(top, file), 'utf8')).flatMap((title) => identified(file, title));
    });
}

function identified(file: string, text: string): TestTitle[] {
  const [, ids, title] = IDS_FIRST.exec(text) ?? [];
  return ids === undefined || title === undefined ? [] : [{ file, ids: ids.split(/,? /), title }];
}

/** The first argument of every `it(…)`. */
export function titlesIn(source: string): readonly string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'it') {
      const title = node.arguments[0] && textOf(node.arguments[0]);
      if (title !== undefined) titles.push(title);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest));
  return titles;
}

function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}
