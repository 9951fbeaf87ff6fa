/**
 * A disk whose unflushed bytes and names are lost, kept or cut when the machine stops, as a real one may do. When only the
 * process is killed, what it has written stays, and a write under way is cut anywhere.
 */
import { dirname } from 'node:path';
import type { Disk, DiskFile, DiskReader } from '../../engine/store/disk.ts';
import type { Process, World } from './world.ts';

/** A change that is not durable: it may reach the disk, or not, or in part. */
interface Change {
  readonly at: number;
  /** Undefined = the file ends at `at` now. */
  readonly bytes: Buffer | undefined;
  /** The call that makes it has returned. */
  isDone: boolean;
}

class StoredFile {
  content: Buffer = Buffer.alloc(0);
  durable: Buffer = Buffer.alloc(0);
  changes: Change[] = [];
}

export class DiskMedium {
  readonly #world: World;
  names = new Map<string, StoredFile>();
  #durableNames = new Map<string, StoredFile>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The process that wrote here is gone. @param isPower  the whole machine is. */
  crash(isPower: boolean): void {
    const world = this.#world;
    if (isPower) {
      const names = new Set([...this.names.keys(), ...this.#durableNames.keys()]);
      const left = new Map<string, StoredFile>();
      for (const name of [...names].sort()) {
        const [now, before] = [this.names.get(name), this.#durableNames.get(name)];
        const file = now === before || world.oneIn(2) ? now : before;
        if (file !== undefined) left.set(name, file);
      }
      this.names = left;
    }
    for (const file of this.names.values()) {
      let content = isPower ? file.durable : file.content;
      for (const change of file.changes) {
        const isKept = !isPower && change.isDone;
        if (!isPower && change.isDone) continue;
        content = this.#apply(content, change, isKept);
      }
      file.content = content;
      file.durable = content;
      file.changes = [];
    }
    this.#durableNames = new Map(this.names);
  }

  #apply(content: Buffer, { at, bytes }: Change, isWhole: boolean): Buffer {
    const world = this.#world;
    const luck = isWhole ? 0 : world.below(3);
    if (luck === 1) return content;
    if (bytes === undefined) return content.subarray(0, at);
    const length = luck === 0 ? bytes.length : world.below(bytes.length + 1);
    return written(content, at, bytes.subarray(0, length));
  }

  flushNames(directory: string): void {
    const names = new Set([...this.names.keys(), ...this.#durableNames.keys()]);
    for (const name of names) {
      if (dirname(name) !== directory) continue;
      const file = this.names.get(name);
      if (file === undefined) this.#durableNames.delete(name);
      else this.#durableNames.set(name, file);
    }
  }
}

function written(content: Buffer, at: number, bytes: Buffer): Buffer {
  const result = Buffer.alloc(Math.max(content.length, at + bytes.length));
  content.copy(result);
  bytes.copy(result, at);
  return result;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** The disk as one process sees it. */
export class SimDisk implements Disk {
  readonly #world: World;
  readonly #process: Process;
  readonly #medium: DiskMedium;
  /** One in so many writes and flushes fails; 0 = none. */
  failsOneIn = 0;

  constructor(world: World, process: Process, medium: DiskMedium) {
    this.#world = world;
    this.#process = process;
    this.#medium = medium;
  }

  async create(path: string): Promise<DiskFile> {
    await this.#step('create', path);
    const file = this.#medium.names.get(path) ?? new StoredFile();
    file.changes.push({ at: 0, bytes: undefined, isDone: true });
    file.content = Buffer.alloc(0);
    this.#medium.names.set(path, file);
    return this.#opened(path, file);
  }

  async open(path: string): Promise<DiskFile> {
    await this.#step('open', path);
    return this.#opened(path, this.#file(path));
  }

  read(path: string): DiskReader {
    const { content } = this.#file(path);
    return {
      size: content.length,
      read: (into, at) => content.copy(into, 0, at),
      close: () => {},
    };
  }

  /** Directories are not kept: files name them. */
  async makeDirectory(): Promise<void> {
    await this.#step('make directory', '');
  }

  async list(path: string): Promise<readonly string[]> {
    await this.#step('list', path);
    return [...this.#medium.names.keys()]
      .filter((name) => dirname(name) === path)
      .map((name) => name.slice(path.length + 1));
  }

  async remove(path: string): Promise<void> {
    await this.#step('remove', path);
    this.#medium.names.delete(path);
  }

  async flushDirectory(path: string): Promise<void> {
    await this.#step('flush directory', path);
    this.#mayFail('EIO');
    this.#medium.flushNames(path);
  }

  #file(path: string): StoredFile {
    const file = this.#medium.names.get(path);
    if (file === undefined) throw failure('ENOENT');
    return file;
  }

  #opened(path: string, file: StoredFile): DiskFile {
    return {
      write: async (parts, at) => {
        const bytes = Buffer.concat(parts);
        const change: Change = { at, bytes, isDone: false };
        file.changes.push(change);
        await this.#step('write', path);
        if (this.#isFailing()) {
          // A full disk takes a part.
          const part = bytes.subarray(0, this.#world.below(bytes.length + 1));
          file.changes.splice(file.changes.indexOf(change), 1);
          file.changes.push({ at, bytes: part, isDone: true });
          file.content = written(file.content, at, part);
          throw failure('ENOSPC');
        }
        change.isDone = true;
        file.content = written(file.content, at, bytes);
      },
      truncate: async (bytes) => {
        await this.#step('truncate', path);
        file.changes.push({ at: bytes, bytes: undefined, isDone: true });
        file.content = file.content.subarray(0, bytes);
      },
      flush: async () => {
        const { content } = file;
        const covered = file.changes.filter(({ isDone }) => isDone);
        await this.#step('flush', path);
        this.#mayFail('EIO');
        file.durable = content;
        file.changes = file.changes.filter((change) => !covered.includes(change));
      },
      close: async () => {},
    };
  }

  #step(action: string, path: string): Promise<void> {
    const kind = path.includes('/node-') ? ' node' : path.includes('/log-') ? ' log' : '';
    return this.#world.step(this.#process, `disk: ${action}${kind}`);
  }

  #isFailing(): boolean {
    return this.failsOneIn > 0 && this.#world.oneIn(this.failsOneIn);
  }

  #mayFail(code: string): void {
    if (this.#isFailing()) throw failure(code);
  }
}
