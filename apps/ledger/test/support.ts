import { memory, memoryStore } from '@mississippi/core';
import { type DynamicModule, type INestApplication, ValidationPipe } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { LedgerModule } from '../src/app/ledger.module.js';

export const ledger = (...handler: [Parameters<typeof LedgerModule.register>[1]?]): DynamicModule =>
  LedgerModule.register({ transport: memory({ totalCount: 8 }), store: memoryStore() }, ...handler);

/** The app in this process, all in memory; with what a test plants in it. */
export async function startApp(
  module: DynamicModule,
  plant: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
): Promise<INestApplication> {
  const app = (await plant(Test.createTestingModule({ imports: [module] })).compile()).createNestApplication({
    logger: false,
  });
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
  await app.listen(0, '127.0.0.1');
  return app;
}
