"""The handler on sqs-workers: a RawQueue, which deletes in batches of ten; one process per queue, as in its own runner."""

import json
import multiprocessing
import os

import boto3
from sqs_workers import RawQueue, SQSEnv

from redis import Redis

EMPTY = os.environ["BENCH_WORK"] == "empty"
SINK = os.environ["BENCH_SINK"]


def work(url: str) -> None:
    """Work off one queue for ever."""
    env = SQSEnv()
    redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    sqs = boto3.client("sqs")
    queue = env.queue(url.rsplit("/", 1)[-1], queue_maker=RawQueue)

    @queue.raw_processor()
    def handle(message: object) -> None:
        event = json.loads(message.body)  # type: ignore[attr-defined]  # boto3's resource
        if EMPTY:
            return
        data = event["data"]
        fields = {"id_pedido": data["id_pedido"], "status": data["status"], "event_type": event["event_type"]}
        redis.hset(f"{os.environ['BENCH_PREFIX']}pedido:{data['id_pedido']}", mapping=fields)
        told = {"id_pedido": data["id_pedido"], "status": data["status"]}
        body = json.dumps({"event_type": "acompanhamento_atualizado", "data": told})
        sqs.send_message(QueueUrl=SINK, MessageBody=body)

    queue.process_queue()


if __name__ == "__main__":
    first, *others = os.environ["BENCH_QUEUES"].split(",")
    for other in others:
        multiprocessing.Process(target=work, args=[other], daemon=True).start()
    work(first)
