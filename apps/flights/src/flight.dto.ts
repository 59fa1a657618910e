import { IsInt, Matches, Min } from 'class-validator';
import { AIRPORT_CODE, type Flight } from './flight.js';

/** A flight as the handler gets it: the library validates every payload before. */
export class FlightDto implements Flight {
  @IsInt()
  @Min(1)
  row!: number;

  @Matches(/^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}$/)
  date!: string;

  @IsInt()
  delay!: number;

  @IsInt()
  @Min(0)
  distance!: number;

  @Matches(AIRPORT_CODE)
  origin!: string;

  @Matches(AIRPORT_CODE)
  destination!: string;
}
