/** Where each tenant wants its webhooks. In an app of yours, a table. */
export class Endpoints {
  constructor(private readonly urls: Readonly<Record<string, string>>) {}

  /** `undefined` for a tenant that wants none. */
  urlOf(tenant: string): string | undefined {
    return this.urls[tenant];
  }
}
