/**
 * Connections to brokers, one per broker and lane. A broker answers the requests of a connection one after the other, so
 * what may wait long (a fetch, a write that waits for replicas) has a lane of its own.
 */
import { Connection, type Writer } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type { BrokerAddress, KafkaOptions } from './options.ts';
import { WireReader } from './wire.ts';

const CONNECT_TIMEOUT_MS = 3000;
/** A broker that answers nothing for so long is treated as gone. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than a broker waits for replicas (PRODUCE_TIMEOUT_MS of the producer). */
const PRODUCE_REQUEST_TIMEOUT_MS = 20_000;

export type Lane = 'control' | 'read' | 'produce' | `fetch-${number}`;

export class Connections {
  readonly #options: KafkaOptions;
  readonly #open = new Map<string, Promise<Connection>>();
  #closed = false;

  constructor(options: KafkaOptions) {
    this.#options = options;
  }

  /** An open connection, made when there is none; rejects when the broker cannot be reached. */
  get(broker: BrokerAddress, lane: Lane): Promise<Connection> {
    const key = `${broker.host}:${broker.port}/${lane}`;
    const existing = this.#open.get(key);
    if (existing !== undefined) return existing;
    const made = this.#connect(broker, lane, () => {
      if (this.#open.get(key) === made) this.#open.delete(key);
    });
    this.#open.set(key, made);
    return made;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const connection of await Promise.allSettled(open)) {
      if (connection.status === 'fulfilled') await connection.value.close();
    }
  }

  async #connect(broker: BrokerAddress, lane: Lane, forget: () => void): Promise<Connection> {
    const { clientId, sasl, tls } = this.#options;
    const connection = new Connection(clientId, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: lane === 'produce' ? PRODUCE_REQUEST_TIMEOUT_MS : REQUEST_TIMEOUT_MS,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls, tlsServerName: true }),
    });
    // A failing request tells its caller; here a broken connection is only put away.
    connection.on('error', forget);
    connection.on('close', forget);
    try {
      if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the Kafka client is closed');
      await connection.connect(broker.host, broker.port);
    } catch (error) {
      forget();
      throw error;
    }
    if (this.#closed) {
      await connection.close();
      throw new StreamError('SHUTTING_DOWN', 'the Kafka client is closed');
    }
    return connection;
  }
}

/** Sends one request of a flexible version and reads the answer's body with `parse`, as contiguous bytes. */
export function request<T>(
  connection: Connection,
  apiKey: number,
  apiVersion: number,
  body: () => Writer,
  parse: (reader: WireReader) => T,
): Promise<T> {
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
