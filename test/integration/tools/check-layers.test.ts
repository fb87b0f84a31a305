import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { checkLayers } from '../../../control-plane/tools/check-layers.ts';
import { clone, copyOfClone, type PartialClone } from '../../support/partial-clone.ts';

const src = 'control-plane/src';

/** Modules of a gateway that keeps every rule, some of them just so. */
const innocent: Readonly<Record<string, string>> = {
  [`${src}/domain/session.ts`]: 'export const session = 1;',
  [`${src}/contracts/sos.ts`]:
    "import { z } from 'zod';\nexport const sos = z.string();\nexport type Sos = string;",
  [`${src}/ports/store.ts`]:
    "import type { Sos } from '../contracts/sos.ts';\nimport { session } from '../domain/session.ts';\nexport const store = (sos: Sos) => [sos, session];",
  [`${src}/app/activate.ts`]: "import { store } from '../ports/store.ts';\nexport const activate = store;",
  [`${src}/config/config.ts`]: "import { z } from 'zod';\nexport const config = z.string();",
  [`${src}/adapters/postgres/database.ts`]: "import pg from 'pg';\nexport const database = pg;",
  [`${src}/adapters/http/server.ts`]: "import express from 'express';\nexport const server = express;",
  [`${src}/main.ts`]:
    "import './adapters/http/server.ts';\nimport './adapters/postgres/database.ts';\nimport './app/activate.ts';\nimport './config/config.ts';",
  'control-plane/client/citizen.ts':
    "import type { Sos } from '../src/contracts/sos.ts';\nexport type Citizen = Sos;",
  'control-plane/sandbox/main.ts':
    "import '../src/adapters/postgres/database.ts';\nexport const sandbox = 1;",
};

const offences: readonly { rule: string; file: string; text: string }[] = [
  { rule: 'domain-alone', file: `${src}/domain/a.ts`, text: "import 'node:fs';" },
  {
    rule: 'domain-alone',
    file: `${src}/domain/b.ts`,
    text: "import type { z } from 'zod';\nexport type Z = z.ZodType;",
  },
  { rule: 'ports-to-domain', file: `${src}/ports/a.ts`, text: "import '../app/activate.ts';" },
  { rule: 'ports-no-contract-values', file: `${src}/ports/b.ts`, text: "import '../contracts/sos.ts';" },
  { rule: 'app-to-ports', file: `${src}/app/a.ts`, text: "import 'node:crypto';" },
  { rule: 'contracts-plain', file: `${src}/contracts/a.ts`, text: "import 'ws';" },
  { rule: 'config-plain', file: `${src}/config/a.ts`, text: "import '../ports/store.ts';" },
  { rule: 'adapters-apart', file: `${src}/adapters/http/a.ts`, text: "import '../postgres/database.ts';" },
  { rule: 'adapters-to-ports', file: `${src}/adapters/http/b.ts`, text: "import '../../config/config.ts';" },
  { rule: 'wiring-in-main', file: `${src}/roles/a.ts`, text: "import '../adapters/http/server.ts';" },
  {
    rule: 'client-of-contracts',
    file: 'control-plane/client/a.ts',
    text: "import '../src/app/activate.ts';",
  },
  { rule: 'product-without-tools', file: `${src}/cli/a.ts`, text: "import '../../sandbox/main.ts';" },
  { rule: 'product-without-dev-packages', file: `${src}/cli/b.ts`, text: "import 'chai';" },
  { rule: 'no-unresolved', file: `${src}/cli/c.ts`, text: "import './nowhere.ts';" },
  { rule: 'no-undeclared-packages', file: `${src}/cli/d.ts`, text: "import 'async-exit-hook';" },
  {
    rule: 'no-circles',
    file: `${src}/cli/e.ts`,
    text: "import type { F } from './f.ts';\nexport type E = F;",
  },
];

describe('tools/check-layers', function () {
  this.timeout(30_000);
  let copy: PartialClone;

  beforeEach(() => {
    copy = copyOfClone(['package.json', 'tsconfig.json']);
    symlinkSync(join(clone, 'node_modules'), join(copy.dir, 'node_modules'));
    for (const [file, text] of Object.entries(innocent)) write(file, text);
  });
  afterEach(() => copy.remove());

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(copy.dir, file)), { recursive: true });
    writeFileSync(join(copy.dir, file), `${text}\n`);
  }

  it('looks at every module and finds nothing wrong where nothing is', async () => {
    const report = await checkLayers(copy.dir);
    expect(report).to.deep.equal({ moduleCount: Object.keys(innocent).length, violations: [], unseen: [] });
  });

  it('finds each offence, and no other', async () => {
    for (const { file, text } of offences) write(file, text);
    write(`${src}/cli/f.ts`, "import type { E } from './e.ts';\nexport type F = E;");
    const { violations } = await checkLayers(copy.dir);
    const found = violations.map((violation) => violation.split(' → ')[0]).sort();
    expect(found).to.deep.equal(offences.map(({ rule, file }) => `${rule}: ${file}`).sort());
  });

  it('names a module that was not looked at', async () => {
    write('control-plane/sandbox/node_modules/hidden.ts', 'export const hidden = 1;');
    expect((await checkLayers(copy.dir)).unseen).to.deep.equal([
      'control-plane/sandbox/node_modules/hidden.ts',
    ]);
  });
});
