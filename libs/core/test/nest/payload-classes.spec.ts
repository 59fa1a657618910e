import { Expose } from 'class-transformer';
import { IsInt, IsOptional, IsString } from 'class-validator';
import { MessageHandler, MississippiModule, type DataUpdaterHandler, type PayloadFormat } from '@mississippi/core';
import { loadClassPackages } from '../../src/payload/class-packages.js';
import { closeApps, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

class Flight {
  @IsInt()
  number!: number;

  @IsOptional({ groups: ['public'] })
  @IsString({ groups: ['internal'] })
  remark?: string;
}

/** What the handler gets for a payload of a direct message. */
async function received(payload: PayloadFormat, given: unknown): Promise<unknown> {
  const seen: unknown[] = [];
  @MessageHandler({ payload })
  class Keeping implements DataUpdaterHandler {
    handleMessage(flight: unknown): void {
      seen.push(flight);
    }
  }
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
  await serviceOf(app).handleMessage('k', { payload: given });
  return seen[0];
}

const problemsOf = (payload: PayloadFormat, given: unknown): Promise<readonly string[]> =>
  received(payload, given).then(
    () => [],
    (error: { problems: readonly string[] }) => error.problems,
  );

describe('a payload class with options', () => {
  test('is the class', async () => {
    const flight = await received({ class: Flight }, { number: 14, extra: true });
    expect(flight).toBeInstanceOf(Flight);
    expect(flight).toEqual({ number: 14, extra: true });
    expect(await problemsOf({ class: Flight }, { number: '14' })).toEqual(['number must be an integer number']);
  });

  test('whitelist takes away what has no decorator', async () => {
    const flight = await received({ class: Flight, whitelist: true }, { number: 14, extra: true });
    expect(flight).toEqual({ number: 14 });
    expect(flight).toBeInstanceOf(Flight);
  });

  test('forbidNonWhitelisted refuses it', async () => {
    const format = { class: Flight, whitelist: true, forbidNonWhitelisted: true };
    expect(await problemsOf(format, { number: 14, extra: true })).toEqual(['property extra should not exist']);
  });

  test('groups choose the decorators', async () => {
    const given = { number: '14', remark: 5 };
    expect(await problemsOf({ class: Flight, groups: ['internal'] }, given)).toEqual(['remark must be a string']);
    expect(await problemsOf({ class: Flight, groups: ['public'] }, given)).toEqual([]);
  });

  test('transformOptions are those of class-transformer', async () => {
    const transformOptions = { enableImplicitConversion: true };
    expect(await received({ class: Flight, transformOptions }, { number: '14' })).toEqual({ number: 14 });
    class Public {
      @Expose({ groups: ['public'] })
      number!: number;
      @Expose({ groups: ['internal'] })
      remark!: string;
    }
    const chosen = { class: Public, transformOptions: { groups: ['public'], excludeExtraneousValues: true } };
    expect(await received(chosen, { number: 14, remark: 'late' })).toEqual({ number: 14 });
  });
});

describe('packages for payload classes', () => {
  const here = {
    'class-transformer': () => import('class-transformer'),
    'class-validator': () => import('class-validator'),
  };
  const fail = (code: string, message: string) => () => Promise.reject(Object.assign(new Error(message), { code }));

  test('that are missing are named alone', async () => {
    const validator = fail('ERR_MODULE_NOT_FOUND', "Cannot find package 'class-validator' imported from /app/x.js");
    await expect(loadClassPackages('Flight', { ...here, 'class-validator': validator })).rejects.toMatchObject({
      code: 'missing_package',
      packages: ['class-validator'],
      message: expect.stringContaining('class-validator, which is not installed: run npm install class-validator, '),
    });
  });

  test('that are there and cannot be loaded tell why', async () => {
    const broken = fail('ERR_MODULE_NOT_FOUND', "Cannot find package 'libphonenumber-js' imported from /app/x.js");
    await expect(loadClassPackages('Flight', { ...here, 'class-validator': broken })).rejects.toThrow(
      'libphonenumber-js',
    );
  });
});
