/**
 * Files of checksummed frames. A file begins with 16 bytes: `MILLRACE`, four letters for its kind, and the version of its
 * form as an unsigned 32-bit number; every number is little-endian. A frame is
 *
 *     length: u32   crc: u32   number: f64   payload: length bytes
 *
 * where the CRC-32 (zlib's) is over number and payload. What a number counts is the file's own affair.
 */
import { crc32 } from 'node:zlib';
import { StreamError } from '../../sql/base/error.ts';
import type { Disk, DiskFile, DiskReader } from './disk.ts';

export const FILE_HEADER_BYTES = 16;
const FRAME_HEADER_BYTES = 16;
const FORM_VERSION = 1;
/** Bytes that are written before the next flush to the disk, so that no flush keeps others waiting for long. */
const FLUSH_BYTES = 8 * 1024 * 1024;

export type FileKind = 'LOG ' | 'NODE';

export interface Frame {
  readonly number: number;
  readonly payload: Buffer;
  /** Where the frame after it begins. */
  readonly end: number;
}

function fileHeader(kind: FileKind): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.write(`MILLRACE${kind}`, 'latin1');
  header.writeUInt32LE(FORM_VERSION, 12);
  return header;
}

function frameHeader(number: number, payload: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeDoubleLE(number, 8);
  let crc = crc32(header.subarray(8));
  let length = 0;
  for (const part of payload) {
    crc = crc32(part, crc);
    length += part.length;
  }
  header.writeUInt32LE(length, 0);
  header.writeUInt32LE(crc, 4);
  return header;
}

export class FramedFileWriter {
  readonly #file: DiskFile;
  #end: number;
  #flushedEnd: number;

  private constructor(file: DiskFile, end: number) {
    this.#file = file;
    this.#end = end;
    this.#flushedEnd = end;
  }

  static async create(disk: Disk, path: string, kind: FileKind): Promise<FramedFileWriter> {
    const writer = new FramedFileWriter(await disk.create(path), 0);
    await writer.#write([fileHeader(kind)]);
    return writer;
  }

  /** Goes on at `end`; what was written past it is cut off. */
  static async continue(disk: Disk, path: string, end: number): Promise<FramedFileWriter> {
    const file = await disk.open(path);
    await file.truncate(end);
    return new FramedFileWriter(file, end);
  }

  /** Where the next frame will begin. */
  get end(): number {
    return this.#end;
  }

  /** Writes one frame behind the others; after a failure the same call may be made again. Not durable before `flush`. */
  async append(number: number, payload: readonly Buffer[]): Promise<void> {
    await this.#write([frameHeader(number, payload), ...payload]);
    if (this.#end - this.#flushedEnd >= FLUSH_BYTES) await this.flush();
  }

  /**
   * Writes one frame behind the others and makes it durable, or writes none: after a failure, also of the flush, the next frame
   * takes its place.
   */
  async appendDurably(number: number, payload: readonly Buffer[]): Promise<void> {
    const start = this.#end;
    try {
      await this.append(number, payload);
      await this.flush();
    } catch (error) {
      this.#end = start;
      this.#flushedEnd = Math.min(this.#flushedEnd, start);
      throw error;
    }
  }

  async #write(parts: readonly Buffer[]): Promise<void> {
    await this.#file.write(parts, this.#end);
    this.#end += parts.reduce((sum, part) => sum + part.length, 0);
  }

  async flush(): Promise<void> {
    await this.#file.flush();
    this.#flushedEnd = this.#end;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Reads frames one after another, in the calling thread: a restart has nothing else to do. */
export class FramedFileReader {
  readonly #path: string;
  readonly #file: DiskReader;
  readonly #end: number;
  #at: number;

  /**
   * @param end    where the last frame ends; undefined = at the end of the file.
   * @param start  where the first frame to read begins.
   * @throws StreamError STATE_DAMAGED for a file that is missing, too short, or of another kind or version.
   */
  constructor(disk: Disk, path: string, kind: FileKind, end?: number, start = FILE_HEADER_BYTES) {
    this.#at = start;
    this.#path = path;
    try {
      this.#file = disk.read(path);
    } catch (cause) {
      throw this.#damaged('it cannot be opened', 0, cause);
    }
    const { size } = this.#file;
    this.#end = end ?? size;
    try {
      this.#check(kind, size);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #check(kind: FileKind, size: number): void {
    if (size < this.#end) throw this.#damaged(`it ends at ${size} instead of ${this.#end}`, size);
    const header = this.#read(0, FILE_HEADER_BYTES);
    const expected = fileHeader(kind);
    if (header.compare(expected, 0, 12, 0, 12) !== 0) {
      throw this.#damaged(`it is no ${kind.trim().toLowerCase()} file`, 0);
    }
    const version = header.readUInt32LE(12);
    if (version !== FORM_VERSION) {
      throw this.#damaged(
        `its form has version ${version}, this program reads ${FORM_VERSION}`,
        12,
      );
    }
  }

  /** @returns undefined at the end. @throws StreamError STATE_DAMAGED naming file and offset. */
  next(): Frame | undefined {
    const start = this.#at;
    if (start >= this.#end) return undefined;
    const header = this.#read(start, FRAME_HEADER_BYTES);
    const length = header.readUInt32LE(0);
    const end = start + FRAME_HEADER_BYTES + length;
    if (end > this.#end) throw this.#damaged('a frame is longer than what is left', start);
    const payload = this.#read(start + FRAME_HEADER_BYTES, length);
    const crc = crc32(payload, crc32(header.subarray(8)));
    if (crc !== header.readUInt32LE(4)) throw this.#damaged('a checksum does not match', start);
    this.#at = end;
    return { number: header.readDoubleLE(8), payload, end };
  }

  #read(start: number, length: number): Buffer {
    if (start + length > this.#end) throw this.#damaged('a frame is cut off', start);
    const bytes = Buffer.allocUnsafeSlow(length);
    const count = this.#file.read(bytes, start);
    if (count < length) throw this.#damaged('it ends too early', start + count);
    return bytes;
  }

  /** The error for what was read up to here. */
  damaged(reason: string): StreamError {
    return this.#damaged(reason, this.#at);
  }

  #damaged(reason: string, offset: number, cause?: unknown): StreamError {
    return new StreamError(
      'STATE_DAMAGED',
      `operator state in ${this.#path} is damaged at byte ${offset}: ${reason}`,
      { cause },
    );
  }

  close(): void {
    this.#file.close();
  }
}
