import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';
import { AIRPORT_CODE } from './flight.js';

/** Lets only airport codes become sharding keys: each key that is asked for starts a data updater. */
@Injectable()
export class AirportCodePipe implements PipeTransform<unknown, string> {
  transform(value: unknown): string {
    if (typeof value === 'string' && AIRPORT_CODE.test(value)) return value;
    throw new BadRequestException('An airport code has three capital letters, such as ORD.');
  }
}
