/** What the documents name exists: metrics, settings, error codes, make targets; and what they list they list whole. */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isSecretVariable } from '../../../control-plane/src/config/secret-variables.ts';
import { VARIABLES } from '../../../control-plane/src/config/variables.ts';
import { ERROR_TABLE } from '../../../control-plane/src/contracts/error-table.ts';
import { feedEventType } from '../../../control-plane/src/contracts/panel-feed.ts';
import { alertKind } from '../../../control-plane/src/contracts/session-view.ts';

const top = resolve(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(top, path), 'utf8');

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`);
}

const documents = ['README.md', 'CHANGELOG.md', ...filesBelow('docs', '.md')].map(
  (path) => [path, read(path)] as const,
);
const code = filesBelow('control-plane', '.ts').map(read).join('\n');

/** Every match in every document that is not among what exists. */
function strangers(pattern: RegExp, exists: (name: string) => boolean): readonly string[] {
  return documents.flatMap(([path, text]) =>
    [...text.matchAll(pattern)]
      .map(([whole, name]) => name ?? whole)
      .filter((name) => !exists(name))
      .map((name) => `${path}: ${name}`),
  );
}

describe('docs: names', () => {
  it('of metrics are those that the code counts', () => {
    // A histogram is scraped in parts.
    const isCounted = (name: string) =>
      code.includes(`'${name.replace(/_ms_(?:bucket|count|sum)$/, '_ms')}'`);
    const unknown = strangers(/\bhamrahi_[a-z]+_[a-z_]+\b/g, isCounted);
    expect(unknown).to.deep.equal([]);
  });

  it('of settings are those that the gateway reads', () => {
    const secrets = Object.entries(VARIABLES).flatMap(([name, { secret }]) =>
      secret ? [`${name}_FILE`] : [],
    );
    const known = new Set([...Object.keys(VARIABLES), ...secrets]);
    const isKnown = (name: string) => known.has(name) || isSecretVariable(name);
    const unknown = strangers(/\bHAMRAHI_[A-Z0-9_]*[A-Z0-9]\b/g, isKnown);
    expect(unknown).to.deep.equal([]);
  });

  it('of error codes are those of the table, or of the engine and the edge', () => {
    const unknown = strangers(
      /\bERR_[A-Z0-9]+(?:_[A-Z0-9]+)+\b/g,
      (name) => name in ERROR_TABLE || code.includes(name),
    );
    expect(unknown).to.deep.equal([]);
  });

  it('of make targets are those of the Makefile', () => {
    const targets = [...read('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, target]) => target);
    const unknown = strangers(/(?:^|`)make ([a-z][a-z0-9-]*)/gm, (name) => targets.includes(name));
    expect(unknown).to.deep.equal([]);
  });

  it('of log lines in the runbook are those that the code writes', () => {
    const section = read('docs/runbook.md').split('## The log')[1]?.split('\n## ')[0] ?? '';
    const lines = [...section.matchAll(/^\| (`[^|]+`) /gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, line]) => line ?? ''),
    );
    expect(lines).to.have.length.above(15);
    expect(lines.filter((line) => !code.includes(line))).to.deep.equal([]);
  });

  it('of alerts stand in the runbook, and of changes in the guide for panels, each of them', () => {
    const runbook = read('docs/runbook.md');
    const panel = read('docs/panel.md');
    expect(alertKind.options.filter((kind) => !runbook.includes(`| \`${kind}\``))).to.deep.equal([]);
    expect(feedEventType.options.filter((type) => !panel.includes(`\`${type}\``))).to.deep.equal([]);
  });
});
