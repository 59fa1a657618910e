import { MississippiHarness, NotSettledError } from '@mississippi/testing';
import { ConsoleLogger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Endpoints } from '../src/endpoints.js';
import { RefusedError } from '../src/refused.error.js';
import { type Webhook, WebhookClient } from '../src/webhook.client.js';
import { WebhooksModule } from '../src/webhooks.module.js';

/** Takes what it is sent, unless the test has a refusal for its url. */
class ScriptedClient {
  readonly tried: string[] = [];
  readonly taken: string[] = [];
  readonly refusals = new Map<string, Error[]>();

  async send(url: string, { id }: Webhook): Promise<void> {
    this.tried.push(id);
    const refusal = this.refusals.get(url)?.shift();
    if (refusal !== undefined) throw refusal;
    this.taken.push(id);
  }
}

describe('Webhooks of two tenants', () => {
  let client: ScriptedClient;
  let harness: MississippiHarness;

  beforeEach(async () => {
    client = new ScriptedClient();
    const endpoints = new Endpoints({ acme: 'acme-url', globex: 'globex-url' });
    const builder = Test.createTestingModule({ imports: [WebhooksModule.register(endpoints)] })
      .setLogger(new ConsoleLogger({ logLevels: ['fatal'] }))
      .overrideProvider(WebhookClient)
      .useValue(client);
    harness = await MississippiHarness.create(builder);
  });

  afterEach(() => harness.close());

  async function send(tenant: string, ...ids: string[]): Promise<void> {
    for (const messageId of ids) await harness.send(tenant, {}, { messageId, type: 'invoice.paid' });
  }

  const takenOf = (tenant: string) => client.taken.filter((id) => id.startsWith(tenant));

  it('wait, in order, until the receiver wants to be asked again, and not longer', async () => {
    client.refusals.set('globex-url', [new RefusedError(503, 30_000), new RefusedError(429, 5_000)]);
    await send('globex', 'globex-1', 'globex-2');
    await expect(harness.settled()).rejects.toThrow(NotSettledError);
    await harness.advance(29_999);
    expect(client.tried).toEqual(['globex-1']);
    await harness.advance(1);
    expect(client.tried).toEqual(['globex-1', 'globex-1']);
    await harness.advance(5_000);
    await harness.settled();
    expect(client.tried).toEqual(['globex-1', 'globex-1', 'globex-1', 'globex-2']);
    expect(client.taken).toEqual(['globex-1', 'globex-2']);
  });

  it('hold up no other tenant, also where the receiver is away for an hour', async () => {
    client.refusals.set('globex-url', [new RefusedError(503, 3_600_000)]);
    await send('globex', 'globex-1');
    await send('acme', 'acme-1', 'acme-2');
    await expect(harness.settled()).rejects.toThrow(/1 message of the key "globex"/);
    expect(client.taken).toEqual(['acme-1', 'acme-2']);
    await send('globex', 'globex-2');
    await send('acme', 'acme-3');
    await harness.advance(3_599_999);
    expect(client.taken).toEqual(['acme-1', 'acme-2', 'acme-3']);
    await harness.settled({ advance: 3_600_000 });
    expect(takenOf('globex')).toEqual(['globex-1', 'globex-2']);
  });

  it('are tried again by an ordinary backoff where the receiver says nothing, or is not there', async () => {
    client.refusals.set('acme-url', [new RefusedError(500), new TypeError('fetch failed')]);
    await send('acme', 'acme-1', 'acme-2');
    await harness.settled({ advance: 10_000 });
    expect(harness.outcomes('acme')).toEqual(['retried', 'retried', 'handled', 'handled']);
    expect(client.taken).toEqual(['acme-1', 'acme-2']);
  });

  it('that will never be taken go to the dead letters, and the next one goes on', async () => {
    client.refusals.set('acme-url', [new RefusedError(410)]);
    await send('acme', 'acme-1', 'acme-2');
    await harness.settled();
    expect(harness.deadLetters()).toMatchObject([{ key: 'acme', messageId: 'acme-1', reason: 'discarded' }]);
    expect(client.taken).toEqual(['acme-2']);
  });

  it('are parked after 20 attempts, in order', async () => {
    client.refusals.set(
      'acme-url',
      Array.from({ length: 20 }, () => new RefusedError(500)),
    );
    await send('acme', 'acme-1', 'acme-2');
    await send('globex', 'globex-1');
    await harness.settled({ advance: 20 * 10_000 });
    expect(harness.parked()).toMatchObject([{ key: 'acme', messages: 2 }]);
    expect(client.tried.filter((id) => id === 'acme-1')).toHaveLength(20);
    expect(client.taken).toEqual(['globex-1']);
  });

  it('keep their id when a crash comes between the answer and its settlement', async () => {
    const { reached } = harness.hang('acme', { at: 'end' });
    await send('acme', 'acme-1');
    await reached;
    await harness.crashAndRestart();
    await harness.settled();
    expect(client.taken).toEqual(['acme-1', 'acme-1']);
  });

  it('without an endpoint are nobody’s, without a type a mistake', async () => {
    await send('initech', 'initech-1');
    await harness.send('acme', {});
    await harness.settled();
    expect(harness.outcomes('initech')).toEqual(['handled']);
    expect(harness.deadLetters()).toMatchObject([{ key: 'acme', error: 'a webhook needs a type and an id' }]);
    expect(client.tried).toEqual([]);
  });
});
