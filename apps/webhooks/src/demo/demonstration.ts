import { on } from 'node:events';
import { EventsProducer } from '@mississippi/core';
import { NestFactory } from '@nestjs/core';
import { Endpoints } from '../endpoints.js';
import { WebhooksModule } from '../webhooks.module.js';
import { type Answer, type Received, Receivers } from './receiver.js';
import { faultsOf, isTaken } from './verify.js';

const TENANTS = ['acme', 'globex', 'initech'] as const;
const EVENTS = 10;

/** How long all of it may take, in milliseconds. */
const PATIENCE = 60_000;

const takenBy = (tenant: string, log: readonly Received[]) =>
  log.filter((request) => request.tenant === tenant && isTaken(request)).length;

/** acme stumbles at each third request; globex is away from its third event on until the others have all of theirs. */
function decide(tenant: string, log: readonly Received[]): Answer {
  const before = log.filter((request) => request.tenant === tenant);
  if (tenant === 'acme' && before.length % 3 === 2) return { status: 500 };
  if (tenant !== 'globex' || takenBy(tenant, log) < 2) return { status: 200 };
  const othersHaveAll = TENANTS.every((other) => other === tenant || takenBy(other, log) === EVENTS);
  const refusals = before.filter((request) => !isTaken(request)).length;
  return othersHaveAll && refusals >= 2 ? { status: 200 } : { status: 503, retryAfterSeconds: 1 };
}

/** Sends each tenant its webhooks. Resolves with what went wrong, nothing if all is right. */
export async function demonstrate(print: (line: string) => void): Promise<string[]> {
  const receivers = new Receivers(decide);
  const url = await receivers.listen();
  const endpoints = new Endpoints(Object.fromEntries(TENANTS.map((tenant) => [tenant, `${url}/${tenant}`])));
  const app = await NestFactory.createApplicationContext(WebhooksModule.register(endpoints), { logger: ['fatal'] });
  app.enableShutdownHooks();
  const producer = app.get(EventsProducer, { strict: false });
  const sent = new Map(
    TENANTS.map((tenant) => [tenant, Array.from({ length: EVENTS }, (_, n) => `${tenant}-${n + 1}`)]),
  );
  const tooLate = AbortSignal.timeout(PATIENCE);
  const requests = on(receivers, 'received', { signal: tooLate }) as AsyncIterable<[Received]>;
  try {
    for (let n = 0; n < EVENTS; n++) {
      for (const tenant of TENANTS) {
        const messageId = sent.get(tenant)![n]!;
        await producer.publish({ invoice: n + 1 }, { shardingKey: tenant, type: 'invoice.paid', messageId });
      }
    }
    for await (const [request] of requests) {
      tell(request, receivers.log, print);
      if (receivers.log.filter(isTaken).length === TENANTS.length * EVENTS) break;
    }
  } catch (error) {
    // What is missing is told as what else is wrong.
    if (!tooLate.aborted) throw error;
  } finally {
    receivers.close();
    await app.close();
  }
  return faultsOf(receivers.log, sent);
}

/** For people: refusals, and who has everything. */
function tell(request: Received, log: readonly Received[], print: (line: string) => void): void {
  const { tenant, id, answer } = request;
  if (!isTaken(request)) {
    const wait = 'retryAfterSeconds' in answer ? `, Retry-After: ${answer.retryAfterSeconds}` : '';
    print(`${id} refused: ${answer.status}${wait}`);
  } else if (takenBy(tenant, log) === EVENTS) print(`${tenant} has all of its ${EVENTS} webhooks`);
}
