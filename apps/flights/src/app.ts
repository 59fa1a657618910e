import type { AddressInfo, Server } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import type { Backends } from './backends.js';
import { FlightsModule } from './flights.module.js';
import type { FlightsOptions } from './options.js';
import type { TroubleOptions } from './planted-trouble.js';

/** The sample asks nobody who they are, so it listens to this machine only. */
export const HOST = '127.0.0.1';

/** Signals that close the app. */
export const SHUTDOWN_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Where the app can be reached. */
export interface Addresses {
  httpUrl: string;
  tcpPort: number;
}

export async function createApp(backends: Backends, trouble?: TroubleOptions): Promise<INestApplication> {
  // Only what needs attention is logged, so that the display stays readable.
  const app = await NestFactory.create(FlightsModule.register(backends, trouble), {
    logger: ['warn', 'error'],
    // Until it listens, logs are held back: an error on the way is thrown too, and told in one line by whoever started it.
    bufferLogs: true,
    autoFlushLogs: false,
    abortOnError: false,
  });
  app.enableShutdownHooks([...SHUTDOWN_SIGNALS]);
  return app;
}

/** Starts to serve HTTP and TCP from one Nest container. */
export async function listen(
  app: INestApplication,
  { httpPort, tcpPort }: Pick<FlightsOptions, 'httpPort' | 'tcpPort'>,
): Promise<Addresses> {
  const tcp = app.connectMicroservice<MicroserviceOptions & { autoFlushLogs: boolean }>({
    autoFlushLogs: false,
    transport: Transport.TCP,
    options: { host: HOST, port: tcpPort },
  });
  // First of all: it starts the library, which must be there before the first packet is.
  await app.init();
  await app.startAllMicroservices();
  await app.listen(httpPort, HOST);
  app.flushLogs();
  return { httpUrl: await app.getUrl(), tcpPort: portOf(tcp.unwrap<Server>()) };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
