import { Controller, Get, Inject, Post, Req, Res, type Type, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { DashboardSettings } from './dashboard.options.js';
import { DashboardSite } from './dashboard.site.js';
import { exchangeOf } from './http/exchange.js';

/** A controller of its own for each dashboard: Nest takes the path and the guards from the class. */
export function controllerFor({ path, guards }: DashboardSettings): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class MississippiDashboardController {
    constructor(@Inject(DashboardSite) private readonly site: DashboardSite) {}

    @Get()
    page(@Req() request: unknown, @Res() response: unknown): void {
      this.site.page(exchangeOf(request, response));
    }

    @Get('app.js')
    script(@Req() request: unknown, @Res() response: unknown): void {
      this.site.file(exchangeOf(request, response), 'app.js');
    }

    @Get('app.css')
    style(@Req() request: unknown, @Res() response: unknown): void {
      this.site.file(exchangeOf(request, response), 'app.css');
    }

    @Get('api/hello')
    hello(@Req() request: unknown, @Res() response: unknown): void {
      this.site.hello(exchangeOf(request, response));
    }

    @Get('api/live')
    live(@Req() request: unknown, @Res() response: unknown): void {
      this.site.watch(exchangeOf(request, response));
    }

    @Get('api/:look')
    look(@Req() request: unknown, @Res() response: unknown): void {
      this.site.look(exchangeOf(request, response));
    }

    @Post('api/actions/:action')
    act(@Req() request: unknown, @Res() response: unknown): void {
      this.site.act(exchangeOf(request, response));
    }
  }
  return MississippiDashboardController;
}
