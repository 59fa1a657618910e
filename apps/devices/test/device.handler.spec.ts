import { MississippiHarness } from '@mississippi/testing';
import { ConsoleLogger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Device } from '../src/device.handler.js';
import { DevicesModule } from '../src/devices.module.js';
import { readingCodec } from '../src/reading.js';

const BYTES = Buffer.from('83ff00fe0102030405060708090a0b0c', 'hex');
const TEXT = Buffer.from('sixteen letters!');

describe('A device', () => {
  let harness: MississippiHarness;

  beforeEach(async () => {
    // Nobody is there: the harness puts its own broker in the place of the module's transport.
    const module = DevicesModule.register('amqp://broker.invalid');
    const builder = Test.createTestingModule({ imports: [module] });
    harness = await MississippiHarness.create(builder.setLogger(new ConsoleLogger({ logLevels: ['fatal'] })));
  });

  afterEach(() => harness.close());

  async function measures(id: Uint8Array, ...readings: [sequence: number, celsius: number][]): Promise<void> {
    for (const [sequence, celsius] of readings) await harness.send(id, { sequence, celsius });
    await harness.settled();
  }

  it.each([
    ['bytes that are no text', BYTES],
    ['bytes that are text', TEXT],
  ])('is known by its %s', async (_, id) => {
    await measures(id, [1, 20.5], [2, 21.25], [3, -4]);
    const known: Device = { id: id.toString('hex'), readings: 3, latest: 3, gaps: 0, highest: 21.25 };
    expect(await harness.signal(id, undefined, { name: 'look' })).toEqual(known);
  });

  it('is another one than that whose id differs in one bit', async () => {
    const other = Buffer.from(BYTES);
    other[0]! ^= 1;
    await measures(BYTES, [1, 20]);
    await measures(other, [1, 30]);
    expect(await harness.state(BYTES)).toMatchObject({ highest: 20 });
    expect(await harness.state(other)).toMatchObject({ highest: 30 });
  });

  it('counts a reading once that comes twice, and one that is missing', async () => {
    await measures(BYTES, [1, 20], [1, 20], [2, 20], [4, 20]);
    expect(await harness.state(BYTES)).toMatchObject({ readings: 3, latest: 4, gaps: 1 });
  });

  it('knows nothing before its first reading', async () => {
    const nothing = { readings: 0, latest: 0, gaps: 0, highest: null };
    expect(await harness.signal(BYTES, undefined, { name: 'look' })).toMatchObject(nothing);
  });

  it('takes no key that is an integer', async () => {
    await expect(harness.send(42, { sequence: 1, celsius: 20 })).rejects.toThrow(/bytes/);
  });
});

describe('A reading', () => {
  it('is four bytes and eight, big-endian', () => {
    const body = readingCodec.encode({ sequence: 258, celsius: 21.5 });
    expect(Buffer.from(body).toString('hex')).toBe('000001024035800000000000');
    expect(readingCodec.decode(body)).toEqual({ sequence: 258, celsius: 21.5 });
  });

  it.each([0, 11, 13])('is not of %i bytes', (length) => {
    expect(() => readingCodec.decode(new Uint8Array(length))).toThrow(`12 bytes, not ${length}`);
  });
});
