import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { NotRegisteredError } from './errors/index.js';
import { REGISTRATION } from './mississippi.module-definition.js';

/** Tells whoever imports `MississippiModule` as it is what to import. */
@Injectable()
export class RegistrationCheck implements OnModuleInit {
  constructor(@Optional() @Inject(REGISTRATION) private readonly registration: unknown) {}

  /** Not in the constructor: what a constructor throws, Nest logs and throws. */
  onModuleInit(): void {
    if (this.registration === undefined) throw NotRegisteredError.bare();
  }
}
