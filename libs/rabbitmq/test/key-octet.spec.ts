import fc from 'fast-check';
import { BYTES_OCTET, KeyOctetChanger, STRING_OCTET } from '../src/wire/key-octet.js';
import { passKeysThrough } from '../src/wire/pass-keys-through.js';
import { bodyFrame, entry, frame, headerFrame, heartbeat, methodFrame, value } from './frames.js';

const KEY = Buffer.from([131, 109, 0, 0, 0, 4, 0xff, 0x00, 0x80, 0xce]);
const keyEntry = (type: string): Buffer => entry('sharding_key', value(type, KEY));
const text = (name: string, content: string): Buffer => entry(name, value('S', Buffer.from(content)));

const incoming = (): KeyOctetChanger => new KeyOctetChanger(STRING_OCTET, BYTES_OCTET, true);
const outgoing = (): KeyOctetChanger => new KeyOctetChanger(BYTES_OCTET, STRING_OCTET, false);

/** What comes out of a changer that gets the stream in these chunks. */
function through(changer: KeyOctetChanger, chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat(chunks.map((chunk) => changer.push(Buffer.from(chunk)) ?? Buffer.alloc(0)));
}

describe('the type of the sharding key', () => {
  const before = [text('a', 'one'), entry('n', value('l', Buffer.alloc(8)))];
  const after = [text('z', 'last'), entry('v', value('V', Buffer.alloc(0)))];

  for (const [place, entries] of [
    ['alone', (key: Buffer) => [key]],
    ['first', (key: Buffer) => [key, ...after]],
    ['in the middle', (key: Buffer) => [...before, key, ...after]],
    ['last', (key: Buffer) => [...before, key]],
  ] as const) {
    test(`changes when it is ${place}, and nothing else does`, () => {
      const [strings, bytes] = [headerFrame(entries(keyEntry('S'))), headerFrame(entries(keyEntry('x')))];
      expect(through(incoming(), [strings])).toEqual(bytes);
      expect(through(outgoing(), [bytes])).toEqual(strings);
      expect(through(incoming(), [bytes])).toEqual(bytes);
      expect(through(outgoing(), [strings])).toEqual(strings);
    });
  }

  test('changes behind a content type and an encoding', () => {
    const others = { contentType: 'application/json', contentEncoding: 'gzip' };
    const strings = headerFrame([keyEntry('S')], others);
    expect(through(incoming(), [strings])).toEqual(headerFrame([keyEntry('x')], others));
  });

  test('changes behind headers of every type', () => {
    const sizes = { t: 1, b: 1, B: 1, s: 2, u: 2, I: 4, i: 4, l: 8, f: 4, d: 8, D: 5, T: 8, V: 0, S: 3, x: 3 };
    const others = Object.entries(sizes).map(([type, size]) => entry(type, value(type, Buffer.alloc(size, 7))));
    others.push(entry('A', value('A', value('t', Buffer.of(1)))), entry('F', value('F', text('in', 'ner'))));
    expect(through(incoming(), [headerFrame([...others, keyEntry('S')])])).toEqual(
      headerFrame([...others, keyEntry('x')]),
    );
  });

  test('stays when it is neither a string nor bytes', () => {
    for (const type of ['l', 't', 'V', 'A', 'F']) {
      const size = { l: 8, t: 1 }[type] ?? 0;
      const bytes = headerFrame([entry('sharding_key', value(type, Buffer.alloc(size)))]);
      expect(through(incoming(), [bytes])).toEqual(bytes);
    }
  });

  test('is not looked for in other headers, in tables, in values, in bodies or in methods', () => {
    const lookAlike = Buffer.concat([Buffer.of(12), Buffer.from('sharding_keyS')]);
    const bytes = Buffer.concat([
      headerFrame([
        text('sharding_ke', ''),
        text('sharding_keys', ''),
        text('Sharding_key', ''),
        entry('value', value('S', lookAlike)),
        entry('table', value('F', text('sharding_key', 'no bytes'))),
      ]),
      bodyFrame(headerFrame([keyEntry('S')])),
      methodFrame(headerFrame([keyEntry('S')])),
      heartbeat(),
      headerFrame([]),
      headerFrame(undefined),
      headerFrame(undefined, { contentType: 'sharding_keyS' }),
    ]);
    expect(through(incoming(), [bytes])).toEqual(bytes);
  });
});

describe('a stream of frames', () => {
  const frames = (type: string): Buffer =>
    Buffer.concat([
      heartbeat(),
      methodFrame(),
      headerFrame([text('a', 'b'), keyEntry(type)]),
      bodyFrame(Buffer.from('first')),
      methodFrame(),
      headerFrame([keyEntry(type), text('c', 'd')]),
      bodyFrame(Buffer.alloc(0)),
    ]);
  const [strings, bytes] = [frames('S'), frames('x')];

  test('may be split at any byte', () => {
    for (let at = 0; at <= strings.length; at++) {
      const chunks = [strings.subarray(0, at), strings.subarray(at)];
      expect(through(incoming(), chunks).equals(bytes)).toBe(true);
    }
  });

  test('may come byte by byte', () => {
    expect(
      through(
        incoming(),
        Array.from(strings, (byte) => Buffer.of(byte)),
      ),
    ).toEqual(bytes);
  });

  test('may be split anywhere, as often as you like', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(strings.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), strings.length];
        const chunks = places.slice(1).map((end, index) => strings.subarray(places[index], end));
        expect(through(incoming(), chunks).equals(bytes)).toBe(true);
      }),
    );
  });

  test('is given on in whole frames only', () => {
    const changer = incoming();
    const whole = headerFrame([keyEntry('S')]);
    expect(changer.push(Buffer.from(whole.subarray(0, 10)))).toBeUndefined();
    expect(changer.push(Buffer.concat([whole.subarray(10), whole.subarray(0, 3)]))).toEqual(
      headerFrame([keyEntry('x')]),
    );
    expect(changer.push(Buffer.from(whole.subarray(3)))).toEqual(headerFrame([keyEntry('x')]));
  });
});

