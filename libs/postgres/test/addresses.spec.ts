import { createHash } from 'node:crypto';
import { inboxAddress } from '../src/values/addresses.js';

/** As entries of earlier releases stand in the table. */
function addressOf(key: Buffer, messageId: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(key.length);
  const hash = createHash('sha256').update(length).update(key).update(messageId, 'utf16le');
  return hash.digest().subarray(0, 16);
}

describe('the address of a message in the inbox', () => {
  const key = Buffer.from('83 6d 00000001 61'.replaceAll(' ', ''), 'hex');

  it.each([
    ['plain', 'order-1'],
    ['empty', ''],
    ['beyond ASCII', 'Ærø ☂ 🛶'],
    ['half of a surrogate pair', 'a\ud83d'],
  ])('stays what it was (%s)', (_case, messageId) => {
    expect(inboxAddress({ key, messageId })).toEqual(addressOf(key, messageId));
  });

  it('is the one that lies in tables already', () => {
    expect(inboxAddress({ key, messageId: 'order-1' }).toString('hex')).toBe('9f7e25796ff0e18132a60800f98aab38');
  });

  it('tells where the key ends', () => {
    const messageId = 'b';
    const longer = { key: Buffer.concat([key, Buffer.from('b\0')]), messageId: '' };
    expect(inboxAddress({ key, messageId })).not.toEqual(inboxAddress(longer));
  });
});
