import { after } from 'node:test';
import { KafkaLog } from '../../../connectors/kafka/kafka-log.ts';
import { needsKafka, startKafka, type TestKafka } from '../../kafka/start-kafka.ts';
import { topicLogContract } from '../topic-log-contract.ts';

let kafka: TestKafka | undefined;
after(() => kafka?.stop());

topicLogContract(
  'kafka',
  async () => {
    kafka = await startKafka();
    return new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
  },
  needsKafka,
);
