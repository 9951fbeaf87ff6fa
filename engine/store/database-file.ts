/** Opening the DuckDB database of a data directory, for this process alone. */
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import duckdb from '@duckdb/node-bindings';
import { StreamError } from '../../sql/base/error.ts';

export interface DatabaseOptions {
  /** Data directory, created when missing; ':memory:' keeps everything in memory. */
  readonly path: string;
  /** Bytes that DuckDB may use for tables in memory, sorting and joining; more spills to the data directory. */
  readonly memoryBytesMax: number;
  /** Threads that one statement may use. Small statements are as fast with one. */
  readonly threads: number;
}

/** A commit that leaves a write-ahead log larger than this writes it into the data file itself, and takes that much longer. */
const WAL_BYTES_MAX = 256 * 1024 * 1024;

export const DATABASE_FILE = 'millrace.duckdb';

/** DuckDB locks its file against other processes only, so this process keeps its own list. */
const openFiles = new Set<string>();

export class DatabaseFile {
  readonly database: duckdb.Database;
  /** Undefined for a database in memory. */
  readonly #file: string | undefined;

  private constructor(database: duckdb.Database, file: string | undefined) {
    this.database = database;
    this.#file = file;
  }

  /** @throws StreamError STORE_FAILED when the directory cannot be used or is in use. */
  static async open(options: DatabaseOptions): Promise<DatabaseFile> {
    const config = duckdb.create_config();
    const set = (name: string, value: string | number) =>
      duckdb.set_config(config, name, String(value));
    set('threads', options.threads);
    set('memory_limit', `${Math.ceil(options.memoryBytesMax / 1024)}KiB`);
    set('checkpoint_threshold', `${WAL_BYTES_MAX / 1024}KiB`);
    set('autoinstall_known_extensions', 'false');
    set('autoload_known_extensions', 'false');
    if (options.path === ':memory:') {
      // It would spill to the working directory.
      set('temp_directory', '');
      return new DatabaseFile(await duckdb.open(':memory:', config), undefined);
    }
    const file = prepareDirectory(options.path);
    if (openFiles.has(file)) {
      throw inUse(options.path, 'This process serves it, or has not let go of it.');
    }
    openFiles.add(file);
    try {
      return new DatabaseFile(await duckdb.open(file, config), file);
    } catch (cause) {
      openFiles.delete(file);
      const text = cause instanceof Error ? cause.message : String(cause);
      if (/conflicting lock|could not set lock/i.test(text)) {
        const hint =
          'Another millrace process serves it; stop that one or start this one with another --data.';
        throw inUse(options.path, hint, cause);
      }
      throw new StreamError(
        'STORE_FAILED',
        `the data directory ${options.path} cannot be opened: ${text}`,
        { cause },
      );
    }
  }

  get isInMemory(): boolean {
    return this.#file === undefined;
  }

  /** Bytes of the write-ahead log; 0 in memory. */
  walBytes(): number {
    return this.#file === undefined ? 0 : fileBytes(`${this.#file}.wal`);
  }

  /** Bytes of the data file and its write-ahead log; undefined in memory. */
  diskBytes(): number | undefined {
    return this.#file === undefined ? undefined : fileBytes(this.#file) + this.walBytes();
  }

  /**
   * DuckDB closes a database when nothing refers to it any more, and then empties its write-ahead log. A log that is still there says
   * that something does; so this process does not open the file again: two databases would write over each other.
   */
  close(): void {
    duckdb.close_sync(this.database);
    if (this.#file !== undefined && this.walBytes() === 0) openFiles.delete(this.#file);
  }
}

function prepareDirectory(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    return join(realpathSync(path), DATABASE_FILE);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new StreamError('STORE_FAILED', `the data directory ${path} cannot be used: ${text}`, {
      cause,
    });
  }
}

function inUse(path: string, hint: string, cause?: unknown): StreamError {
  return new StreamError('STORE_FAILED', `the data directory ${path} is in use`, { hint, cause });
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
