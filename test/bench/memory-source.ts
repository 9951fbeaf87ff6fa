/** connector = 'memory': record batches made beforehand, let through up to a mark, so that only the engine is measured. */
import type {
  Offset,
  RecordBatch,
  SourceConnector,
  SourceReader,
} from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';

export class MemorySource {
  readonly #batches: readonly RecordBatch[];
  readonly #listeners = new Set<() => void>();
  /** Records at or above this offset are not at hand yet. */
  #mark: Offset = 0;

  constructor(batches: readonly RecordBatch[]) {
    this.#batches = batches;
  }

  get records(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  /** Lets whole batches through until at least `records` are out; gives the new mark. */
  release(records: number): Offset {
    let mark = 0;
    for (const batch of this.#batches) {
      if (mark >= records) break;
      mark += batch.length;
    }
    this.#mark = mark;
    for (const listener of this.#listeners) listener();
    return mark;
  }

  open(from: Offset): SourceReader {
    let next = from;
    let listen: (() => void) | undefined;
    return {
      partitions: () => 1,
      poll: (bytesMax, except) => {
        if (except?.has(0) === true) return [];
        const taken: RecordBatch[] = [];
        let bytes = 0;
        let base = 0;
        for (const batch of this.#batches) {
          if (base + batch.length > this.#mark || bytes >= bytesMax) break;
          if (base >= next) {
            taken.push(batch);
            bytes += batch.bytes.length;
            next = base + batch.length;
          }
          base += batch.length;
        }
        return taken;
      },
      onReadable: (listener) => {
        listen = listener;
        this.#listeners.add(listener);
      },
      endOffsets: async () => new Map([[0, this.#mark]]),
      fault: () => undefined,
      close: async () => {
        if (listen !== undefined) this.#listeners.delete(listen);
      },
    };
  }
}

/** @param sources  by the option `name`. */
export function memoryConnector(sources: ReadonlyMap<string, MemorySource>): SourceConnector {
  const find = (options: ReadonlyMap<string, string>): MemorySource => {
    const source = sources.get(options.get('name') ?? '');
    if (source === undefined) throw new StreamError('SQL_INVALID_OPTION', 'no such memory source');
    return source;
  };
  return {
    type: 'memory',
    schema: () => undefined,
    validate: (options) => {
      find(options);
    },
    open: async (options, _schema, from) => find(options).open(from.offsets.get(0) ?? 0),
  };
}
