import { Parser } from '@asyncapi/parser';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { asyncapiDocument } from '../../../../control-plane/src/contracts/asyncapi-document.ts';
import { ERROR_TABLE } from '../../../../control-plane/src/contracts/error-table.ts';
import { generatedDocuments } from '../../../../control-plane/tools/generated-documents.ts';

const root = resolve(import.meta.dirname, '../../../..');
const run = promisify(execFile);

/** Errors and warnings (Spectral's severities 0 and 1). */
function seriousOf(diagnostics: readonly { severity: number; message: string }[]): string[] {
  return diagnostics.filter(({ severity }) => severity <= 1).map(({ message }) => message);
}

describe('contracts as documents', () => {
  it('are current: every generated file is what its source makes now', async () => {
    const documents = await generatedDocuments();
    expect(documents.size).to.equal(4);
    for (const [path, text] of documents) {
      const file = resolve(root, path);
      expect(existsSync(file), path).to.equal(true);
      expect(readFileSync(file, 'utf8') === text, `${path} is current`).to.equal(true);
    }
  });

  it('OpenAPI passes the linter without a warning', async function () {
    this.timeout(60_000);
    const { stdout, stderr } = await run(
      process.execPath,
      [
        fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js')),
        'lint',
        'docs/api/openapi.json',
        '--config=docs/api/redocly.yaml',
        '--format=json',
      ],
      {
        cwd: root,
        timeout: 50_000,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' },
      },
    );
    const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { totals: Record<string, number> };
    expect(report.totals, stderr).to.include({ errors: 0, warnings: 0 });
  });

  it('AsyncAPI is understood by its parser', async function () {
    this.timeout(60_000);
    const text = JSON.stringify(asyncapiDocument());
    const { document, diagnostics } = await new Parser().parse(text);
    expect(seriousOf(diagnostics)).to.deep.equal([]);
    const broken = await new Parser().parse(text.replaceAll('#/channels/panelFeed"', '#/channels/none"'));
    expect(seriousOf(broken.diagnostics), 'the check can fail').not.to.deep.equal([]);
    const messages =
      document
        ?.allMessages()
        .all()
        .map((message) => message.name()) ?? [];
    expect(messages).to.include.members(['snapshot', 'event', 'gone', 'shiftBegin', 'audioReport']);
  });

  it('name every error code that clients can meet', () => {
    const text = readFileSync(resolve(root, 'docs/errors.md'), 'utf8');
    const codes = Object.keys(ERROR_TABLE);
    expect(codes.length).to.be.above(30);
    for (const code of codes) {
      expect(code).to.match(/^ERR_[A-Z]+_[A-Z_]+$/);
      expect(text).to.contain(`\`${code}\``);
    }
  });
});
