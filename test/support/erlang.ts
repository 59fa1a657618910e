import type { BrokerNode } from './rabbitmq-node.js';

/** A client inside the broker, with `Channel` open. */
const CLIENT = `
  {ok, _} = application:ensure_all_started(amqp_client),
  {ok, Connection} = amqp_connection:start({amqp_params_direct, none, none, <<"/">>, node(), none, []}),
  {ok, Channel} = amqp_connection:open_channel(Connection),
`;

/** A message as Erlang read it out of a queue. */
export interface ReadByErlang {
  readonly body: string;
  /** Index of the queue. */
  readonly queue: number;
  /** AMQP's type of the key's header, as Erlang names it: `longstr` is `S`. */
  readonly keyType: string;
  /** Whether `binary_to_term` of it is the term that was expected, in value and type. */
  readonly keyIsTerm: boolean;
  /** Names of the properties that are set. */
  readonly properties: readonly string[];
  readonly deliveryMode: number;
  readonly messageId: string;
  readonly timestamp: number;
  /** The property `type`; the text `undefined` where there is none. */
  readonly type: string;
  /** The other headers: name, type, value as Erlang prints it. */
  readonly headers: readonly (readonly [name: string, type: string, value: string])[];
}

/**
 * Publishes one message for each term, as Mississippi for Elixir does: to the queue `phash2(Key, TotalCount)`, with
 * `term_to_binary(Key)` as a header. The body is the term's index.
 * @param terms in Erlang's own notation
 */
export function publishFromErlang(
  node: BrokerNode,
  prefix: string,
  totalCount: number,
  terms: readonly string[],
  headerType: 'longstr' | 'binary' = 'longstr',
): void {
  const last = node.eval(`${CLIENT}
    amqp_channel:call(Channel, {'confirm.select', false}),
    lists:foreach(fun({Index, Term}) ->
      Queue = <<"${prefix}", (integer_to_binary(erlang:phash2(Term, ${totalCount})))/binary>>,
      Headers = [{<<"sharding_key">>, ${headerType}, term_to_binary(Term)}],
      Properties = {'P_basic', undefined, undefined, Headers, 2, undefined, undefined, undefined, undefined,
        integer_to_binary(Index), erlang:system_time(second), undefined, undefined, undefined, undefined},
      Message = {amqp_msg, Properties, integer_to_binary(Index)},
      ok = amqp_channel:call(Channel, {'basic.publish', 0, <<>>, Queue, true, false}, Message)
    end, lists:zip(lists:seq(0, ${terms.length - 1}), [${terms.join(',')}])),
    Confirmed = amqp_channel:wait_for_confirms(Channel, 30),
    amqp_connection:close(Connection),
    Confirmed.`);
  if (last !== 'true') throw new Error(`Erlang's messages were not confirmed: ${last}`);
}

/** A message whose parts are given in Erlang's own notation. */
export interface ErlangMessage {
  /** A list of `{Name, Type, Value}`, or `undefined`. */
  readonly headers: string;
  readonly messageId?: string;
  readonly timestamp?: string;
  readonly type?: string;
  readonly body: string;
}

/** Publishes what no client would let through. */
export function publishRawFromErlang(node: BrokerNode, queue: string, message: ErlangMessage): void {
  const { headers, messageId = 'undefined', timestamp = 'undefined', type = 'undefined', body } = message;
  node.eval(`${CLIENT}
    Properties = {'P_basic', undefined, undefined, ${headers}, 2, undefined, undefined, undefined, undefined,
      ${messageId}, ${timestamp}, ${type}, undefined, undefined, undefined},
    amqp_channel:call(Channel, {'confirm.select', false}),
    ok = amqp_channel:call(Channel, {'basic.publish', 0, <<>>, <<"${queue}">>, true, false},
      {amqp_msg, Properties, ${body}}),
    true = amqp_channel:wait_for_confirms(Channel, 30),
    amqp_connection:close(Connection).`);
}

/** Takes every message out of the queues of a prefix. A body is the index of its term among `terms`. */
export function readInErlang(
  node: BrokerNode,
  prefix: string,
  totalCount: number,
  terms: readonly string[],
): ReadByErlang[] {
  return evalJson(
    node,
    `${CLIENT}
    Terms = list_to_tuple([${terms.join(',')}]),
    Names = [content_type, content_encoding, headers, delivery_mode, priority, correlation_id, reply_to, expiration,
      message_id, timestamp, type, user_id, app_id, cluster_id],
    Describe = fun(Queue, {amqp_msg, Properties, Body}) ->
      Fields = maps:from_list(lists:zip(Names, tl(tuple_to_list(Properties)))),
      Headers = maps:get(headers, Fields),
      {_, KeyType, Key} = lists:keyfind(<<"sharding_key">>, 1, Headers),
      #{body => Body, queue => Queue, keyType => KeyType,
        keyIsTerm => binary_to_term(Key) =:= element(binary_to_integer(Body) + 1, Terms),
        properties => [Name || Name <- Names, maps:get(Name, Fields) =/= undefined],
        deliveryMode => maps:get(delivery_mode, Fields), messageId => maps:get(message_id, Fields),
        timestamp => maps:get(timestamp, Fields), type => maps:get(type, Fields),
        headers => [[Name, Type, iolist_to_binary(io_lib:format("~0p", [Value]))]
          || {Name, Type, Value} <- Headers, Name =/= <<"sharding_key">>]}
    end,
    Read = fun Read(Queue, Found) ->
      Name = <<"${prefix}", (integer_to_binary(Queue))/binary>>,
      case amqp_channel:call(Channel, {'basic.get', 0, Name, true}) of
        {{'basic.get_ok', _, _, _, _, _}, Message} -> Read(Queue, [Describe(Queue, Message) | Found]);
        {'basic.get_empty', _} -> lists:reverse(Found)
      end
    end,
    Found = [Message || Queue <- lists:seq(0, ${totalCount - 1}), Message <- Read(Queue, [])],
    amqp_connection:close(Connection),
    Found`,
  ) as ReadByErlang[];
}

/** The value of an Erlang expression that JSON can carry: maps, lists, binaries, atoms, numbers. */
export function evalJson(node: BrokerNode, expression: string): unknown {
  const printed = node.eval(`base64:encode(iolist_to_binary(rabbit_json:encode(begin ${expression} end))).`);
  // A long binary is printed as several strings.
  const text = Buffer.from(printed.replaceAll(/[^A-Za-z0-9+/=]/g, ''), 'base64').toString();
  return JSON.parse(text);
}

/** Bytes in Erlang's notation. */
export function binaryTerm(bytes: Uint8Array): string {
  return `<<${[...bytes].join(',')}>>`;
}
