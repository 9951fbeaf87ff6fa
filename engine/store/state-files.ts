/**
 * The files of operator state in a data directory: `state/log-N`, one frame an epoch with what went into the operators, and
 * `state/node-N-E`, the whole state of graph node N as it was after epoch E. They say nothing by themselves: which of them
 * count, and how far, stands in the store's transactions (store.ts, EpochState), so that files and rows agree at any moment;
 * everything else is left over from a crash and is removed.
 */
import { join } from 'node:path';
import { StreamError } from '../../sql/base/error.ts';
import { type Disk, machineDisk } from './disk.ts';
import {
  FILE_HEADER_BYTES,
  type Frame,
  FramedFileReader,
  FramedFileWriter,
} from './framed-file.ts';

/** How far the log is valid: the last file's number, and where its last frame ends. */
export interface LogPosition {
  readonly file: number;
  readonly bytes: number;
}

/** The number of the frame after which a log goes on in the next file. */
const END_OF_FILE = -1;

const LOG_NAME = /^log-(\d+)$/;

export class StateFiles {
  readonly directory: string;
  readonly #disk: Disk;
  #log: FramedFileWriter | undefined;
  #position: LogPosition | undefined;
  /** Log writes run one after another. */
  #tail: Promise<unknown> = Promise.resolve();

  /** @param dataDirectory  the store's; it exists. */
  constructor(dataDirectory: string, disk: Disk = machineDisk) {
    this.#disk = disk;
    this.directory = join(dataDirectory, 'state');
  }

  // --------------------------------------------------------------------- log

