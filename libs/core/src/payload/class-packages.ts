import { MissingPackageError } from '../errors/index.js';

/** What a payload class is made and checked with. Both are optional peers: an app without payload classes needs neither. */
export interface ClassPackages {
  readonly transformer: typeof import('class-transformer');
  readonly validator: typeof import('class-validator');
}

const IMPORTS = {
  'class-transformer': () => import('class-transformer'),
  'class-validator': () => import('class-validator'),
};

/**
 * @param className the payload class, for the error
 * @throws {MissingPackageError} where they are not installed
 */
export async function loadClassPackages(className: string, imports = IMPORTS): Promise<ClassPackages> {
  const missing: string[] = [];
  const load = <T>(name: keyof typeof IMPORTS, found: Promise<T>): Promise<T | undefined> =>
    found.catch((error: unknown) => {
      if (!isNotInstalled(error, name)) throw error;
      missing.push(name);
      return undefined;
    });
  const transformer = await load('class-transformer', imports['class-transformer']());
  const validator = await load('class-validator', imports['class-validator']());
  if (transformer === undefined || validator === undefined) throw new MissingPackageError(className, missing);
  return { transformer, validator };
}

/** Node names the package that it looked for, in quotes. A package that is there and fails to load has another error. */
function isNotInstalled(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false;
  return /^(ERR_)?MODULE_NOT_FOUND$/.test(String(Reflect.get(error, 'code'))) && error.message.includes(`'${name}'`);
}
