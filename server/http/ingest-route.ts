import { mediaType } from './body.ts';
import type { Door } from './door.ts';
import { ingestDocs } from './openapi.ts';
import { splitRecords } from './record-split.ts';

const lineTypes = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl']);

/** `POST /v1/streams/NAME/records`: answers when the records are durable. */
export function ingestRoute(door: Door): void {
  door.app.post<{ Params: { readonly name: string } }>(
    '/v1/streams/:name/records',
    { schema: ingestDocs },
    async (request) => {
      const body = await door.bodies.decoded(request);
      const records = splitRecords(body, lineTypes.has(mediaType(request)), door.limits);
      const { accepted } = await door.database.ingest(request.params.name, records);
      door.metrics.ingestedRecords.inc(accepted);
      door.metrics.ingestedBytes.inc(body.length);
      return { accepted };
    },
  );
}
