import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Provider, Type } from '@nestjs/common';

const entry = createRequire(import.meta.url).resolve('@nestjs/core');
const manifest = readFileSync(join(dirname(entry), 'package.json'), 'utf8');
const [major = 0, minor = 0] = (JSON.parse(manifest) as { version: string }).version.split('.').map(Number);

/**
 * What Nest does since 12.2.0 and not before: it makes the enhancers of a class that is provided under another token,
 * warns about a `ValidationPipe` that does not know the class, and takes an override by `undefined`.
 */
export const SINCE_12_2 = major > 12 || (major === 12 && minor >= 2);

/** A row for tests of enhancers; before, such a handler is refused, see `scoped-enhancers.spec.ts`. */
export function underToken(useClass: Type): [string, Provider][] {
  return SINCE_12_2 ? [['at a class under a token of its own', { provide: 'HANDLER', useClass }]] : [];
}
