import { systemClock } from '@mississippi/core';
import { openModel } from '../src/connection/client.js';
import { settingsIn, settingsOf } from '../src/options/settings.js';
import { closeFrame, FakeBroker } from './support/fake-broker.js';

// Alone in its file: it is about the first connection of a process. Where it fails, it ends the process of the tests.
test('the very first connection may be closed in the packet that opens it: it fails, and the process lives', async () => {
  const broker = await FakeBroker.start();
  broker.behindOpenOk = closeFrame(541, 'not today');
  try {
    const settings = settingsIn(settingsOf({ urls: [broker.url] }), 'default');
    const opening = openModel(settings.endpoints[0]!, settings, 'tests', systemClock, new AbortController().signal);
    await expect(opening).rejects.toThrow(/541.*not today/);
  } finally {
    await broker.stop();
  }
});
