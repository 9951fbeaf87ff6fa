/** connector='blackhole': takes rows, counts them and forgets them; for measuring what comes before. */
import type { ProduceRecord, SinkConnector, SinkWriter } from '../connector.ts';

export class BlackholeWriter implements SinkWriter {
  records = 0;

  async deliver(records: readonly ProduceRecord[]): Promise<void> {
    this.records += records.length;
  }

  async close(): Promise<void> {
    this.records = 0;
  }
}

export const blackholeConnector: SinkConnector = {
  type: 'blackhole',
  validate: () => undefined,
  open: async () => new BlackholeWriter(),
};