  /** Frames of all files from number `first` on, up to `to`. @throws StreamError STATE_DAMAGED */
  *readLog(first: number, to: LogPosition): Generator<Frame> {
    for (let file = first; file <= to.file; file++) {
      const isLast = file === to.file;
      const reader = new FramedFileReader(
        this.#disk,
        this.#logPath(file),
        'LOG ',
        isLast ? to.bytes : undefined,
      );
      try {
        let isEnded = isLast;
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          isEnded = isLast || frame.number === END_OF_FILE;
          if (frame.number !== END_OF_FILE) yield frame;
          else if (isLast) throw reader.damaged('it ends before its last frame');
          else break;
        }
        if (!isEnded) throw reader.damaged('frames at its end are missing');
      } finally {
        reader.close();
      }
    }
  }

  /**
   * Refuses a database that has lost commits which were acknowledged. An epoch is logged only when the one before is committed, so
   * that of two frames behind the position of the last commit, the first one was committed too; a file of the log is
   * removed only when a commit says so.
   * @throws StreamError STORE_LOST_COMMITS
   */
  async refuseLostCommits(at: LogPosition): Promise<void> {
    const names = await this.#disk.list(this.directory);
    const files = names.map((name) => Number(LOG_NAME.exec(name)?.[1] ?? Number.NaN));
    const later = files.filter((file) => file >= at.file).sort((a, b) => a - b);
    const isGone = later.length > 0 && !later.includes(at.file);
    for (const file of later) {
      const start = file === at.file ? at.bytes : FILE_HEADER_BYTES;
      const frames = this.#framesFrom(file, start);
      if (frames < 2 && !isGone) continue;
      throw new StreamError(
        'STORE_LOST_COMMITS',
        `the database ends before commits that the log of operator state has: ${join(this.directory, `log-${file}`)} goes on behind byte ${start}`,
        {
          hint: 'millrace.duckdb or its write-ahead log is older than state/: put back the one that belongs to it, or restore a backup.',
        },
      );
    }
  }

  /** Whole frames of epochs; what follows them is of a write that was cut off. */
  #framesFrom(file: number, start: number): number {
    let count = 0;
    try {
      const reader = new FramedFileReader(
        this.#disk,
        this.#logPath(file),
        'LOG ',
        undefined,
        start,
      );
      try {
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          if (frame.number !== END_OF_FILE) count++;
        }
      } finally {
        reader.close();
      }
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
    }
    return count;
  }

  /** Begins a log with a file of this number. */
  async startLog(file: number): Promise<number> {
    await this.#disk.makeDirectory(this.directory);
    this.#log = await this.#create(file);
    this.#position = { file, bytes: FILE_HEADER_BYTES };
    return file;
  }

  /** Goes on behind what counts; frames past that are cut off. */
  async continueLog(at: LogPosition): Promise<void> {
    this.#log = await FramedFileWriter.continue(this.#disk, this.#logPath(at.file), at.bytes);
    this.#position = at;
  }

  /** Settles when the frame is durable; its position counts once a transaction has said so. */
  append(epoch: number, payload: readonly Buffer[]): Promise<LogPosition> {
    return this.#inTurn(async () => {
      const log = this.#openLog();
      await log.appendDurably(epoch, payload);
      this.#position = { file: this.#position?.file ?? 1, bytes: log.end };
      return this.#position;
    });
  }

  /** Ends the file; later frames go to the next one. @returns the next one's number. */
  roll(): Promise<number> {
    return this.#inTurn(async () => {
      const ending = this.#openLog();
      const next = (this.#position?.file ?? 0) + 1;
      // The next file first: when it cannot be made, the old one goes on.
      const log = await this.#create(next);
      try {
        await ending.appendDurably(END_OF_FILE, []);
      } catch (error) {
        await log.close();
        throw error;
      }
      this.#log = log;
      this.#position = { file: next, bytes: FILE_HEADER_BYTES };
      await ending.close();
      return next;
    });
  }

  async #create(file: number): Promise<FramedFileWriter> {
    const log = await FramedFileWriter.create(this.#disk, this.#logPath(file), 'LOG ');
    try {
      await log.flush();
      await this.flushDirectory();
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  #openLog(): FramedFileWriter {
    if (this.#log === undefined) throw new Error('assertion failed: the log is open');
    return this.#log;
  }

  async #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(job).catch((cause: unknown) => {
      if (cause instanceof StreamError) throw cause;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new StreamError('STORE_FAILED', `operator state cannot be written: ${text}`, { cause });
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  #logPath(file: number): string {
    return join(this.directory, `log-${file}`);
  }

  // ------------------------------------------------------------------- nodes

  static nodeName(node: number, epoch: number): string {
    return `node-${node}-${epoch}`;
  }

  /** Writes a node's state, a frame a block, and settles when it is durable. @returns the file's bytes. */
  async writeNode(
    name: string,
    blocks: readonly Buffer[],
    written: (block: Buffer) => void,
  ): Promise<number> {
    const file = await FramedFileWriter.create(this.#disk, join(this.directory, name), 'NODE');
    try {
      for (const [number, block] of blocks.entries()) {
        await file.append(number, [block]);
        written(block);
      }
      await file.flush();
      return file.end;
    } finally {
      await file.close();
    }
  }

  /** The blocks of a node's state, checked, one after another. @throws StreamError STATE_DAMAGED */
  *readNode(name: string, bytes: number): Generator<Buffer> {
    const file = new FramedFileReader(this.#disk, join(this.directory, name), 'NODE', bytes);
    try {
      for (let frame = file.next(), i = 0; frame !== undefined; frame = file.next(), i++) {
        if (frame.number !== i) throw file.damaged(`block ${frame.number} stands for block ${i}`);
        yield frame.payload;
      }
    } finally {
      file.close();
    }
  }

  // --------------------------------------------------------------- directory

  /** Makes names of new files durable. */
  flushDirectory(): Promise<void> {
    return this.#disk.flushDirectory(this.directory);
  }

  /** Removes logs outside [firstLog, lastLog] and nodes that are not named. */
  async removeOthers(firstLog: number, lastLog: number, nodes: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#disk.list(this.directory)) {
      const log = Number(LOG_NAME.exec(name)?.[1] ?? Number.NaN);
      const isKept = Number.isNaN(log) ? nodes.has(name) : log >= firstLog && log <= lastLog;
      if (!isKept) await this.#disk.remove(join(this.directory, name));
    }
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#log?.close();
    this.#log = undefined;
  }
}
