import type { ValidationError } from 'class-validator';
import { PayloadDecodeError, PayloadInvalidError } from '../errors/index.js';
import { isObject } from '../is-object.js';
import type { PayloadClassOptions } from '../options/payload-class.options.js';
import { loadClassPackages, type ClassPackages } from './class-packages.js';
import type { PayloadCheck } from './payload-check.js';
import { RefusedPayload } from './refused-payload.js';

/** Turns payloads into instances of a class by class-transformer, and has class-validator check them. */
export class ClassCheck implements PayloadCheck {
  private readonly type;
  private readonly transformOptions;
  private readonly validatorOptions;
  private packages: ClassPackages | undefined;
  private validates = false;

  constructor({ class: type, transformOptions = {}, ...validatorOptions }: PayloadClassOptions) {
    this.type = type;
    this.transformOptions = transformOptions;
    this.validatorOptions = { forbidUnknownValues: true, ...validatorOptions };
  }

  /** @throws {MissingPackageError} */
  async load(): Promise<void> {
    this.packages = await loadClassPackages(this.type.name);
    const storage = this.packages.validator.getMetadataStorage();
    // Without a single validator class-validator would refuse everything; such a class only transforms.
    this.validates = storage.getTargetValidationMetadatas(this.type, '', false, false).length > 0;
  }

  async check(payload: unknown): Promise<object> {
    const { type } = this;
    const { transformer, validator } = this.packages!;
    if (payload instanceof type) payload = { ...payload };
    if (!isObject(payload)) throw new RefusedPayload(new PayloadInvalidError(type.name, ['an object was expected']));
    let instance: object;
    try {
      instance = transformer.plainToInstance(type, payload, this.transformOptions) as object;
    } catch (error) {
      throw new RefusedPayload(new PayloadDecodeError(error));
    }
    if (!this.validates) return instance;
    // Asynchronous on purpose: the synchronous variant skips a class's asynchronous validators without a word.
    const errors = await validator.validate(instance, this.validatorOptions);
    if (errors.length > 0) {
      const found = errors.flatMap((error) => problems('', error));
      throw new RefusedPayload(new PayloadInvalidError(type.name, found));
    }
    return instance;
  }
}

function problems(path: string, error: ValidationError): string[] {
  const own = Object.values(error.constraints ?? {}).map((text) => path + text);
  return own.concat((error.children ?? []).flatMap((child) => problems(`${path}${error.property}.`, child)));
}
