// The handler on BBC's sqs-consumer: receives of ten, one message after the other as it does by itself; consuming
// only it takes them in batches, which is its fastest way.
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";
import { Consumer } from "sqs-consumer";

const { BENCH_WORK, BENCH_QUEUES, BENCH_SINK, BENCH_PREFIX, REDIS_URL } = process.env;
const redis = new Redis(REDIS_URL.replace("unix://", ""));
const sqs = new SQSClient({ region: "us-east-1" });

async function handleMessage(message) {
  const { event_type, data } = JSON.parse(message.Body);
  await redis.hset(`${BENCH_PREFIX}pedido:${data.id_pedido}`, { id_pedido: data.id_pedido, status: data.status, event_type });
  const told = { event_type: "acompanhamento_atualizado", data: { id_pedido: data.id_pedido, status: data.status } };
  await sqs.send(new SendMessageCommand({ QueueUrl: BENCH_SINK, MessageBody: JSON.stringify(told) }));
  return message;
}

async function handleMessageBatch(messages) {
  for (const message of messages) JSON.parse(message.Body);
  return messages;
}

const handlers = BENCH_WORK === "empty" ? { handleMessageBatch } : { handleMessage };
const consumers = BENCH_QUEUES.split(",").map((queueUrl) =>
  Consumer.create({ queueUrl, sqs, batchSize: 10, waitTimeSeconds: 10, ...handlers }));
for (const consumer of consumers) {
  consumer.on("error", (error) => console.error(error.message));
  consumer.start();
}
process.on("SIGTERM", () => process.exit(0));
