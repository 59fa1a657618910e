import { type DynamicModule, Module } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { controllerFor } from './dashboard.controller.js';
import { type MississippiDashboardOptions, settingsOf } from './dashboard.options.js';
import { DashboardSite } from './dashboard.site.js';

/**
 * A page of the app that shows what waits, what fails and why, in all its processes, live, and frees it. It looks only while somebody has it open.
 * @example
 * MississippiDashboardModule.forRoot({ path: 'ops/mississippi', guards: [AdminGuard], actions: true })
 * @publicApi
 */
@Module({})
export class MississippiDashboardModule {
  /** @throws {InvalidOptionsError} when an option cannot be used */
  static forRoot(options: MississippiDashboardOptions = {}): DynamicModule {
    const settings = settingsOf(options);
    return {
      module: MississippiDashboardModule,
      imports: options.imports ?? [],
      controllers: [controllerFor(settings)],
      providers: [
        {
          provide: DashboardSite,
          useFactory: (ref: ModuleRef, host: HttpAdapterHost) => new DashboardSite(settings, ref, host),
          inject: [ModuleRef, HttpAdapterHost],
        },
      ],
    };
  }
}
