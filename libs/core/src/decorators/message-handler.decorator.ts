import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { MessageHandlerOptions } from '../mississippi.options.js';
import { INJECTABLE_WATERMARK } from '../nest.js';
import { checkObject } from '../options/validate-options.js';

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
  return (target) => {
    checkObject(`@MessageHandler(${target.name})`, options); // The mark would take null for no options at all.
    // A second Injectable() would hide the scope of the first, which is refused at the start of the app.
    if (!Reflect.hasOwnMetadata(INJECTABLE_WATERMARK, target)) Injectable()(target);
    MessageHandlerMark(options)(target);
  };
}
