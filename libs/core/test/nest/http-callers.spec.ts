import { Body, Controller, Param, Post, UseFilters, type Type } from '@nestjs/common';
import { IsInt } from 'class-validator';
import { DataUpdaterService, MessageHandler, MississippiModule, type DataUpdaterHandler } from '@mississippi/core';
import { CallersFaultFilter } from '../docs/callers-fault.filter.js';
import { closeApps, startApp } from './support/app.js';

afterEach(closeApps);

class Booking {
  @IsInt()
  cents!: number;
}

@MessageHandler({ payload: Booking })
class LedgerHandler implements DataUpdaterHandler<number, Booking> {
  handleMessage(): void {}
}

@Controller('plain/:id')
class PlainController {
  constructor(private readonly dataUpdaters: DataUpdaterService) {}

  @Post()
  async book(@Param('id') id: string, @Body() payload: unknown): Promise<{ outcome: string }> {
    const { kind } = await this.dataUpdaters.handleMessage(id.trim(), { payload });
    return { outcome: kind };
  }
}

@Controller('filtered/:id')
@UseFilters(CallersFaultFilter)
class FilteredController extends PlainController {}

/** Posts a booking to an app that listens. */
async function poster(...controllers: Type[]) {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [LedgerHandler], controllers });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return async (path: string, body: unknown): Promise<{ status: number; body: unknown }> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
}

test('an invalid body is the fault of the caller: 400 with what is wrong', async () => {
  const post = await poster(FilteredController);
  expect(await post('filtered/a', { cents: 5 })).toEqual({ status: 201, body: { outcome: 'ack' } });
  expect(await post('filtered/a', { cents: 'five' })).toEqual({
    status: 400,
    body: { statusCode: 400, error: 'Bad Request', message: ['cents must be an integer number'] },
  });
});

test('so is a missing key', async () => {
  const post = await poster(FilteredController);
  expect(await post('filtered/%20', { cents: 5 })).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('A sharding key is needed') as unknown },
  });
});

test('without the filter it is 500, as every error that Nest does not know', async () => {
  const post = await poster(PlainController);
  expect(await post('plain/a', { cents: 'five' })).toMatchObject({ status: 500 });
});
