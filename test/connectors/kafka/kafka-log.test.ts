import { after, before } from 'node:test';
import { KafkaLog } from '../../../connectors/kafka/kafka-log.ts';
import { startKafka, type TestKafka } from '../../kafka/start-kafka.ts';
import { topicLogContract } from '../topic-log-contract.ts';

let kafka: TestKafka;
before(async () => {
  kafka = await startKafka();
});
after(() => kafka.stop());

topicLogContract(
  'kafka',
  async () => new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]])),
);
