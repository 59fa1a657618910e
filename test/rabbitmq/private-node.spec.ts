import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evalJson } from '../support/erlang.js';
import { answersAt, otherAddresses } from '../support/listeners.js';
import { RabbitMqNode } from '../support/rabbitmq-node.js';
import { GIVEN_BINARIES, program, searchPath } from '../support/rabbitmq-programs.js';

/** Addresses of all sockets of whoever asks the node something in this moment. */
const OF_WHOEVER_ASKS = `[list_to_binary(inet:ntoa(Address)) || Asking <- nodes(hidden),
  Port <- rpc:call(Asking, erlang, ports, []),
  {name, "tcp_inet"} <- [rpc:call(Asking, erlang, port_info, [Port, name])],
  {ok, {Address, _}} <- [rpc:call(Asking, inet, sockname, [Port])]]`;

describe('a node of the tests', () => {
  let node: RabbitMqNode | undefined;

  afterEach(async () => {
    await node?.stop();
    node = undefined;
  });

  test('is reached from this machine only: its clients, its port mapper, other Erlang nodes, and whoever commands it', async () => {
    node = await RabbitMqNode.start();
    const { port, env } = node.handle;
    const ports = [port, Number(env['ERL_EPMD_PORT']), Number(env['RABBITMQ_DIST_PORT'])];
    const addresses = otherAddresses();
    expect(addresses).not.toEqual([]);
    for (const one of ports) {
      expect(await answersAt('127.0.0.1', one)).toBe(true);
      for (const address of addresses)
        expect([address, one, await answersAt(address, one)]).toEqual([address, one, false]);
    }
    expect(new Set(evalJson(node, OF_WHOEVER_ASKS) as string[])).toEqual(new Set(['127.0.0.1']));
  });

  test('is of the release whose folder is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mississippi-release-'));
    const calls = join(folder, 'calls');
    for (const name of ['rabbitmq-server', 'rabbitmqctl']) {
      const script = join(folder, name);
      writeFileSync(script, `#!/bin/sh\necho ${name} >>'${calls}'\nexec '${program(name)}' "$@"\n`);
      chmodSync(script, 0o755);
    }
    const before = process.env;
    process.env = { ...before, PATH: searchPath(), [GIVEN_BINARIES]: folder };
    try {
      node = await RabbitMqNode.start();
      expect(new Set(readFileSync(calls, 'utf8').trim().split('\n'))).toEqual(
        new Set(['rabbitmq-server', 'rabbitmqctl']),
      );
      rmSync(join(folder, 'rabbitmqctl'));
      expect(() => node!.ctl('version')).toThrow(`There is no rabbitmqctl in ${folder}: ${GIVEN_BINARIES} must name`);
    } finally {
      process.env = before;
      rmSync(folder, { recursive: true });
    }
  });
});
