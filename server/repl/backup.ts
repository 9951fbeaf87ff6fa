/** `millrace backup FILE`: reads a backup from a running server. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { ConnectionError } from './client.ts';

const PROGRESS_STEP_BYTES = 64 * 1024 * 1024;
const MEGABYTE = 1_000_000;

/** Writes the archive under a name of its own until it is whole. @throws ConnectionError */
export async function runBackup(file: string, url: URL): Promise<number> {
  const unfinished = `${file}.unfinished`;
  try {
    const { body, bytes } = await request(url);
    let read = 0;
    let shown = 0;
    body.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read - shown < PROGRESS_STEP_BYTES) return;
      shown = read;
      process.stderr.write(
        `${(read / MEGABYTE).toFixed(0)} of ${(bytes / MEGABYTE).toFixed(0)} MB\n`,
      );
    });
    await pipeline(body, createWriteStream(unfinished, { flush: true }));
    if (read !== bytes) throw new ConnectionError(`the backup ends at byte ${read} of ${bytes}`);
    await rename(unfinished, file);
    process.stdout.write(`${file}: ${(bytes / MEGABYTE).toFixed(1)} MB\n`);
    return 0;
  } catch (error) {
    await rm(unfinished, { force: true });
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    process.stderr.write(`millrace: ${message}${reason}\n`);
    return 1;
  }
}

async function request(url: URL): Promise<{ readonly body: Readable; readonly bytes: number }> {
  const response = await fetch(new URL('/v1/backup', url), { method: 'POST' });
  const { body } = response;
  const bytes = Number(response.headers.get('content-length') ?? Number.NaN);
  const isArchive = response.headers.get('content-type') === 'application/x-tar';
  if (response.ok && isArchive && body !== null && Number.isInteger(bytes)) {
    return { body: Readable.fromWeb(body as ReadableStream), bytes };
  }
  const text = await response.text();
  throw new ConnectionError(messageOf(text) ?? `${url.origin} is not a Millrace server`);
}

function messageOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: string } };
    return error?.message;
  } catch {
    return undefined;
  }
}
