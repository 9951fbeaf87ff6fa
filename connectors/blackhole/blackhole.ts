/** connector='blackhole': takes rows, counts them and forgets them; for measuring what comes before. */
import {
  allDelivered,
  type Delivered,
  type SinkChunk,
  type SinkConnector,
  type SinkWriter,
} from '../connector.ts';

export class BlackholeWriter implements SinkWriter {
  readonly position = undefined;
  records = 0;

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    for (const { records } of chunks) this.records += records.length;
    return allDelivered;
  }

  async close(): Promise<void> {
    this.records = 0;
  }
}

export const blackholeConnector: SinkConnector = {
  type: 'blackhole',
  validate: () => undefined,
  guarantee: () => 'none',
  target: () => undefined,
  open: async () => new BlackholeWriter(),
};
