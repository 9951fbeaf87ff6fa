/**
 * What files of operator state need of a file system, and the machine's own as one. What is not flushed may be lost, in whole
 * or in part, when the machine stops; so may the name of a file whose directory was not flushed after it was made or removed.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Disk {
  /** Makes a file, empty; one of this name is emptied. */
  create(path: string): Promise<DiskFile>;
  /** An existing file, to be written. */
  open(path: string): Promise<DiskFile>;
  /** An existing file, to be read in the calling thread. */
  read(path: string): DiskReader;
  /** Makes a directory and those above it; its name is durable then. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory. */
  list(path: string): Promise<readonly string[]>;
  /** A file that is missing is none the less removed. */
  remove(path: string): Promise<void>;
  /** Makes durable which names a directory has. */
  flushDirectory(path: string): Promise<void>;
}

export interface DiskFile {
  /** Writes all of the parts, one behind the other, from byte `at` on. */
  write(parts: readonly Buffer[], at: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface DiskReader {
  readonly size: number;
  /** Fills `into` from byte `at` of the file on. @returns the bytes read; fewer at the end of the file. */
  read(into: Buffer, at: number): number;
  close(): void;
}

export const machineDisk: Disk = {
  create: async (path) => new MachineFile(await open(path, 'w+')),
  open: async (path) => new MachineFile(await open(path, 'r+')),
  read: (path) => {
    const file = openSync(path, 'r');
    return {
      size: fstatSync(file).size,
      read: (into, at) => readWhole(file, into, at),
      close: () => closeSync(file),
    };
  },
  makeDirectory: async (path) => {
    if (mkdirSync(path, { recursive: true }) !== undefined) await flushNames(dirname(path));
  },
  list: (path) => readdir(path),
  remove: (path) => rm(path, { force: true }),
  flushDirectory: flushNames,
};

async function flushNames(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function readWhole(file: number, into: Buffer, at: number): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(file, into, done, into.length - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

class MachineFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(parts: readonly Buffer[], at: number): Promise<void> {
    const { bytesWritten } = await this.#handle.writev(parts, at);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytesWritten === length) return;
    const rest = Buffer.concat(parts).subarray(bytesWritten);
    for (let done = 0; done < rest.length; ) {
      const place = at + bytesWritten + done;
      done += (await this.#handle.write(rest, done, rest.length - done, place)).bytesWritten;
    }
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  flush(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
