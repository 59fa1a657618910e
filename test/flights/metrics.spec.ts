import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { FlightsProcess } from './flights-process.js';

/** It takes seconds; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The value of a metric in the text that Prometheus reads. */
function valueOf(text: string, name: string, labels = ''): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(labels));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

describe('The sample with metrics for Prometheus', () => {
  afterEach(async () => {
    await FlightsProcess.endAll();
  });

  it(
    'serves what it has done, on a port of its own',
    async () => {
      const port = await freePort();
      const flights = new FlightsProcess(['--metrics-port', String(port)]);
      await flights.printed(/220 of 220 airports verified/);
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(valueOf(text, 'mississippi_messages_handled_total')).toBe(20_000);
      expect(valueOf(text, 'messaging_process_duration_count', 'messaging_operation_name="process"')).toBe(20_000);
      expect(valueOf(text, 'messaging_process_duration_count', 'messaging_operation_name="answer"')).toBe(220);
      expect(valueOf(text, 'mississippi_shards_owned')).toBe(128);
      expect(valueOf(text, 'mississippi_keys_live')).toBe(220);
      expect(flights.output).toContain(`The metrics are at http://127.0.0.1:${port}/metrics.`);
    },
    PATIENCE,
  );

  it(
    'says in one line that the port is taken, and ends with status 1',
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const flights = new FlightsProcess(['--metrics-port', String(port), '--exit']);
      expect(await flights.ended).toBe(1);
      expect(flights.errors).toMatch(/^listen EADDRINUSE[^\n]*\n$/);
      server.close();
    },
    PATIENCE,
  );
});
