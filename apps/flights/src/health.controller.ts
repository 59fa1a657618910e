import { MississippiHealthIndicator } from '@mississippi/terminus';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';

/** How long a flight may be under way. Milliseconds. */
const MAX_WITHOUT_PROGRESS = 30_000;

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly mississippi: MississippiHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  async check(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.mississippi.check('mississippi', { maxWithoutProgress: MAX_WITHOUT_PROGRESS }),
    ]);
  }
}
