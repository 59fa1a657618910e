import { defer, EMPTY, lastValueFrom, type Observable, Subject, tap, throwError, toArray } from 'rxjs';
import type { Flight } from '../src/flight.js';
import { type FlightSink, replay } from '../src/replay.js';
import { flight } from './flights.js';

/** A sink whose answers the test gives, one by one. */
class ManualSink implements FlightSink {
  readonly sent: number[] = [];
  private readonly answers = new Map<number, Subject<never>>();

  send({ row }: Flight): Observable<never> {
    return defer(() => {
      this.sent.push(row);
      const answer = new Subject<never>();
      this.answers.set(row, answer);
      return answer;
    });
  }

  async answer(row: number): Promise<void> {
    this.answers.get(row)?.complete();
    await settled();
  }
}

/** Lets every promise that can go on do so. */
async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

const flights = [
  flight({ row: 1, origin: 'ORD' }),
  flight({ row: 2, origin: 'ORD' }),
  flight({ row: 3, origin: 'DFW' }),
  flight({ row: 4, origin: 'ORD' }),
  flight({ row: 5, origin: 'DFW' }),
];

describe('The replay', () => {
  it('has one unanswered flight per airport, airports side by side', async () => {
    const sink = new ManualSink();
    const arrived: number[] = [];
    const end = lastValueFrom(replay(flights, sink).pipe(tap(({ row }) => arrived.push(row))));
    await settled();
    expect(sink.sent).toEqual([1, 3]);
    await sink.answer(3);
    expect(sink.sent).toEqual([1, 3, 5]);
    await sink.answer(1);
    expect(sink.sent).toEqual([1, 3, 5, 2]);
    await sink.answer(2);
    await sink.answer(4);
    await sink.answer(5);
    await end;
    expect(arrived).toEqual([3, 1, 2, 4, 5]);
  });

  it('reads no further than its read-ahead', async () => {
    const sink = new ManualSink();
    const read: number[] = [];
    function* source(): Generator<Flight> {
      for (const next of flights) {
        read.push(next.row);
        yield next;
      }
    }
    const end = lastValueFrom(replay(source(), sink, 2));
    await settled();
    expect(read).toEqual([1, 2, 3]);
    expect(sink.sent).toEqual([1]);
    await sink.answer(1);
    expect(read).toEqual([1, 2, 3, 4]);
    expect(sink.sent).toEqual([1, 2, 3]);
    for (const row of [3, 2, 4, 5]) await sink.answer(row);
    await end;
    expect(sink.sent).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends at the first flight that does not arrive', async () => {
    const sink: FlightSink = {
      send: ({ row }) => (row === 2 ? throwError(() => new Error('no answer')) : EMPTY),
    };
    await expect(lastValueFrom(replay(flights, sink).pipe(toArray()))).rejects.toThrow('no answer');
  });
});
