"""The handler on dramatiq-sqs: one process of eight threads."""

import json
import os
import sys
from base64 import b64encode

import boto3
import dramatiq
from dramatiq_sqs import SQSBroker

from redis import Redis

EMPTY = os.environ["BENCH_WORK"] == "empty"
broker = SQSBroker(middleware=[])
dramatiq.set_broker(broker)
redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
sqs = boto3.client("sqs")


@dramatiq.actor(queue_name="pedido-events")
def handle(event: dict) -> None:
    """Do one HSET and one send, unless the work is empty; the body is decoded already."""
    if EMPTY:
        return
    data = event["data"]
    fields = {"id_pedido": data["id_pedido"], "status": data["status"], "event_type": event["event_type"]}
    redis.hset(f"{os.environ['BENCH_PREFIX']}pedido:{data['id_pedido']}", mapping=fields)
    told = {"id_pedido": data["id_pedido"], "status": data["status"]}
    body = json.dumps({"event_type": "acompanhamento_atualizado", "data": told})
    sqs.send_message(QueueUrl=os.environ["BENCH_SINK"], MessageBody=body)


if __name__ == "__main__" and sys.argv[1:] == ["wrap"]:
    for line in sys.stdin:
        message = handle.message(json.loads(line))
        print(json.dumps({"MessageBody": b64encode(message.encode()).decode()}))
