import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Flight } from './flight.js';

const FILE = 'flights-20k.json';

/**
 * 20,000 flights of US airlines from January to March 2001 (US Bureau of Transportation Statistics, in the package
 * vega-datasets), in order of departure, each with its place in the file.
 */
export async function readFlights(): Promise<readonly Flight[]> {
  // The package exports its entry point only, so the data is found from there.
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const text = await readFile(path.join(path.dirname(entry), '..', 'data', FILE), 'utf8');
  const flights = JSON.parse(text) as Omit<Flight, 'row'>[];
  return flights.map((flight, index) => ({ row: index + 1, ...flight }));
}
