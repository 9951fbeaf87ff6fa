/** The broker's jars, fetched once from Maven Central (54 MB) into a folder that git ignores. */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pomPath = fileURLToPath(new URL('pom.xml', import.meta.url));
const cachePath = fileURLToPath(new URL('../../.cache/kafka', import.meta.url));

/** Folder with all jars; needs Java 17 and Maven on the PATH. */
export async function kafkaJars(): Promise<string> {
  const pom = await readFile(pomPath);
  const version = createHash('sha256').update(pom).digest('hex').slice(0, 16);
  const folder = `${cachePath}/${version}`;
  if (existsSync(folder)) return folder;
  await mkdir(cachePath, { recursive: true });
  const partial = `${folder}.${randomUUID()}`;
  await run('mvn', [
    '-B',
    '-q',
    '-f',
    pomPath,
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${partial}`,
  ]);
  try {
    await rename(partial, folder);
  } catch (error) {
    // Another process was faster; its jars are the same.
    if (!existsSync(folder)) throw error;
    await rm(partial, { recursive: true });
  }
  return folder;
}
