/** How to reach a Kafka cluster, from the options of the server or of a connection. */
import { type ConnectionOptions, loadNativeCRC32C } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import {
  choiceOption,
  invalidOption,
  numberOption,
  type Options,
  requiredOption,
} from '../options.ts';
import { type Codec, codecs } from './record-encoder.ts';

export interface KafkaOptions {
  readonly bootstrap: readonly BrokerAddress[];
  readonly clientId: string;
  readonly sasl: ConnectionOptions['sasl'];
  readonly tls: ConnectionOptions['tls'];
  readonly compression: Codec;
  /** 'read_committed' hides records of open and of aborted transactions. */
  readonly isolation: 'read_committed' | 'read_uncommitted';
  readonly checkCrcs: boolean;
  /** How long a call by a user waits for the cluster before it fails. */
  readonly callTimeoutMs: number;
  /** How soon a new partition, or a topic that came back, is noticed without any fault. */
  readonly metadataRefreshMs: number;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 9092;
const milliseconds = { min: 1, max: 600_000, integer: true };

const protocols = {
  plaintext: { tls: false, sasl: false },
  ssl: { tls: true, sasl: false },
  sasl_plaintext: { tls: false, sasl: true },
  sasl_ssl: { tls: true, sasl: true },
} as const;
type Protocol = keyof typeof protocols;
const protocolNames = Object.keys(protocols) as Protocol[];

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const mechanismNames = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/**
 * | option                             | as in Kafka's clients; default                             |
 * | ---------------------------------- | ---------------------------------------------------------- |
 * | bootstrap.servers                  | required: HOST:PORT[,…]                                    |
 * | client.id                          | millrace                                                   |
 * | security.protocol                  | plaintext, ssl, sasl_plaintext, sasl_ssl; plaintext        |
 * | sasl.mechanism                     | plain, scram-sha-256, scram-sha-512                        |
 * | sasl.username, sasl.password       | required with SASL                                         |
 * | ssl.ca                             | PEM text of the authorities to trust; those of the system  |
 * | ssl.certificate, ssl.key           | PEM text, for client authentication                        |
 * | compression.type                   | none, gzip, snappy, lz4, zstd; none                        |
 * | isolation.level                    | read_committed, read_uncommitted; read_committed           |
 * | check.crcs                         | true, false; true where the native checksum is installed   |
 * | default.api.timeout.ms             | how long a call waits for the cluster; 15000               |
 * | metadata.max.age.ms                | how soon new partitions are noticed; 5000                  |
 *
 * @throws StreamError SQL_INVALID_OPTION naming the option.
 */
export function parseKafkaOptions(options: Options): KafkaOptions {
  const protocol = choiceOption(options, 'security.protocol', protocolNames) ?? 'plaintext';
  return {
    bootstrap: parseBootstrap(requiredOption(options, 'bootstrap.servers')),
    clientId: options.get('client.id') ?? 'millrace',
    sasl: protocols[protocol].sasl ? parseSasl(options) : undefined,
    tls: protocols[protocol].tls ? parseTls(options) : undefined,
    compression: choiceOption(options, 'compression.type', codecs) ?? 'none',
    isolation:
      choiceOption(options, 'isolation.level', ['read_committed', 'read_uncommitted'] as const) ??
      'read_committed',
    checkCrcs:
      (choiceOption(options, 'check.crcs', ['true', 'false'] as const) ??
        String(loadNativeCRC32C() !== null)) === 'true',
    callTimeoutMs: numberOption(options, 'default.api.timeout.ms', 15_000, milliseconds),
    metadataRefreshMs: numberOption(options, 'metadata.max.age.ms', 5000, milliseconds),
  };
}

function parseBootstrap(text: string): BrokerAddress[] {
  return text.split(',').map((item) => {
    const match = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(item.trim());
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3] ?? DEFAULT_PORT);
    if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
    throw invalidOption('bootstrap.servers', text, 'HOST:PORT, several separated by commas');
  });
}

function parseSasl(options: Options): ConnectionOptions['sasl'] {
  const mechanism = choiceOption(options, 'sasl.mechanism', mechanisms);
  if (mechanism === undefined) {
    throw new StreamError('SQL_INVALID_OPTION', 'option "sasl.mechanism" is required', {
      hint: `One of ${mechanisms.join(', ')}.`,
    });
  }
  return {
    mechanism: mechanismNames[mechanism],
    username: requiredOption(options, 'sasl.username'),
    password: requiredOption(options, 'sasl.password'),
  };
}

function parseTls(options: Options): ConnectionOptions['tls'] {
  const ca = options.get('ssl.ca');
  const cert = options.get('ssl.certificate');
  const key = options.get('ssl.key');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
