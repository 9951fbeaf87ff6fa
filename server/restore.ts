/** `millrace restore FILE DIR`: makes a data directory from a backup. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { runCheck } from './check.ts';

/** Unpacks the archive into a directory that is missing or empty, and checks it. @returns the exit code. */
export async function runRestore(file: string, directory: string): Promise<number> {
  try {
    await mkdir(directory, { recursive: true });
    const names = await readdir(directory);
    if (names.length > 0) throw new Error(`${directory} is not empty`);
    await unpack(file, directory);
  } catch (error) {
    process.stderr.write(`millrace: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  return runCheck(directory);
}

async function unpack(file: string, directory: string): Promise<void> {
  const archive = extract();
  // What fails in reading destroys the archive, whose loop then fails with it.
  const reading = pipeline(createReadStream(file), archive);
  reading.catch(() => undefined);
  for await (const entry of archive) {
    const { name, type } = entry.header;
    const path = normalize(join(directory, name));
    if (type !== 'file' || !path.startsWith(normalize(directory) + sep)) {
      throw new Error(`${file} is not a backup: it holds ${name}`);
    }
    await mkdir(dirname(path), { recursive: true });
    await pipeline(entry, createWriteStream(path, { flags: 'wx', flush: true }));
  }
  await reading;
}