describe('what is malformed', () => {
  test('is passed on as long as it was, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (payload, isIncoming) => {
        const bytes = frame(2, Buffer.from(payload));
        expect(through(isIncoming ? incoming() : outgoing(), [bytes])).toHaveLength(bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test('may be any frame with one byte wrong, or one that ends too early', () => {
    const good = headerFrame([text('a', 'one'), keyEntry('S'), entry('t', value('F', text('b', 'two')))]);
    for (let at = 7; at < good.length - 1; at++) {
      for (const wrong of [0, 1, 127, 128, 255]) {
        const bytes = Buffer.from(good);
        bytes[at] = wrong;
        expect(through(incoming(), [bytes])).toHaveLength(bytes.length);
      }
      const short = frame(2, good.subarray(7, at));
      expect(through(incoming(), [short])).toHaveLength(short.length);
    }
  });

  test('does not keep the key of the next message from passing', () => {
    const unknown = headerFrame([entry('odd', Buffer.from('Zabc')), keyEntry('S')]);
    const next = Buffer.concat([unknown, headerFrame([keyEntry('S')])]);
    expect(through(incoming(), [next])).toEqual(Buffer.concat([unknown, headerFrame([keyEntry('x')])]));
  });
});

describe('what amqplib could not read', () => {
  const nested = (depth: number, inner: Buffer, type = 'A'): Buffer =>
    depth === 0
      ? inner
      : value(type, type === 'A' ? nested(depth - 1, inner) : entry('t', nested(depth - 1, inner, type)));

  test('an unsigned integer of 64 bits becomes a signed one, wherever it is', () => {
    const made = (type: string): Buffer => {
      const number = value(type, Buffer.alloc(8, 1));
      return headerFrame([
        entry('a', number),
        entry('l', value('A', number)),
        entry('t', value('F', entry('i', number))),
      ]);
    };
    expect(through(incoming(), [made('L')])).toEqual(made('l'));
    expect(through(outgoing(), [made('L')])).toEqual(made('L'));
  });

  for (const type of ['A', 'F']) {
    test(`32 levels of ${type} stay, the next becomes bytes`, () => {
      const inner = value(type, Buffer.alloc(0));
      const fine = headerFrame([entry('a', nested(32, value('V', Buffer.alloc(0)), type))]);
      expect(through(incoming(), [fine])).toEqual(fine);
      const deep = headerFrame([entry('a', nested(32, inner, type))]);
      const shallow = headerFrame([entry('a', nested(32, value('x', Buffer.alloc(0)), type))]);
      expect(through(incoming(), [deep])).toEqual(shallow);
    });
  }

  test('the key behind such a header is changed too', () => {
    const deep = nested(1_000, value('V', Buffer.alloc(0)));
    const [before, after] = ['S', 'x'].map((type) => headerFrame([entry('a', deep), keyEntry(type)]));
    const changed = through(incoming(), [before!]);
    expect(changed).toHaveLength(after!.length);
    expect(changed.subarray(-KEY.length - 20)).toEqual(after!.subarray(-KEY.length - 20));
  });
});

test('a string that is not UTF-8 becomes bytes, wherever it is', () => {
  const frames = (type: string): Buffer => {
    const broken = value(type, Buffer.of(0x61, 0xff));
    const long = value(type, Buffer.concat([Buffer.alloc(100, 'a'), Buffer.of(0xc3)]));
    return headerFrame([
      entry('broken', broken),
      entry('list', value('A', Buffer.concat([broken, value('S', Buffer.from('größe'))]))),
      entry('table', value('F', entry('long', long))),
      text('fine', 'größe 🜁'.repeat(20)),
      keyEntry('x'),
    ]);
  };
  expect(through(incoming(), [frames('S')])).toEqual(frames('x'));
});

describe('the stream of a connection', () => {
  class FakeStream {
    readonly written: Buffer[] = [];
    readonly unread: Buffer[] = [];

    read(): Buffer | null {
      return this.unread.shift() ?? null;
    }

    write(chunk: Buffer): boolean {
      this.written.push(chunk);
      return true;
    }
  }

  test('is changed both ways, and no other stream', () => {
    const [stream, other] = [new FakeStream(), new FakeStream()];
    passKeysThrough(stream, Buffer.alloc(0));
    stream.unread.push(headerFrame([keyEntry('S')]));
    other.unread.push(headerFrame([keyEntry('S')]));
    expect(stream.read()).toEqual(headerFrame([keyEntry('x')]));
    expect(other.read()).toEqual(headerFrame([keyEntry('S')]));
    stream.write(headerFrame([keyEntry('x')]));
    other.write(headerFrame([keyEntry('x')]));
    expect(stream.written).toEqual([headerFrame([keyEntry('S')])]);
    expect(other.written).toEqual([headerFrame([keyEntry('x')])]);
  });

  test('gives nothing until a frame is whole', () => {
    const stream = new FakeStream();
    passKeysThrough(stream, Buffer.alloc(0));
    const bytes = headerFrame([keyEntry('S')]);
    stream.unread.push(bytes.subarray(0, 5), Buffer.from(bytes.subarray(5)));
    expect(stream.read()).toBeNull();
    expect(stream.read()).toEqual(headerFrame([keyEntry('x')]));
    expect(stream.read()).toBeNull();
  });

  test('must not have been read beyond the handshake', () => {
    expect(() => passKeysThrough(new FakeStream(), Buffer.of(1))).toThrow('before it was asked');
  });
});
