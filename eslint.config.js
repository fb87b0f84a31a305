import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Nothing under domain/ may read a clock, draw a random number, wait, or throw an expected failure. */
const domainPurity = [
  { selector: "NewExpression[callee.name='Date']", message: 'The domain reads no clock: take `now` in.' },
  { selector: "MemberExpression[object.name='Date']", message: 'The domain reads no clock: take `now` in.' },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'The domain is deterministic.',
  },
  { selector: ':function[async=true]', message: 'The domain is synchronous.' },
  { selector: 'ThrowStatement', message: 'The domain returns failures as values.' },
];

const onlyConfig = 'Only the configuration reads the environment: take the value in.';

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      '.tools',
      '.cache',
      '.run',
      'coverage',
      'control-plane/public/dist',
      '**/*.gen.ts',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  {
    files: ['control-plane/src/domain/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...domainPurity] },
  },
  {
    files: ['control-plane/src/**/*.ts'],
    ignores: ['control-plane/src/config/**'],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: onlyConfig }],
      'no-restricted-imports': [
        'error',
        ...['process', 'node:process'].map((name) => ({ name, importNames: ['env'], message: onlyConfig })),
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: [
      'control-plane/src/cli/**/*.ts',
      'control-plane/sandbox/**/*.ts',
      'control-plane/tools/**/*.ts',
      'test/bench/**/*.ts',
      'control-plane/public/**/*.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { globals: { module: 'writable', process: 'readonly', console: 'readonly' } },
  },
);
