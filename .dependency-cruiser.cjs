/**
 * Which part may know which (docs/architecture.md): main → adapters → ports → domain, app → ports → domain.
 * Run by control-plane/tools/check-layers.ts, which also makes sure that every module was really looked at.
 */
const src = '^control-plane/src/';
const part = (...names) => `${src}(${names.join('|')})/`;

/** Everything outside the named parts of control-plane/src, packages and Node's own modules included. */
const onlyTo = (allowed, more = []) => ({ pathNot: [part(...allowed), ...more] });

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid(
      'domain-alone',
      'The domain knows nothing but itself.',
      { path: part('domain') },
      onlyTo(['domain']),
    ),
    forbid(
      'ports-to-domain',
      'A port speaks of the domain, and of public messages by their types.',
      { path: part('ports') },
      onlyTo(['ports', 'domain', 'contracts']),
    ),
    forbid(
      'ports-no-contract-values',
      'A port takes types from the contracts, no schemas.',
      { path: part('ports', 'app') },
      { path: part('contracts'), dependencyTypesNot: ['type-only', 'type-import'] },
    ),
    forbid(
      'app-to-ports',
      'The application orders steps over ports: no library, no Node, no adapter.',
      { path: part('app') },
      onlyTo(['app', 'ports', 'domain', 'contracts']),
    ),
    forbid(
      'contracts-plain',
      'Contracts are zod schemas over the domain, usable in a browser.',
      { path: part('contracts') },
      onlyTo(['contracts', 'domain'], ['(^|/)node_modules/(zod|zod-openapi)/']),
    ),
    forbid(
      'config-plain',
      'The configuration knows no other part but the domain.',
      { path: part('config') },
      { path: part('adapters', 'app', 'ports', 'contracts') },
    ),
    forbid(
      'evidence-plain',
      'Proofs know the domain, ports by their types, zod and the hashes and signatures of Node.',
      { path: part('evidence') },
      onlyTo(['evidence', 'domain', 'ports'], ['(^|/)node_modules/zod/', '^(node:)?crypto$']),
    ),
    forbid(
      'adapters-apart',
      'An adapter never knows another one.',
      { path: `${src}adapters/([^/]+)/` },
      { path: `${src}adapters/`, pathNot: `${src}adapters/$1/` },
    ),
    forbid(
      'adapters-to-ports',
      'An adapter serves ports; it calls no use case and reads no configuration.',
      { path: part('adapters') },
      { path: [part('app', 'config', 'cli'), `${src}main`] },
    ),
    forbid(
      'wiring-in-main',
      'Only main, the CLI, the sandbox and the tools put adapters together.',
      {
        path: '^control-plane/',
        pathNot: [`${src}(adapters|cli|main)[/.]`, '^control-plane/(sandbox|tools)/'],
      },
      { path: part('adapters') },
    ),
    forbid(
      'client-of-contracts',
      'Client code runs on phones and in browsers: of the gateway it knows the public messages alone.',
      { path: '^control-plane/(client|public)/' },
      { path: '^control-plane/', pathNot: ['^control-plane/(client|public)/', part('contracts', 'domain')] },
    ),
    forbid(
      'product-without-tools',
      'The product needs neither its sandbox nor its tools nor its tests.',
      { path: `${src}` },
      { path: '^(control-plane/(sandbox|tools|public)|test)/' },
    ),
    forbid(
      'product-without-clients',
      'Clients meet the gateway over the wire; the probe alone plays some.',
      { path: `${src}`, pathNot: `${src}cli/probe/` },
      { path: '^control-plane/client/' },
    ),
    forbid(
      'product-without-dev-packages',
      'What servers run may not need a development dependency.',
      { path: `${src}` },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'type-import'] },
    ),
    forbid('no-circles', 'Modules that need each other are one module.', {}, { circular: true }),
    forbid('no-unresolved', 'Every import leads somewhere.', {}, { couldNotResolve: true }),
    forbid(
      'no-undeclared-packages',
      'Every package that is imported stands in package.json.',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^control-plane/public/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.json', '.d.ts'],
    },
  },
};
