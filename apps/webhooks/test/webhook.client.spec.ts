import { type Answer, type Received, Receivers } from '../src/demo/receiver.js';
import { RefusedError } from '../src/refused.error.js';
import { WebhookClient } from '../src/webhook.client.js';

const WEBHOOK = { id: 'w-1', type: 'invoice.paid', data: { invoice: 7 } };

describe('The client', () => {
  let answer: Answer;
  const receivers = new Receivers(() => answer);
  let url: string;

  beforeAll(async () => (url = await receivers.listen()));
  afterAll(() => receivers.close());

  const send = async () => new WebhookClient().send(`${url}/acme`, WEBHOOK, new AbortController().signal);
  const refusal = async () =>
    send().then(
      () => undefined,
      (error: unknown) => error,
    );

  it('posts a webhook with its id, and is content when it is taken', async () => {
    answer = { status: 200 };
    await send();
    expect(receivers.log.at(-1)).toMatchObject({ tenant: 'acme', id: 'w-1' } satisfies Partial<Received>);
  });

  it('tells when the receiver wants to be asked again', async () => {
    answer = { status: 503, retryAfterSeconds: 7 };
    const error = await refusal();
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ status: 503, retryAfter: 7_000, isFinal: false });
  });

  it.each([
    [301, false],
    [404, true],
    [408, false],
    [410, true],
    [429, false],
    [500, false],
  ])('takes %i for a refusal: for good? %s', async (status, isFinal) => {
    answer = { status };
    expect(await refusal()).toMatchObject({ status, isFinal, retryAfter: undefined });
  });

  it('stops when it is told to', async () => {
    await expect(new WebhookClient().send(url, WEBHOOK, AbortSignal.abort())).rejects.toThrow(/abort/);
  });
});
