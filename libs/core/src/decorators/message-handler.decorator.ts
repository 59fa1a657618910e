import { DiscoveryService } from '@nestjs/core';
import type { MessageHandlerOptions } from '../mississippi.options.js';
import { markClass } from './mark-class.js';

/** Marks handlers for Nest's discovery. */
export const MessageHandlerMark = DiscoveryService.createDecorator<MessageHandlerOptions>();

/**
 * Makes a class the message handler of an instance: a singleton provider that implements `DataUpdaterHandler`.
 * List it in the providers of any module.
 * @example
 * \@MessageHandler({ payload: FlightDto })
 * export class AirportHandler implements DataUpdaterHandler<Statistics, FlightDto> {
 *   init(): Statistics { return { departures: 0 }; }
 *   handleMessage(flight: FlightDto, state: Statistics) { return ack({ departures: state.departures + 1 }); }
 * }
 * @publicApi
 */
export function MessageHandler(options: MessageHandlerOptions = {}): ClassDecorator {
  return markClass('MessageHandler', MessageHandlerMark, options);
}
