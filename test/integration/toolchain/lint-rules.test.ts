import { ESLint } from 'eslint';
import { expect } from 'chai';
import { clone } from '../../support/partial-clone.ts';

/** Existing files whose place decides which rules hold; their text is replaced for the test. */
const inApp = 'control-plane/src/adapters/postgres/postmaster.ts';
const inConfig = 'control-plane/src/config/config.ts';
const inDomain = 'control-plane/src/domain/ids.ts';

describe('toolchain/lint-rules', function () {
  this.timeout(60_000);
  // The rules that the places differ in, alone: none of them needs the types of the whole program.
  const eslint = new ESLint({
    cwd: clone,
    ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
    overrideConfig: { languageOptions: { parserOptions: { project: null } } },
  });

  const findings = async (filePath: string, text: string): Promise<(string | null)[]> => {
    const [result] = await eslint.lintText(text, { filePath });
    return (result?.messages ?? []).map(({ ruleId, fatal, message }) => (fatal === true ? message : ruleId));
  };

  for (const text of [
    'export const port = process.env["PORT"];\n',
    'export const { env } = process;\n',
    "import { env } from 'node:process';\nexport const port = env['PORT'];\n",
  ]) {
    it(`lets only the configuration say: ${text.split('\n')[0] ?? ''}`, async () => {
      expect((await findings(inApp, text)).join()).to.match(/^no-restricted-(properties|imports)$/);
      expect(await findings(inConfig, text)).to.deep.equal([]);
    });
  }

  for (const text of [
    'export const now = Date.now();\n',
    'export const now = new Date();\n',
    'export const chance = Math.random();\n',
    "export function refuse(): never {\n  throw new Error('no');\n}\n",
  ]) {
    it(`keeps out of the domain: ${text.split('\n').at(-3)?.trim() || text.trim()}`, async () => {
      expect(await findings(inDomain, text)).to.deep.equal(['no-restricted-syntax']);
      expect(await findings(inApp, text)).to.deep.equal([]);
    });
  }
});
