import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const services = ['gateway', 'registry-proxy', 'scheduler', 'policy', 'audit', 'quota'];
const lib = (name, ...may) => ({
  sourceTag: `lib:${name}`,
  onlyDependOnLibsWithTags: may.map((other) => `lib:${other}`),
});

// Who may import whom (docs/adr/0002): apps never import apps, a lib only what is named here. `testing` is for specs,
// which a rule below sees to, and stands on `host` alone, so that the other libs' specs can use it.
const depConstraints = [
  lib('contracts'),
  lib('runtime', 'contracts', 'testing'),
  lib('messaging', 'contracts', 'runtime', 'testing'),
  lib('actions', 'contracts', 'runtime', 'messaging', 'testing'),
  lib('cedar'),
  lib('host', 'contracts'),
  lib('testing', 'host'),
  ...services.map((app) => ({
    sourceTag: `app:${app}`,
    onlyDependOnLibsWithTags: [
      ...['lib:contracts', 'lib:runtime', 'lib:messaging', 'lib:actions', 'lib:testing'],
      ...(app === 'policy' ? ['lib:cedar'] : []),
    ],
  })),
  { sourceTag: 'app:cli', onlyDependOnLibsWithTags: ['lib:contracts', 'lib:testing'] },
  { sourceTag: 'app:e2e', onlyDependOnLibsWithTags: ['lib:contracts', 'lib:host', 'lib:testing'] },
  {
    sourceTag: 'type:tool',
    onlyDependOnLibsWithTags: ['lib:cedar', 'lib:contracts', 'lib:host', 'lib:testing'],
  },
];

// The boundary rule sees no import of a project without `exports`, as apps are.
const patterns = [
  {
    group: [...services, 'cli', 'e2e'].map((app) => `@berth/${app}`),
    message: 'An app never imports an app.',
  },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/.types/**', '**/node_modules/**', '.nx/**', 'docs/**'] },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { depConstraints, enforceBuildableLibDependency: false, allow: [] },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      'max-params': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.name='forwardRef']",
          message: 'A circular dependency is mended by a better cut, not by forwardRef.',
        },
        {
          selector: "MethodDefinition[kind='constructor'][value.params.length>5]",
          message: 'A constructor lists five things at most: this class does too much.',
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only env.ts reads the environment.' },
      ],
    },
  },
  // Specs are the only ones that may reach for the test parts, and set environments for the processes they start.
  {
    files: ['{apps,libs,tools}/**/src/**/*.ts'],
    ignores: ['**/*.spec.ts', 'libs/testing/**', 'apps/e2e/**', 'tools/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: '@berth/testing', message: 'For specs only.' }], patterns },
      ],
    },
  },
  {
    files: ['**/env.ts', 'libs/host/**', 'libs/testing/**', 'tools/**', '**/*.spec.ts', '**/test/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
);
