/**
 * A copy of the data directory as of one commit, made while the server runs: the database in one transaction, and the files
 * of operator state that the transaction names, which are only ever appended to and are kept until they are copied.
 */
import { copyFile, mkdir, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestSummary } from '../engine/runtime/state-manifest.ts';
import { DATABASE_FILE } from '../engine/store/database-file.ts';
import type { SavedState } from '../engine/store/store.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Core } from './core.ts';
import type { Backup } from './database.ts';

/** Below the data directory, so that a backup needs room where the data is. */
const WORK_DIRECTORY = 'backup';
const STATE_DIRECTORY = 'state';

const running = new WeakSet<Core>();

/** What a crash in the middle of a backup has left. */
export async function removeUnfinishedBackup(directory: string | undefined): Promise<void> {
  if (directory === undefined) return;
  await rm(join(directory, WORK_DIRECTORY), { recursive: true, force: true });
}

/**
 * @param signal  stops the copying.
 * @throws StreamError BACKUP_RUNNING when there is another one.
 */
export async function makeBackup(core: Core, signal: AbortSignal): Promise<Backup> {
  if (running.has(core)) throw new StreamError('BACKUP_RUNNING', 'another backup is running');
  running.add(core);
  let target: string | undefined;
  const close = async (): Promise<void> => {
    if (target !== undefined) await rm(target, { recursive: true, force: true });
    running.delete(core);
  };
  try {
    target = await workDirectory(core.directory);
    return { files: await copyInto(target, core, signal), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function workDirectory(directory: string | undefined): Promise<string> {
  if (directory === undefined) return mkdtemp(join(tmpdir(), 'millrace-backup-'));
  await removeUnfinishedBackup(directory);
  const target = join(directory, WORK_DIRECTORY);
  await mkdir(target);
  return target;
}

async function copyInto(target: string, core: Core, signal: AbortSignal): Promise<Backup['files']> {
  const release = core.engine.holdStateFiles();
  try {
    const database = join(target, DATABASE_FILE);
    const saved = await core.store.copyTo(database, signal);
    const state = saved === undefined ? [] : await copyState(target, core, saved, signal);
    return Promise.all([DATABASE_FILE, ...state].map((name) => described(target, name)));
  } finally {
    release();
  }
}

async function copyState(
  target: string,
  { directory }: Core,
  { manifest, log }: SavedState,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (directory === undefined) return [];
  await mkdir(join(target, STATE_DIRECTORY));
  const { firstLog, files } = manifestSummary(manifest);
  const names = files.map(({ name }) => name);
  for (let file = firstLog; file <= log.file; file++) names.push(`log-${file}`);
  const paths = names.map((name) => join(STATE_DIRECTORY, name));
  for (const path of paths) {
    signal.throwIfAborted();
    await copyFile(join(directory, path), join(target, path));
  }
  // What was appended since belongs to later commits.
  const last = paths.at(-1);
  if (last !== undefined) await truncate(join(target, last), log.bytes);
  return paths;
}

async function described(target: string, name: string): Promise<Backup['files'][number]> {
  const path = join(target, name);
  return { name, path, bytes: (await stat(path)).size };
}
