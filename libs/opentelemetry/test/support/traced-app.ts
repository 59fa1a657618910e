import type { INestApplication, Provider, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { MississippiModule, type MississippiOptions } from '@mississippi/core';
import { openTelemetry, type OpenTelemetryOptions } from '@mississippi/opentelemetry';

const apps: INestApplication[] = [];

/** Closes what a test has started. */
export async function closeApps(): Promise<void> {
  await Promise.all(apps.splice(0).map((app) => app.close()));
}

/** Starts an app whose only instance has a handler and its telemetry. */
export async function startTracedApp(
  handler: Type<object>,
  options: Omit<MississippiOptions, 'telemetry'> = {},
  telemetry: OpenTelemetryOptions = {},
  more: {
    readonly controllers?: Type<object>[];
    readonly providers?: Provider[];
    readonly prepare?: (app: INestApplication) => void;
  } = {},
): Promise<INestApplication> {
  const { controllers = [], providers = [], prepare } = more;
  const module = await Test.createTestingModule({
    imports: [MississippiModule.forRoot({ ...options, telemetry: openTelemetry(telemetry) })],
    controllers,
    providers: [handler, ...providers],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  apps.push(app);
  prepare?.(app);
  return app.init();
}
