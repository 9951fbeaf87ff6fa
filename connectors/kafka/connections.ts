/**
 * Connections to brokers, one per broker and lane. A broker answers the requests of a connection one after the other, so
 * what may wait long (a fetch, a write that waits for replicas) has a lane of its own.
 */
import { isIP } from 'node:net';
import { Connection, type Writer } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type { BrokerAddress, KafkaOptions } from './options.ts';
import { PlainConnection } from './plain-connection.ts';
import { WireReader } from './wire.ts';

const CONNECT_TIMEOUT_MS = 3000;
/** A broker that answers nothing for so long is treated as gone. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than a broker waits for replicas (PRODUCE_TIMEOUT_MS of the producer). */
const PRODUCE_REQUEST_TIMEOUT_MS = 20_000;

/** Requests of the client's own API go over these. */
export type Lane = 'control' | 'produce';
/** Fetches go over these. */
export type FetchLaneName = 'read' | `fetch-${number}`;

export type FetchConnection = Connection | PlainConnection;

export class Connections {
  readonly #options: KafkaOptions;
  readonly #open = new Map<string, Promise<Connection>>();
  readonly #openForFetch = new Map<string, Promise<FetchConnection>>();
  #closed = false;

  constructor(options: KafkaOptions) {
    this.#options = options;
  }

  /** An open connection, made when there is none; rejects when the broker cannot be reached. */
  get(broker: BrokerAddress, lane: Lane): Promise<Connection> {
    return this.#share(this.#open, broker, lane, (forget) => this.#connect(broker, lane, forget));
  }

  /** The same for fetches; without TLS and SASL they go over a connection of our own. */
  getForFetch(broker: BrokerAddress, lane: FetchLaneName): Promise<FetchConnection> {
    const { clientId, sasl, tls } = this.#options;
    return this.#share(this.#openForFetch, broker, lane, (forget) => {
      if (sasl !== undefined || tls !== undefined) return this.#connect(broker, lane, forget);
      return PlainConnection.open(broker, {
        clientId,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        onClose: forget,
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values(), ...this.#openForFetch.values()];
    this.#open.clear();
    this.#openForFetch.clear();
    for (const connection of await Promise.allSettled(open)) {
      if (connection.status === 'fulfilled') await connection.value.close();
    }
  }

  /** One connection per broker and lane; a failed or closed one makes room for the next. */
  #share<T extends FetchConnection>(
    open: Map<string, Promise<T>>,
    broker: BrokerAddress,
    lane: string,
    connect: (forget: () => void) => Promise<T>,
  ): Promise<T> {
    const key = `${broker.host}:${broker.port}/${lane}`;
    const existing = open.get(key);
    if (existing !== undefined) return existing;
    if (this.#closed) return Promise.reject(closing());
    const forget = (): void => {
      if (open.get(key) === made) open.delete(key);
    };
    const made: Promise<T> = connect(forget).then(
      async (connection) => {
        if (!this.#closed) return connection;
        await connection.close();
        throw closing();
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    open.set(key, made);
    return made;
  }

  async #connect(broker: BrokerAddress, lane: string, forget: () => void): Promise<Connection> {
    const { clientId, sasl, tls } = this.#options;
    const connection = new Connection(clientId, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: lane === 'produce' ? PRODUCE_REQUEST_TIMEOUT_MS : REQUEST_TIMEOUT_MS,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls, tlsServerName: isIP(broker.host) === 0 }),
    });
    // A failing request tells its caller; here a broken connection is only put away.
    connection.on('error', forget);
    connection.on('close', forget);
    await connection.connect(broker.host, broker.port);
    return connection;
  }
}

/** Sends one request of a flexible version and reads the answer's body with `parse`, as contiguous bytes. */
export function request<T>(
  connection: FetchConnection,
  apiKey: number,
  apiVersion: number,
  body: () => Writer,
  parse: (reader: WireReader) => T,
): Promise<T> {
  if (connection instanceof PlainConnection) {
    return connection.request(apiKey, apiVersion, body(), parse);
  }
  return new Promise((resolve, reject) => {
    connection.send<T>(
      apiKey,
      apiVersion,
      body,
      (_correlationId, _apiKey, _apiVersion, reader) => parse(new WireReader(reader.buffer.buffer)),
      true,
      true,
      (error, answer) => {
        if (error === null) resolve(answer as T);
        else reject(error);
      },
    );
  });
}

function closing(): StreamError {
  return new StreamError('SHUTTING_DOWN', 'the Kafka client is closed');
}
