import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ownFile } from './own-file.js';

/** Where Vite puts them, seen from the sources and from what is built of them. */
const FOLDER = new URL('../dist/client/', ownFile());

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
};

type Name = keyof typeof TYPES;

/** The page and what it loads, read when they are first asked for. */
export class ClientFiles {
  private readonly read = new Map<Name, { readonly plain: Buffer; readonly zipped: Buffer }>();

  /** @param base where the page's own files are, as the page sees it */
  page(exchange: Served, base: string): void {
    const html = this.file('index.html').plain.toString('utf8').replaceAll('"./', `"${base}`);
    this.respond(exchange, 'index.html', Buffer.from(html), undefined);
  }

  send(exchange: Served, name: Exclude<Name, 'index.html'>): void {
    const { plain, zipped } = this.file(name);
    const zips = /\bgzip\b/.test(exchange.request.headers['accept-encoding'] ?? '');
    exchange.response.setHeader('vary', 'accept-encoding');
    this.respond(exchange, name, zips ? zipped : plain, zips ? 'gzip' : undefined);
  }

  private respond({ response }: Served, name: Name, body: Buffer, encoding: string | undefined): void {
    response.setHeader('content-type', TYPES[name]);
    if (encoding !== undefined) response.setHeader('content-encoding', encoding);
    response.end(body);
  }

  private file(name: Name) {
    let file = this.read.get(name);
    if (file === undefined) {
      const plain = readFileSync(new URL(name, FOLDER));
      file = { plain, zipped: gzipSync(plain) };
      this.read.set(name, file);
    }
    return file;
  }
}

interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
