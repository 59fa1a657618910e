/** Jest runs the TypeScript sources as ESM; swc compiles them with Nest's decorator metadata. */
const common = {
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@mississippi/servers$': '<rootDir>/apps/servers/src/index.ts',
    '^@mississippi/history$': '<rootDir>/history/src/index.ts',
    '^@mississippi/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^@mississippi/([^/]+)/([^/]+)$': '<rootDir>/libs/$1/src/$2/index.ts',
    '^#support/(.*)\\.js$': '<rootDir>/test/support/$1',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

export default {
  // Half of the tests wait for a broker: with one worker less than cores, as is the default, a core would idle.
  maxWorkers: 2,
  // Jest does not let go of the modules of a spec that has run, so that a worker has a gigabyte or more at its end. On a
  // busy machine the system needs longer to take that apart than the 500 ms after which Jest would tell of open handles.
  workerGracefulExitTimeout: 10_000,
  // Half-way through the suites a worker spends much of its time collecting garbage.
  workerIdleMemoryLimit: '700MB',
  testTimeout: 60_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testPathIgnorePatterns: ['/node_modules/', 'mutants\\.spec\\.ts$'],
      roots: [
        '<rootDir>/libs',
        '<rootDir>/history',
        '<rootDir>/apps',
        '<rootDir>/chaos',
        '<rootDir>/bench',
        '<rootDir>/test/file-transport',
      ],
    },
    // These need a Chromium, which the setup looks for. A command of its own.
    {
      ...common,
      displayName: 'browser',
      roots: ['<rootDir>/libs/dashboard/browser'],
      testMatch: ['**/*.browser.ts'],
      globalSetup: '<rootDir>/libs/dashboard/browser/support/chromium-setup.ts',
      setupFilesAfterEnv: ['<rootDir>/libs/dashboard/browser/support/patience.ts'],
    },
    // The pictures in docs/, made anew.
    {
      ...common,
      displayName: 'pictures',
      roots: ['<rootDir>/libs/dashboard/browser'],
      testMatch: ['**/*.pictures.ts'],
      globalSetup: '<rootDir>/libs/dashboard/browser/support/chromium-setup.ts',
      setupFilesAfterEnv: ['<rootDir>/libs/dashboard/browser/support/patience.ts'],
    },
    // What takes a minute or more each: a cluster that loses a node, chaos, a thousand processes, a million keys, and the samples killed half-way.
    // A command of its own.
    {
      ...common,
      displayName: 'long',
      roots: ['<rootDir>/libs', '<rootDir>/test'],
      testMatch: ['**/*.long.ts'],
      globalSetup: '<rootDir>/test/support/broker-setup.ts',
      globalTeardown: '<rootDir>/test/support/broker-teardown.ts',
    },
    // What proves the tests, not the library: each fault that is planted must be noticed. A command of its own.
    {
      ...common,
      displayName: 'mutants',
      roots: ['<rootDir>/libs', '<rootDir>/apps'],
      testMatch: ['**/*mutants.spec.ts'],
    },
    // These need a RabbitMQ, which the setup brings up once for all of them.
    {
      ...common,
      displayName: 'rabbitmq',
      roots: ['<rootDir>/test'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/postgres/', '<rootDir>/test/file-transport/'],
      globalSetup: '<rootDir>/test/support/broker-setup.ts',
      globalTeardown: '<rootDir>/test/support/broker-teardown.ts',
    },
    // The same for PostgreSQL.
    {
      ...common,
      displayName: 'postgres',
      roots: ['<rootDir>/test/postgres'],
      globalSetup: '<rootDir>/test/support/postgres-setup.ts',
      globalTeardown: '<rootDir>/test/support/postgres-teardown.ts',
    },
  ],
};
