/**
 * A PostgreSQL in this process, the judge of most tests. Making a cluster (initdb) takes seconds of CPU, so the first one that is
 * made is kept as it was, and the others begin from it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

const MANIFEST = new URL('../node_modules/@electric-sql/pglite/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { readonly version: string };
const FRESH = resolve(`.cache/pglite-${version}.tar`);

/** An empty database of its own. */
export async function openPglite(): Promise<PGlite> {
  return await PGlite.create({ loadDataDir: new Blob([keptCluster() ?? (await newCluster())]) });
}

function keptCluster(): Buffer<ArrayBuffer> | undefined {
  try {
    return readFileSync(FRESH);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function newCluster(): Promise<Buffer<ArrayBuffer>> {
  const postgres = await PGlite.create();
  const dump = Buffer.from(await (await postgres.dumpDataDir('none')).arrayBuffer());
  await postgres.close();
  mkdirSync(dirname(FRESH), { recursive: true });
  // Several test files may come here at once: each puts a whole file in place.
  const own = `${FRESH}.${process.pid}`;
  writeFileSync(own, dump);
  renameSync(own, FRESH);
  return dump;
}
