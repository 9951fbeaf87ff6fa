import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';
import { type Pack, pack } from 'tar-stream';
import type { Backup } from '../database.ts';
import { abortWithClient } from './answer.ts';
import type { Door } from './door.ts';
import { statusDocs } from './openapi.ts';

const TAR_BLOCK_BYTES = 512;

/** `POST /v1/backup`: a tar archive of the data directory as of one commit. */
export function backupRoute({ app, database, log, stopping }: Door): void {
  app.post(
    '/v1/backup',
    { schema: statusDocs('A tar archive of the data directory as of one commit') },
    async (_, reply) => {
      const signal = abortWithClient(reply, stopping);
      const backup = await database.backup(signal);
      try {
        await send(backup, reply, signal);
      } catch (error) {
        // The head is sent: a cut connection is all that can tell. Its reader knows the length.
        log.warn({ err: error }, 'a backup was not read to its end');
        reply.raw.destroy();
      } finally {
        await backup.close();
      }
      return reply;
    },
  );
}

async function send(backup: Backup, reply: FastifyReply, signal: AbortSignal): Promise<void> {
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'application/x-tar',
    'content-disposition': 'attachment; filename="millrace-backup.tar"',
    'content-length': archiveBytes(backup),
    'cache-control': 'no-store',
  });
  const archive = pack();
  const sending = pipeline(archive, reply.raw, { signal });
  const packing = packAll(archive, backup, signal).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  await Promise.all([sending, packing]);
}

async function packAll(archive: Pack, { files }: Backup, signal: AbortSignal): Promise<void> {
  for (const { name, path, bytes } of files) {
    const entry = archive.entry({ name: name.replaceAll('\\', '/'), size: bytes });
    await pipeline(createReadStream(path), entry, { signal });
  }
  archive.finalize();
}

/** Head and contents of each file in blocks, and two empty blocks at the end. */
function archiveBytes({ files }: Backup): number {
  const blocks = files.reduce((sum, { bytes }) => sum + 1 + Math.ceil(bytes / TAR_BLOCK_BYTES), 2);
  return blocks * TAR_BLOCK_BYTES;
}
