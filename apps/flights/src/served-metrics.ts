import { openTelemetry, type OpenTelemetry } from '@mississippi/opentelemetry';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { HOST } from './app.js';
import { print } from './output.js';

/**
 * Registers an SDK whose metrics Prometheus can read, before the app starts, as OpenTelemetry wants it. A server of its own, so that
 * neither the app's guards nor its port have to do with it.
 */
export async function serveMetrics(port: number): Promise<OpenTelemetry> {
  const exporter = new PrometheusExporter({ host: HOST, port, preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
  await exporter.startServer();
  print(`The metrics are at http://${HOST}:${port}/metrics.`);
  return openTelemetry();
}
